"""Staff sign in at the organisation's own identity provider (OpenID Connect)."""
