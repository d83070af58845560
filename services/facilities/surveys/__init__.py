"""How far communities were surveyed, as evaluation tells: a local copy."""
