"""通知: what residents are told in the app about their own matters."""
