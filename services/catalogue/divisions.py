"""Where an item is offered: in its division and everywhere below it."""

from contracts.values import SIGNIFICANT_DIGITS, division_prefix


def division_chain(code: str) -> list[str]:
    """A division and all above it, highest first: what they offer is offered to its people."""
    prefix = division_prefix(code)
    return [
        code[:digits].ljust(12, "0")
        for digits in SIGNIFICANT_DIGITS.values()
        if digits <= len(prefix)
    ]
