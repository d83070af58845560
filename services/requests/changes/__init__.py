"""Feeds: what changed, in order, to be read on from where one stopped."""
