"""The catalogue: what can be done, by whom, with what, and how long it takes."""
