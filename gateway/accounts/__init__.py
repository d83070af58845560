"""Who signs in: residents by telephone number, staff by the identity provider's subject."""
