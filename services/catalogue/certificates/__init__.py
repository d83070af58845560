"""Certificates (证明): what villages do not issue, what they may, and who still demands what."""
