import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import DivisionLevel
from services.requests.cases.bodies import BODIES
from services.requests.cases.effects import EFFECTS
from services.requests.cases.rules import (
    ENDED,
    FINAL,
    TRANSITIONS,
    Action,
    Actor,
    Facts,
    Refusal,
    possible,
    refusal,
)
from services.requests.models import CaseState
from services.requests.routing.matcher import compile_rules
from services.requests.routing.rules import Matter, Rule

ACTORS = st.frozensets(st.sampled_from(Actor))
FACTS = st.builds(Facts, state=st.sampled_from(CaseState), opinions_wanted=st.integers(0, 2))


class TestTransitions:
    def test_every_state_can_be_reached_and_left_unless_final(self):
        moves = [t for t in TRANSITIONS.values() if t.target is not None]
        reached = {CaseState.received} | {t.target for t in moves}
        left = {source for t in moves for source in t.sources if source != t.target}
        assert reached == set(CaseState)
        assert left == set(CaseState) - FINAL

    def test_every_action_has_an_effect_and_those_of_people_a_body(self):
        assert set(EFFECTS) == set(Action) - {Action.deem_accepted}
        by_people = {a for a, t in TRANSITIONS.items() if t.actors != {Actor.system}}
        assert set(BODIES) == by_people

    def test_permission_is_told_before_possibility(self):
        facts = Facts(CaseState.completed, has_notice=True, has_unit=True)
        assert refusal(Action.accept, facts, frozenset()) is Refusal.wrong_actor
        assert refusal(Action.accept, facts, frozenset({Actor.window})) is Refusal.wrong_state

    @given(FACTS, ACTORS)
    def test_possible_lists_exactly_what_is_not_refused(self, facts, actors):
        assert possible(facts, actors) == [a for a in Action if not refusal(a, facts, actors)]

    @given(FACTS, st.sampled_from(Action))
    def test_what_is_over_stays_over_unless_reopened(self, facts, action):
        everybody = frozenset(Actor)
        if facts.state in ENDED and refusal(action, facts, everybody) is None:
            after = TRANSITIONS[action].leads_to(facts.state)
            assert after in ENDED or action is Action.reopen


def rule(priority, name, level="county", department="item", **match):
    return Rule.model_validate(
        {
            "priority": priority,
            "name": name,
            "match": match,
            "target": {"level": level, "department": department},
        }
    )


MATTER = Matter("x:1", "health", DivisionLevel.county, "government-service", "140802001001")


def route(rules, version, matter, units, **more):
    return compile_rules(rules, version).route(matter, units, whole=True, **more)


UNITS = {"140802000000:health", "140802000000:civil-affairs", "140802001000:one-window"}


class TestRouting:
    def test_first_match_wins_and_the_others_say_why_not(self):
        rules = [
            rule(1, "别的事项", item_codes=["x:2"]),
            rule(2, "别的区域", divisions=["140821000000"]),
            rule(3, "本县卫健"),
            rule(4, "兜底", department="civil-affairs"),
        ]
        decision = route(rules, 7, MATTER, UNITS)
        assert (decision.unit_code, decision.rule) == ("140802000000:health", "本县卫健")
        assert [reason for _, reason in decision.skipped] == ["事项不在规则内", "区域不在规则内"]
        assert decision.rule_set_version == 7

    def test_a_unit_that_does_not_exist_is_passed_over(self):
        rules = [
            rule(1, "没有的单位", department="nobody"),
            rule(2, "窗口", "township", "one-window"),
        ]
        assert route(rules, 1, MATTER, UNITS).unit_code == "140802001000:one-window"

    def test_nothing_matches_and_the_dispatch_queue_has_it(self):
        decision = route([rule(1, "别的", departments=["education"])], 1, MATTER, UNITS)
        assert decision.unit_code is None
        assert decision.skipped == (("别的", "主管部门不在规则内"),)

    def test_a_matter_of_a_whole_county_cannot_go_to_a_township(self):
        matter = Matter("x:1", "health", DivisionLevel.county, "a", "140802000000")
        decision = route([rule(1, "窗口", "township", "one-window")], 1, matter, UNITS)
        assert decision.unit_code is None

    @pytest.mark.parametrize("level", list(DivisionLevel))
    def test_units_lie_on_the_applicant_s_own_chain(self, level):
        class Everything(set):
            def __contains__(self, code):
                return True

        decision = route([rule(1, "任意", level, "any")], 1, MATTER, Everything())
        assert decision.unit_code is not None
        prefix = decision.unit_code.split(":")[0].rstrip("0")
        assert MATTER.division_code.startswith(prefix)
