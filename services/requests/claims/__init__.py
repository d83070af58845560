"""Requests taken in at a window, claimed by the account of whom they are about."""
