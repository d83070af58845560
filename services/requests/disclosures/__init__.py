"""Showing personal data to those who need it, written down for the person it belongs to."""
