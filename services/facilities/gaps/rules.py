"""What a village lacks and the cheapest way to close it; pure.

Thresholds are the targets of the indicators and the areas of 吉办发〔2016〕3号. The order of effort is
ours and provisional: no price of any of these is known here. Ways of getting a place: 新建、改建、扩建、
换购、划拨、租借 (吉办发〔2016〕3号, 国办发〔2021〕56号, 运政办发〔2023〕14号).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.facilities.gaps.duties import duties
from services.facilities.gaps.kinds import FIGURES, Effort, Gap, Stock, Way
from services.facilities.indicators.measures import (
    RURAL_CENTRE_M2,
    SQUARE_M2,
)

HOUSEHOLDS = 100


_OF_URBAN_COMMUNITIES = frozenset(
    {"households", "residents", "floor_area_m2", "workers", "certified_workers"}
)
_OF_VILLAGES = frozenset({"has_deliberation_list", "has_unified_forms"})


def gaps_of(
    fact: Mapping[str, Any],
    stock: Sequence[Stock],
    office_area_m2: float,
    targets: Mapping[str, float],
) -> list[Gap]:
    """Everything a village or community lacks, the cheapest to close first.

    `fact` is one row of the indicators' facts; `targets` are the target values that count here by
    indicator: where nobody set a target, nothing is short of it.
    """
    found = [
        *_missing(fact),
        *_centre(fact, stock),
        *_area(fact, stock, targets),
        *_activity(fact, office_area_m2, targets),
        *_services(fact, targets),
        *_organisations(fact, targets),
        *duties(fact, targets),
    ]
    return sorted(found, key=lambda gap: (gap.way.effort, -len(gap.indicators), gap.code))


def rank(gaps: Sequence[Gap], residents: int | None, asked_for: int) -> tuple[int, int, int]:
    """What puts a village before others: what residents asked for, gaps, and how many live there."""
    real = sum(gap.way.effort > Effort.record for gap in gaps)
    return (-asked_for, -real, -(residents or 0))


def _missing(fact: Mapping[str, Any]) -> Iterator[Gap]:
    needed = {
        "village": tuple(name for name in FIGURES if name not in _OF_URBAN_COMMUNITIES),
        "urban_community": tuple(name for name in FIGURES if name not in _OF_VILLAGES),
    }[fact["kind"]]  # fmt: skip
    names = [name for name in needed if fact[name] is None]
    if names:
        yield Gap(
            "figures-missing",
            (),
            f"年度数据没有统计：{'、'.join(FIGURES[name] for name in names)}",
            Way("record-figures", Effort.record, "补录年度数据"),
            short_by=len(names),
            unit="figures",
        )
    if fact["unmeasured_centres"] or fact["centres_without_activity"]:
        yield Gap(
            "areas-missing",
            (),
            "综合服务设施没有登记建筑面积或居民活动区域面积",
            Way("record-areas", Effort.record, "补登设施面积"),
        )
    if fact["centres"] > fact["timed_centres"]:
        yield Gap(
            "hours-missing",
            (),
            "综合服务设施没有登记开放时间",
            Way("record-hours", Effort.record, "补登开放时间"),
        )


def _centre(fact: Mapping[str, Any], stock: Sequence[Stock]) -> Iterator[Gap]:
    if fact["centres"] == 0:
        codes: tuple[str, ...] = ("urban-facility-coverage",)
        if fact["kind"] == "village":
            codes = ("rural-facility-coverage", "village-facility-coverage")
        if fact["is_resettlement"]:
            codes = (*codes, "resettlement-coverage")
        yield Gap("no-centre", codes, "没有启用的综合服务设施", _way_to_a_centre(stock))


def _way_to_a_centre(stock: Sequence[Stock]) -> Way:
    """The cheapest way to a centre out of what is there."""
    ways = [Way("build-centre", Effort.build, "新建，或换购、划拨、租借场所")]
    for place in stock:
        if place.is_centre and place.state == "repair":
            ways.append(Way("reopen", Effort.rearrange, f"修好并恢复“{place.name}”"))
        elif place.is_centre and place.state == "building":
            ways.append(Way("finish", Effort.equip, f"建成并启用“{place.name}”"))
        elif place.state == "open" and place.is_shared:
            ways.append(Way("share", Effort.equip, f"与驻区单位共用“{place.name}”"))
        elif place.state == "open" and (place.total_area_m2 or 0) >= RURAL_CENTRE_M2:
            ways.append(Way("convert", Effort.reuse, f"利用“{place.name}”，一室多用"))
    return min(ways, key=lambda way: way.effort)


def _area(
    fact: Mapping[str, Any], stock: Sequence[Stock], targets: Mapping[str, float]
) -> Iterator[Gap]:
    if fact["centres"] == 0 or fact["unmeasured_centres"]:
        return
    target = targets.get("area-per-100-households")
    if fact["kind"] == "village":
        short = RURAL_CENTRE_M2 - float(fact["largest_centre"])
        codes, words = ("rural-centre-area-met",), f"综合服务设施不足 {RURAL_CENTRE_M2} 平方米"
    elif target is not None and fact["households"] is not None:
        short = target * fact["households"] / HOUSEHOLDS - float(fact["centre_area"])
        codes, words = ("area-per-100-households",), f"每百户面积不足 {target:g} 平方米"
    else:
        return
    if short > 0:
        room = [
            place
            for place in stock
            if place.state == "open" and (place.total_area_m2 or 0) >= short
        ]
        way = Way("extend", Effort.build, "扩建，或换购、划拨、租借场所")
        if room:
            way = Way("convert", Effort.reuse, f"利用“{room[0].name}”，一室多用")
        yield Gap("area-short", codes, words, way, short_by=round(short, 2), unit="m2")


def _activity(
    fact: Mapping[str, Any], office_area_m2: float, targets: Mapping[str, float]
) -> Iterator[Gap]:
    target = targets.get("activity-area-share")
    if target is None or fact["measured_area"] == 0:
        return
    short = target * float(fact["measured_area"]) - float(fact["activity_area"])
    if short > 0:
        way = Way("extend-activity", Effort.reuse, "改造布局，增加居民活动区域")
        if office_area_m2 >= short:
            way = Way("give-office-space", Effort.rearrange, "压缩办公面积，腾给居民活动")
        yield Gap(
            "activity-area-short",
            ("activity-area-share",),
            f"居民活动区域不足总面积的 {target:.0%}",
            way,
            short_by=round(short, 2),
            unit="m2",
        )


def _services(fact: Mapping[str, Any], targets: Mapping[str, float]) -> Iterator[Gap]:
    is_village = fact["kind"] == "village"
    if fact["timed_centres"] > fact["full_hours_centres"]:
        yield Gap(
            "hours-short",
            ("full-hours-share",),
            "有的开放日不足 8 小时",
            Way("extend-hours", Effort.rearrange, "延长开放时间，轮流值守"),
        )
    if fact["centres"] and not fact["agent_windows"] and "agent-service-coverage" in targets:
        yield Gap(
            "no-agent-window",
            ("agent-service-coverage",),
            "没有帮办代办窗口",
            Way("open-agent-window", Effort.rearrange, "在现有综合服务设施里设帮办代办窗口"),
        )
    if not is_village and not fact["terminals"] and "self-service-coverage" in targets:
        yield Gap(
            "no-terminal",
            ("self-service-coverage",),
            "没有政务通用自助服务一体机",
            Way("install-terminal", Effort.equip, "布设一台自助服务一体机"),
        )
    if is_village and not fact["cooperatives"] and "cooperative-coverage" in targets:
        yield Gap(
            "no-cooperative",
            ("cooperative-coverage",),
            "没有农村综合服务社",
            Way("open-cooperative", Effort.equip, "引入供销综合服务社设点"),
        )
    if is_village and float(fact["largest_square"] or 0) < SQUARE_M2:
        if fact["unmeasured_squares"]:
            return
        has_one = fact["largest_square"] is not None
        way = Way("build-square", Effort.build, "建设文化活动广场")
        if has_one:
            way = Way("enlarge-square", Effort.reuse, "扩大现有广场")
        short = SQUARE_M2 - float(fact["largest_square"] or 0)
        yield Gap(
            "square-short",
            ("rural-square-area-met",),
            f"文化活动广场不足 {SQUARE_M2} 平方米",
            way,
            short_by=short,
            unit="m2",
        )


def _organisations(fact: Mapping[str, Any], targets: Mapping[str, float]) -> Iterator[Gap]:
    code = "organisations-per-urban-community"
    if fact["kind"] == "village":
        code = "organisations-per-rural-community"
    known, target = fact["social_organisations"], targets.get(code)
    if target is not None and known is not None and known < target:
        yield Gap(
            "few-organisations",
            (code,),
            f"社区社会组织少于 {target:g} 个",
            Way("found-organisations", Effort.equip, "培育社区社会组织"),
            short_by=target - known,
            unit="organisations",
        )
