"""Consistency rules between the elements of an item; each names field, rule and remedy.

Source: rules used in audits of implementation lists (实施清单) in 温州; only those that concern
elements kept here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from math import ceil

from contracts.values import Channel, DivisionLevel, ProjectKind, TimeUnit
from services.catalogue.items.content import ItemContent
from services.catalogue.items.phrases import phrase_violations
from services.catalogue.items.violation import Violation
from services.catalogue.vocabulary import ItemKind, ResultKind, ServiceObject

#: Ways to hand something in without coming.
REMOTE = frozenset(
    {
        Channel.portal,
        Channel.mini_program,
        Channel.self_service_terminal,
        Channel.telephone,
        Channel.provincial_platform,
    }
)
TRIAGE = {
    ItemKind.government_service: "government-public",
    ItemKind.village_public: "village-public",
    ItemKind.personal_convenience: "villager-personal",
}
#: One vendor stores "no statutory limit" as this many days.
SENTINEL_DAYS = 500
#: Calendar days in which so many working days pass, at least: five of seven.
CALENDAR_PER_WORKING_DAY = 7 / 5
LICENSING = "01"
PROVISIONAL_PREFIX = "provisional:"
_CERTIFICATE = re.compile(r"(证|证书|执照)$")
#: *文 and *批复 by the audits; 决定书 and 告知书 are papers of the same kind by our own reading.
_APPROVAL = re.compile(r"(文|批复|决定书|告知书)$")


def element_violations(item_code: str, content: ItemContent) -> Iterator[Violation]:
    """Every violation among the elements of an item."""
    yield from phrase_violations(content)
    yield from _names(content)
    yield from _standing(item_code, content)
    yield from _limits(content)
    yield from _visits(content)
    yield from _channels(content)
    yield from _fee(content)
    yield from _objects(content)
    yield from _villages(content)
    yield from _materials(content)
    yield from _result(content)


def _names(content: ItemContent) -> Iterator[Violation]:
    for n in _repeated([content.name, *content.aliases]):
        yield Violation(
            f"/aliases/{n - 1}",
            "alias-repeated",
            "别名与事项名称或另一个别名相同",
            "删去重复的别名",
        )
    for field in ("service_objects", "audiences", "accepts_at", "channels"):
        for n in _repeated(getattr(content, field)):
            yield Violation(f"/{field}/{n}", "value-repeated", "同一个值写了两次", "删去重复的值")


def _standing(item_code: str, content: ItemContent) -> Iterator[Violation]:
    if item_code.startswith(PROVISIONAL_PREFIX) != content.provisional:
        yield Violation(
            "/provisional",
            "provisional-code",
            "暂定事项的编码以 provisional: 开头，正式事项的编码不以它开头",
            "核对事项编码，或更正是否暂定",
        )
    if content.triage_class != TRIAGE[content.item_kind]:
        yield Violation(
            "/triage_class",
            "triage-of-kind",
            "村级分流类别与事项种类不一致",
            f"改为 {TRIAGE[content.item_kind]}，或更正事项种类",
        )
    if content.task_type == LICENSING and not content.questions:
        yield Violation(
            "/questions",
            "licence-needs-question",
            "行政许可至少要有一条常见问题",
            "补充一条常见问题和回答",
        )


def _limits(content: ItemContent) -> Iterator[Violation]:
    limits = content.limits
    for field in ("statutory_days", "promised_days"):
        if getattr(limits, field) == SENTINEL_DAYS:
            yield Violation(
                f"/limits/{field}",
                "sentinel-days",
                f"{SENTINEL_DAYS} 天是旧系统表示“没有时限”的代号，不是真实时限",
                "法定时限没有的留空；承诺时限写真实天数",
            )
    if (limits.statutory_days is None) != (limits.statutory_unit is None):
        yield Violation(
            "/limits/statutory_unit",
            "days-need-unit",
            "法定时限的天数和单位要么都写，要么都不写",
            "补上缺的一项，或两项都留空",
        )
    if (limits.project_kind is ProjectKind.immediate) != (limits.promised_days == 0):
        yield Violation(
            "/limits/project_kind",
            "immediate-is-zero-days",
            "即办件的承诺时限是 0 天，承诺件的承诺时限大于 0 天",
            "更正办件类型或承诺时限",
        )
    if limits.statutory_days is not None and _calendar_days(
        limits.promised_days, limits.promised_unit
    ) > _calendar_days(limits.statutory_days, limits.statutory_unit or limits.promised_unit):
        yield Violation(
            "/limits/promised_days",
            "promised-within-statutory",
            "承诺时限比法定时限还长",
            "把承诺时限缩短到法定时限以内",
        )


def _calendar_days(days: int, unit: TimeUnit) -> int:
    return ceil(days * CALENDAR_PER_WORKING_DAY) if unit is TimeUnit.working_days else days


def _visits(content: ItemContent) -> Iterator[Violation]:
    if content.visits > 0 and content.visit_reason is None:
        yield Violation(
            "/visit_reason",
            "visit-needs-reason",
            "要到现场，但没有说明原因",
            "写明为什么必须到现场",
        )
    if content.visits == 0:
        if content.visit_reason is not None:
            yield Violation(
                "/visit_reason",
                "no-visit-no-reason",
                "不用到现场，却写了到现场的原因",
                "删去原因，或更正到现场次数",
            )
        by_mail = content.elements is not None and "express" in content.elements.handling_forms
        if not by_mail and not REMOTE & set(content.channels):
            yield Violation(
                "/channels",
                "no-visit-needs-remote",
                "不用到现场，却没有网上、电话或自助的办理渠道，也不能快递申请",
                "补上一种不用到窗口的渠道或快递申请，或更正到现场次数",
            )


def _channels(content: ItemContent) -> Iterator[Violation]:
    channels = set(content.channels)
    if content.around_the_clock and not REMOTE & channels:
        yield Violation(
            "/around_the_clock",
            "day-and-night-needs-remote",
            "24 小时受理，却没有网上、电话或自助的办理渠道",
            "补上渠道，或更正是否 24 小时受理",
        )
    if content.agent_service != (Channel.agent in channels):
        yield Violation(
            "/agent_service",
            "agent-service-is-channel",
            "是否帮办代办与办理渠道不一致",
            "提供帮办代办的，渠道里要有 agent；不提供的，渠道里不要有",
        )


def _fee(content: ItemContent) -> Iterator[Violation]:
    fee = content.fee
    if fee.charged:
        for field, value in (("basis", fee.basis), ("entries", fee.entries)):
            if not value:
                yield Violation(
                    f"/fee/{field}",
                    "charge-needs-basis",
                    "收费事项要写明收费依据、收费项目和标准",
                    "补全，或改为不收费",
                )
    elif fee.basis or fee.entries or fee.online_payment:
        yield Violation(
            "/fee/charged",
            "free-has-no-fee",
            "不收费，却写了收费依据、项目或网上支付",
            "删去收费内容，或改为收费",
        )


def _objects(content: ItemContent) -> Iterator[Violation]:
    if content.audiences and ServiceObject.natural_person not in content.service_objects:
        yield Violation(
            "/audiences",
            "audience-is-people",
            "写了面向的人群，服务对象里却没有自然人",
            "在服务对象里加上自然人，或删去人群",
        )


def _villages(content: ItemContent) -> Iterator[Violation]:
    if not content.forbidden_to_villages:
        return
    if DivisionLevel.community in {content.level, *content.accepts_at}:
        yield Violation(
            "/forbidden_to_villages",
            "forbidden-to-villages",
            "不得交给村（社区）的事项，却由村（社区）办理或收件",
            "从办理层级和收件层级里去掉村（社区）",
        )


def _materials(content: ItemContent) -> Iterator[Violation]:
    for n in _repeated([material.code for material in content.materials]):
        yield Violation(
            f"/materials/{n}/code", "material-repeated", "同一份材料要了两次", "合并或删去其中一份"
        )
    for n, material in enumerate(content.materials):
        if material.necessity == "waivable" and material.source != "government":
            yield Violation(
                f"/materials/{n}/source",
                "waivable-is-government",
                "只有政府部门自己能查到的材料才可以免交",
                "更正材料来源，或改为容缺后补",
            )


def _result(content: ItemContent) -> Iterator[Violation]:
    named = (
        ResultKind.certificate if _CERTIFICATE.search(content.result.name)
        else ResultKind.approval if _APPROVAL.search(content.result.name)
        else None
    )  # fmt: skip
    if named is not None and content.result.kind is not named:
        yield Violation(
            "/result/kind",
            "result-kind-of-name",
            "结果类型与结果名称不一致：证照写 certificate，批文写 approval",
            f"改为 {named}，或更正结果名称",
        )


def _repeated(values: Iterable[object]) -> Iterator[int]:
    """Positions of values that were there before."""
    seen: Counter[object] = Counter()
    for position, value in enumerate(values):
        if seen[value]:
            yield position
        seen[value] += 1
