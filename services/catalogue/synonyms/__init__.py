"""Synonyms: everyday words and what they mean, kept by the editors of a division."""
