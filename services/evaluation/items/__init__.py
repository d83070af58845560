"""事项: the local copy of the catalogue's items, and how residents rate each of them."""
