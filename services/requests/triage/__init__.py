"""分流: which of the three classes a matter belongs to, and whether a village may be handed it."""
