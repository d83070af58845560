"""What a village has not set up, by its yearly figures and the surveys; pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.facilities.gaps.kinds import FIGURES, Effort, Gap, Way
from services.facilities.indicators.measures import SECURITY_MEMBERS

_THREE_LISTS = ("has_work_list", "has_assessment_list", "has_seal_list")


def duties(fact: Mapping[str, Any], targets: Mapping[str, float]) -> Iterator[Gap]:
    """Lists, committees, forms, services online and surveys that a village does not have."""
    yield from _lists(fact, targets)
    yield from _duties(fact, targets)


def _lists(fact: Mapping[str, Any], targets: Mapping[str, float]) -> Iterator[Gap]:
    if (
        fact["kind"] == "village"
        and fact["has_deliberation_list"] is False
        and "deliberation-list-coverage" in targets
    ):
        yield Gap(
            "no-deliberation-list",
            ("deliberation-list-coverage",),
            "没有村级议事协商目录",
            Way("draw-up-list", Effort.rearrange, "由县（市、区）制定目录"),
        )
    absent = [name for name in _THREE_LISTS if fact[name] is False]
    if absent and "three-lists-coverage" in targets:
        yield Gap(
            "lists-missing",
            ("three-lists-coverage",),
            f"没有建立{'、'.join(FIGURES[name] for name in absent)}",
            Way("draw-up-lists", Effort.rearrange, "建立“三个清单”"),
            short_by=len(absent),
            unit="lists",
        )


def _duties(fact: Mapping[str, Any], targets: Mapping[str, float]) -> Iterator[Gap]:
    members = fact["security_members"]
    if members is not None and members < SECURITY_MEMBERS:
        yield Gap(
            "few-security-members",
            ("security-committee-met",),
            f"治保会少于 {SECURITY_MEMBERS} 人",
            Way("appoint-members", Effort.rearrange, "配齐治保会成员"),
            short_by=SECURITY_MEMBERS - members,
            unit="people",
        )
    if fact["kind"] == "village" and fact["has_unified_forms"] is False:
        yield Gap(
            "forms-not-unified",
            ("unified-forms-share",),
            "填报表格没有由县级统一整合、年初一次性安排",
            Way("unify-forms", Effort.rearrange, "由县级统一整合各类表格，年初交由乡镇安排"),
        )
    if fact["has_online_service"] is False:
        yield Gap(
            "no-online-service",
            ("online-service-share",),
            "群众关切项目没有 24 小时线上服务",
            Way("open-online-service", Effort.rearrange, "把群众关切的事项接入线上受理"),
        )
    if not fact["is_surveyed"] and "survey-coverage" in targets:
        yield Gap(
            "not-surveyed",
            ("survey-coverage",),
            "今年和去年都没有做满意度调查",
            Way("survey", Effort.rearrange, "列入今年的满意度调查"),
        )
