"""办事指南: what a resident needs to know of an item, in full, in plain words, and on paper."""
