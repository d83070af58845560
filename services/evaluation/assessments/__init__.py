"""考核: score cards of villages and units from what is counted anyway, never from proofs of work."""
