import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import DivisionLevel
from services.requests.cases.effects import EFFECTS
from services.requests.cases.rules import (
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
from services.requests.routing.rules import Matter, Rule, route

ACTORS = st.frozensets(st.sampled_from(Actor))
STEPS = st.lists(st.tuples(st.sampled_from(Action), ACTORS), max_size=30)


class TestTransitions:
    @given(STEPS)
    def test_no_path_leaves_the_table(self, steps):
        state, has_notice, notices = CaseState.received, False, 0
        for action, actors in steps:
            facts = Facts(state, has_notice, has_unit=True)
            if refusal(action, facts, actors) is not None:
                continue
            assert state not in FINAL
            transition = TRANSITIONS[action]
            assert transition.actors & actors
            if action is Action.request_correction:
                has_notice, notices = True, notices + 1
            state = transition.target
        assert notices <= 1

    def test_every_state_can_be_reached_and_left_unless_final(self):
        reached = {CaseState.received} | {t.target for t in TRANSITIONS.values()}
        left = {source for t in TRANSITIONS.values() for source in t.sources}
        assert reached == set(CaseState)
        assert left == set(CaseState) - FINAL

    def test_every_action_has_an_effect_but_the_clock_s(self):
        assert set(EFFECTS) == set(Action) - {Action.deem_accepted}

    def test_permission_is_told_before_possibility(self):
        facts = Facts(CaseState.completed, has_notice=True, has_unit=True)
        assert refusal(Action.accept, facts, frozenset()) is Refusal.wrong_actor
        assert refusal(Action.accept, facts, frozenset({Actor.window})) is Refusal.wrong_state

    @given(st.sampled_from(CaseState), st.booleans(), st.booleans(), ACTORS)
    def test_possible_lists_exactly_what_is_not_refused(self, state, notice, unit, actors):
        facts = Facts(state, notice, unit)
        assert possible(facts, actors) == [a for a in Action if not refusal(a, facts, actors)]


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
