"""区划: local copies of the division tree and of the communities' figures."""
