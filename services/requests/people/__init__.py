"""Finding a person's requests by identity number or telephone, written down for that person."""
