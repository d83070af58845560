"""Sessions: access tokens, rotating refresh tokens, revocation."""
