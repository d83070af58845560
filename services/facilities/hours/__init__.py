"""Opening hours: the weekly pattern, the days that break it, and open or not at a moment."""
