"""Sign-in codes sent to residents' telephones."""
