"""Bundles (高效办成一件事): several items as one matter, each question and material asked once."""
