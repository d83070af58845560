"""窗口: counters and the items of the catalogue that they take."""
