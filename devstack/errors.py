"""What goes wrong with the development stack for reasons its user can do something about."""


class DevstackError(RuntimeError):
    """Shown as its message alone, without a traceback."""
