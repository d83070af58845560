"""房间: rooms with all their uses, each counted once."""
