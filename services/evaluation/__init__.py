"""How well it was done: ratings (好差评), rectifications of bad ones, and scores."""
