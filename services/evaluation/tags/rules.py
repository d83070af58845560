"""Which tags a rating of a level may carry."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from contracts.values import RatingLevel


class TagRefusal(StrEnum):
    """Why a tag may not be chosen."""

    unknown = "unknown"
    other_level = "other-level"
    retired = "retired"


def refused_tags(
    chosen: Iterable[str], level: RatingLevel, known: Mapping[str, tuple[str, bool]]
) -> dict[TagRefusal, list[str]]:
    """Sort out the tags a rating may not carry.

    `known` maps a code to its level and whether it is retired. Source: 好差评 tag dictionary, "一级
    一套": a tag belongs to one level; retired ones may be read but no longer chosen.
    """
    refused: dict[TagRefusal, list[str]] = {}
    for code in chosen:
        reason = _refusal(known.get(code), level)
        if reason is not None:
            refused.setdefault(reason, []).append(code)
    return refused


def _refusal(tag: tuple[str, bool] | None, level: RatingLevel) -> TagRefusal | None:
    if tag is None:
        return TagRefusal.unknown
    tag_level, is_retired = tag
    if tag_level != level:
        return TagRefusal.other_level
    return TagRefusal.retired if is_retired else None


def first_reason(refused: Mapping[TagRefusal, Sequence[str]]) -> TagRefusal | None:
    """The reason to tell, the plainest first."""
    return next((reason for reason in TagRefusal if reason in refused), None)
