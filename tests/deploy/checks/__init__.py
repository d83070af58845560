"""What must hold, as functions that return what does not; an empty list is a pass."""
