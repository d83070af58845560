"""Scores (好差评): a copy of what evaluation says of each item."""
