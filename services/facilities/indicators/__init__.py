"""Indicators: defined as data, summed up the tree, with months gone by and what would move them."""
