"""督办: orders to answer for a case, and who is told when nobody does."""
