"""What the figures of a year must satisfy."""

from collections.abc import Mapping
from typing import Any

#: The figures of a year. Each may be missing; a missing one is named and never read as zero.
FIGURES = (
    "households",
    "residents",
    "floor_area_m2",
    "workers",
    "certified_workers",
    "social_organisations",
    "is_resettlement",
    "has_deliberation_list",
    "has_work_list",
    "has_assessment_list",
    "has_seal_list",
    "security_members",
    "has_unified_forms",
    "has_online_service",
)


def missing(figures: Mapping[str, Any]) -> list[str]:
    """Names of the figures nobody has counted."""
    return [name for name in FIGURES if figures[name] is None]
