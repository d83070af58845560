"""基本目录: the unified entries of nation and province that a division's items are based on."""
