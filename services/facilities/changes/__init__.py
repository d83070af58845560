"""区划变更: renames, merges, splits and the like, with old codes still answering."""
