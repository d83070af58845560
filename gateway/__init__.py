"""The one door: who calls, how often, to which service; identity data only, no business rule."""
