"""Proposals drawn from figures: what to end, and what to offer. A person decides each."""
