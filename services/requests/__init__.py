"""Doing it: submissions, routing, cases and the clock. Owns the database `requests`."""
