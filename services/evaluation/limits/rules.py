"""The limits of one rectification, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Working days, but for the count of extensions.

    Source: 德州 5 working days, 北京 7 days, 四川某市 15 working days: three texts, so each division
    sets its own; what nobody set comes from the settings and is provisional.
    """

    rectification_days: int
    warn_days: int
    fix_by_days: int
    extension_days: int
    extensions: int
    call_back_within_days: int
