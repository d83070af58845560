"""Doubtful ratings: found by pure detectors, reviewed by people, never dropped in silence."""
