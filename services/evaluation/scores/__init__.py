"""Scores of items and units, kept in the transaction of each rating."""
