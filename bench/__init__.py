"""Measurements as ratios in one run; nothing here is imported by the product."""
