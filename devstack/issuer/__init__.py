"""A development OpenID Connect issuer with ready staff of every role. Never for production."""
