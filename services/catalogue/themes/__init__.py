"""Themes (主题) and categories: the headings under which residents look for items."""
