"""设施类型: the dictionary of what kinds of facilities there are."""
