"""Codes of other systems: what a number means in whose table, and how item codes are built.

Inside the catalogue a value has a name; numbers exist only where a file comes in or goes out, because
the same number means different things in different standards and provinces. Tables are data.
"""
