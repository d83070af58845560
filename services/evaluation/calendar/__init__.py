"""Working days, for the limits of rectifications."""
