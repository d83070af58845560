"""Places: what they are, where, how large, in what state."""
