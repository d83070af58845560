"""照片: pictures of a facility, checked by what they are."""
