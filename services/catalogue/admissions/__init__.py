"""Admission (准入): the path by which a department may hand something to villages, and its end."""
