"""Rules compiled and checked: equal to looking at them one by one, and honest about what is wrong."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.values import DivisionLevel, division_covers
from services.requests.routing.checking import find_conflicts, find_uncovered, find_unreachable
from services.requests.routing.matcher import compile_rules
from services.requests.routing.rules import Matter, Rule, Window
from tests.requests.test_rules import MATTER, UNITS, rule

PLACES = ["140000000000", "140800000000", "140802000000", "140802001000", "140802001001",
          "140821000000"]  # fmt: skip
ITEMS, CHANNELS = ["x:1", "x:2", "x:3"], ["window", "portal"]
RULES = st.lists(
    st.builds(
        lambda priority, items, places, channels, kind: {
            "priority": priority,
            "match": {"item_codes": items, "divisions": places, "channels": channels},
            "target": {"kind": "named-unit", "unit": f"140802000000:{kind}"},
        },
        st.integers(0, 3),
        st.lists(st.sampled_from(ITEMS), max_size=2, unique=True),
        st.lists(st.sampled_from(PLACES), max_size=2, unique=True),
        st.lists(st.sampled_from(CHANNELS), max_size=1),
        st.sampled_from(["health", "civil-affairs"]),
    ),
    max_size=8,
).map(lambda many: [Rule(name=f"规则{n}", **each) for n, each in enumerate(many)])
HOURS = st.sampled_from([time(0), time(8, 30), time(12), time(17, 30), time(23, 59, 59)])
WINDOWS = st.builds(
    lambda days, opens, closes: Window(weekdays=tuple(days), opens=opens, closes=closes),
    st.lists(st.integers(1, 7), max_size=3, unique=True),
    HOURS,
    HOURS,
)
EVERYTHING = [
    Matter(item, "health", DivisionLevel.county, "k", place, channel=channel)
    for item in [*ITEMS, "x:9"]
    for place in [*PLACES, "140802001002", "140821100200"]
    for channel in CHANNELS
]


def matches(each: Rule, matter: Matter) -> bool:
    m = each.match
    return (
        (not m.item_codes or matter.item_code in m.item_codes)
        and (not m.channels or matter.channel in m.channels)
        and (
            not m.divisions
            or any(division_covers(outer, matter.division_code) for outer in m.divisions)
        )
    )


class TestCompiled:
    @settings(max_examples=60, deadline=None)
    @given(RULES)
    def test_masks_decide_as_looking_at_every_rule_does(self, rules):
        matcher = compile_rules(rules, 1)
        for matter in EVERYTHING:
            first = next((each for each in matcher.rules if matches(each, matter)), None)
            quick = matcher.route(matter, UNITS)
            assert quick.rule == (first.name if first else None)
            whole = matcher.route(matter, UNITS, whole=True)
            assert (whole.rule, whole.unit_code) == (quick.rule, quick.unit_code)
            fired = matcher.rules.index(first) if first else len(rules)
            assert len(whole.skipped) == fired

    @settings(max_examples=60, deadline=None)
    @given(RULES)
    def test_unreachable_rules_never_fire_and_conflicts_are_real(self, rules):
        matcher = compile_rules(rules, 1)
        fired = {matcher.route(matter, UNITS).rule for matter in EVERYTHING}
        dead = {name for name, _ in find_unreachable(matcher)}
        assert not dead & fired
        by_name = {each.name: each for each in rules}
        told = set(find_conflicts(matcher))
        for first, second in told:
            a, b = by_name[first], by_name[second]
            assert a.priority == b.priority
            assert a.target != b.target
            assert any(matches(a, m) and matches(b, m) for m in EVERYTHING)
        for a in matcher.rules:
            for b in matcher.rules[matcher.rules.index(a) + 1 :]:
                overlap = any(matches(a, m) and matches(b, m) for m in EVERYTHING)
                if a.priority == b.priority and a.target != b.target and overlap:
                    assert (a.name, b.name) in told

    @given(WINDOWS, WINDOWS)
    def test_windows_overlap_when_both_hold_at_some_moment(self, first, second):
        edges = {first.opens, first.closes, second.opens, second.closes}
        monday = datetime(2026, 11, 16, tzinfo=UTC)
        moments = [
            datetime.combine(monday + timedelta(days=n), at) for n in range(7) for at in edges
        ]
        both = any(first.holds(at) and second.holds(at) for at in moments)
        assert first.overlaps(second) == second.overlaps(first) == both

    def test_rules_at_different_hours_do_not_conflict(self):
        def conflicts(**window):
            day = Window(opens="08:30", closes="17:30")
            rules = [
                rule(1, "上班", department="health", window=day),
                rule(1, "其他", department="civil-affairs", **window),
            ]
            return find_conflicts(compile_rules(rules, 1))

        assert conflicts(window=Window(opens="17:31", closes="08:29")) == []
        assert conflicts(window=Window(opens="17:00", closes="20:00")) == [("上班", "其他")]
        assert conflicts() == [("上班", "其他")]

    def test_what_nothing_covers_is_listed(self):
        matcher = compile_rules([rule(1, "只管一件", item_codes=["x:1"])], 1)
        uncovered = find_uncovered(EVERYTHING, lambda m: matcher.route(m, UNITS).rule)
        assert {matter.item_code for matter in uncovered} >= {"x:2", "x:3", "x:9"}


class TestTargets:
    def aimed(self, target, *, load=None, at=None, **match):
        rules = [
            Rule.model_validate({"priority": 1, "name": "一", "match": match, "target": target}),
            rule(9, "兜底", department="civil-affairs"),
        ]
        matter = replace(MATTER, at=at)
        return compile_rules(rules, 1).route(matter, UNITS, load=load)

    def test_queue(self):
        decision = self.aimed({"kind": "queue"})
        assert (decision.unit_code, decision.rule) == (None, "一")

    def test_lead_and_parallel_units(self):
        county = "140802000000"
        lead = {"kind": "named-unit", "unit": f"{county}:health"}
        other = {"kind": "unit", "level": "county", "department": "civil-affairs"}
        decision = self.aimed({"kind": "parallel", "lead": lead, "others": [other, lead]})
        assert (decision.unit_code, decision.parallel) == (
            f"{county}:health",
            (f"{county}:civil-affairs",),
        )
        nobody = {"kind": "named-unit", "unit": f"{county}:nobody"}
        decision = self.aimed({"kind": "parallel", "lead": lead, "others": [nobody]})
        assert decision.rule == "兜底"

    def test_escalation_goes_one_level_up(self):
        decision = self.aimed({"kind": "escalation"})
        assert decision.skipped == (("一", "单位 140800000000:health 尚未登记"),)

    def test_a_unit_with_too_much_to_do_is_passed_over(self):
        health = {"kind": "named-unit", "unit": "140802000000:health"}
        busy = self.aimed(health, load={"140802000000:health": 6}, max_unit_load=5)
        idle = self.aimed(health, load={"140802000000:health": 5}, max_unit_load=5)
        assert (busy.rule, idle.rule) == ("兜底", "一")

    @pytest.mark.parametrize(
        ("at", "holds"),
        [
            ("2026-11-20T09:00", True),
            ("2026-11-20T18:00", False),
            ("2026-11-21T09:00", False),
        ],
    )
    def test_time_windows(self, at, holds):
        window = {"weekdays": [1, 2, 3, 4, 5], "opens": "08:30:00", "closes": "17:30:00"}
        health = {"kind": "named-unit", "unit": "140802000000:health"}
        decision = self.aimed(health, at=datetime.fromisoformat(f"{at}+08:00"), window=window)
        assert (decision.rule == "一") == holds

    def test_a_window_over_midnight(self):
        night = Window.model_validate({"opens": "22:00:00", "closes": "06:00:00"})
        at = datetime.fromisoformat
        assert night.holds(at("2026-11-20T23:00+08:00"))
        assert night.holds(at("2026-11-20T05:00+08:00"))
        assert not night.holds(at("2026-11-20T12:00+08:00"))
