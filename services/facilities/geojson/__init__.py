"""Places as GeoJSON, ready for a map."""
