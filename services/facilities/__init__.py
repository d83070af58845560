"""Where: divisions, communities, the facilities in them and when they are open."""
