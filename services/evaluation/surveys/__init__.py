"""满意度调查: planned by year and division, drawn by village, estimated with their uncertainty."""
