"""Limits of rectifications, by division."""
