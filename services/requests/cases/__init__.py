"""办件: a case from receipt to completion."""
