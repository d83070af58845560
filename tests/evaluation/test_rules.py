"""Pure rules: rating standing, tags, rectification transitions, working days, scores."""

from collections import Counter
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.values import RatingLevel
from services.evaluation.calendar.rules import CalendarMissing, WorkingCalendar
from services.evaluation.evaluables.rules import (
    EvaluableState,
    Given,
    Refusal,
    Standing,
    next_assess_number,
    refusal,
    state_of,
)
from services.evaluation.models import Origin, RectificationState
from services.evaluation.rectifications import rules as rectification
from services.evaluation.rectifications.rules import Action, Actor, Facts
from services.evaluation.scores.rules import Grain, Tally, percentile
from services.evaluation.seed import published_days
from services.evaluation.tags.rules import TagRefusal, first_reason, refused_tags

TODAY = date(2026, 11, 20)
LEVELS = st.sampled_from(RatingLevel)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


class TestStanding:
    given_before = Given(RatingLevel.satisfied, Origin.resident, TODAY)

    def test_open_on_the_last_day_and_closed_after_it(self):
        standing = Standing(open_until=TODAY)
        assert refusal(standing, 1, TODAY) is None
        assert refusal(standing, 1, TODAY + timedelta(days=1)) is Refusal.closed

    def test_reply_keeps_the_second_rating_open(self):
        standing = Standing(
            TODAY - timedelta(days=9),
            self.given_before,
            rectification=RectificationState.replied,
            rerate_until=TODAY,
        )
        assert refusal(standing, 2, TODAY) is None
        assert refusal(standing, 2, TODAY + timedelta(days=1)) is Refusal.closed

    def test_a_default_rating_is_none_to_add_to(self):
        first = Given(RatingLevel.satisfied, Origin.default, TODAY)
        standing = Standing(TODAY - timedelta(days=1), first)
        assert refusal(standing, 2, TODAY) is Refusal.no_first_rating
        assert state_of(standing, TODAY) is EvaluableState.closed

    @given(
        st.builds(
            Standing,
            DAYS,
            st.none() | st.builds(Given, LEVELS, st.sampled_from(Origin), DAYS),
            st.booleans(),
            st.none() | st.sampled_from(RectificationState),
            st.none() | DAYS,
        ),
        DAYS,
    )
    def test_never_a_third_rating_and_never_two_choices(self, standing, today):
        possible = [number for number in (1, 2) if refusal(standing, number, today) is None]
        assert len(possible) <= 1
        assert next_assess_number(standing, today) == (possible[0] if possible else None)
        if standing.first is not None:
            assert 1 not in possible
        if standing.second:
            assert 2 not in possible


KNOWN_TAGS = {
    "510": ("very-satisfied", False),
    "207": ("dissatisfied", False),
    "201": ("dissatisfied", True),
}


class TestTags:
    def test_every_reason_is_named(self):
        refused = refused_tags(["510", "207", "201", "999"], RatingLevel.dissatisfied, KNOWN_TAGS)
        assert refused == {
            TagRefusal.other_level: ["510"],
            TagRefusal.retired: ["201"],
            TagRefusal.unknown: ["999"],
        }
        assert first_reason(refused) is TagRefusal.unknown
        assert first_reason({}) is None


ANYBODY = frozenset(Actor)
#: What closes a matter whose rating counts no more, heard or not.
NO_LONGER_COUNTS = (Action.withdraw_rating, Action.exclude_rating)
STAFF = frozenset({Actor.handler, Actor.supervisor})


class TestTransitions:
    def test_every_action_has_its_transition(self):
        assert rectification.TRANSITIONS.keys() == set(Action)

    @given(
        st.sampled_from(Action),
        st.builds(
            Facts,
            st.sampled_from(RectificationState),
            st.booleans(),
            st.integers(0, 5),
            st.integers(1, 5),
            st.integers(-1, 2),
            st.booleans(),
            st.booleans(),
        ),
        st.frozensets(st.sampled_from(Actor)),
    )
    def test_whatever_is_not_in_the_table_is_refused(self, action, facts, actors):
        transition = rectification.TRANSITIONS[action]
        allowed = (
            facts.state in transition.sources
            and bool(transition.actors & actors)
            and not (rectification.Guard.another_person in transition.guards and facts.is_replier)
        )
        if action is Action.close_unreached:
            allowed = allowed and facts.missed_call_days >= facts.call_back_days
        if action is Action.extend:
            allowed = allowed and facts.extensions_left > 0 and not facts.is_overdue
        if rectification.Guard.undisputed in transition.guards:
            allowed = allowed and not facts.is_disputed
        assert (rectification.refusal(action, facts, actors) is None) == allowed

    @given(st.lists(st.tuples(st.sampled_from(Action), st.booleans()), max_size=60))
    def test_no_path_leaves_the_states_or_closes_unheard(self, attempts):
        state, missed, path = RectificationState.opened, 0, []
        for action, is_replier in attempts:
            facts = Facts(state, is_replier, missed, call_back_days=3)
            if rectification.refusal(action, facts, ANYBODY) is not None:
                continue
            state = rectification.TRANSITIONS[action].leads_to(state)
            path.append(action)
            missed = 0 if action is Action.reply else missed + (action is Action.miss_call)
            assert state in RectificationState
            if state is RectificationState.closed and action not in NO_LONGER_COUNTS:
                assert Action.reply in path
                assert action in (Action.confirm_solved, Action.close_unreached)
                assert action is Action.confirm_solved or missed >= 3

    def test_from_everywhere_there_is_a_way_to_the_end(self):
        ends = {RectificationState.closed}
        for _ in RectificationState:
            for transition in rectification.TRANSITIONS.values():
                if transition.target in ends and transition.actors & STAFF:
                    ends |= transition.sources
        assert ends == set(RectificationState)

    def test_only_supervisors_call_back(self):
        for action in rectification.CALL_BACK | {Action.close_unreached}:
            facts = Facts(RectificationState.replied, missed_call_days=9)
            refused = rectification.refusal(action, facts, frozenset({Actor.handler}))
            assert refused is rectification.Refusal.wrong_actor

    @pytest.mark.parametrize(
        ("reached", "solved", "outcome"),
        [
            (True, True, Action.confirm_solved),
            (True, False, Action.find_unsolved),
            (False, None, Action.miss_call),
            (True, None, None),
            (False, True, None),
            (False, False, None),
        ],
    )
    def test_solved_only_when_reached(self, reached, solved, outcome):
        assert rectification.call_back_outcome(reached=reached, solved=solved) is outcome

    def test_several_calls_of_one_day_count_once(self):
        assert rectification.missed_call_days(0, None, TODAY) == 1
        assert rectification.missed_call_days(1, TODAY, TODAY) == 1
        assert rectification.missed_call_days(1, TODAY - timedelta(days=1), TODAY) == 2

    def test_overdue_only_while_the_limit_runs(self):
        yesterday = TODAY - timedelta(days=1)
        opened, replied = RectificationState.opened, RectificationState.replied
        assert rectification.is_overdue(opened, yesterday, TODAY)
        assert not rectification.is_overdue(opened, TODAY, TODAY)
        assert not rectification.is_overdue(opened, None, TODAY)
        assert not rectification.is_overdue(replied, yesterday, TODAY)


CALENDAR = WorkingCalendar(
    frozenset(range(2004, 2027)), {day: worked for day, (worked, _) in published_days().items()}
)


class TestWorkingDays:
    @given(st.dates(date(2004, 1, 1), date(2026, 12, 31)))
    def test_as_published(self, day):
        assert CALENDAR.is_working(day) == chinese_calendar.is_workday(day)

    @pytest.mark.parametrize(
        ("start", "count", "due"),
        [
            (date(2026, 2, 12), 1, date(2026, 2, 13)),
            (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a worked Saturday before 春节
            (date(2026, 2, 13), 2, date(2026, 2, 24)),  # then nine days off
            (date(2026, 9, 30), 5, date(2026, 10, 13)),  # 国庆, and Saturday the 10th is worked
            (date(2026, 11, 20), 0, date(2026, 11, 20)),
            (date(2026, 11, 20), 5, date(2026, 11, 27)),
        ],
    )
    def test_day_zero_is_not_counted(self, start, count, due):
        assert CALENDAR.add(start, count) == due

    def test_a_missing_year_is_never_guessed(self):
        assert CALENDAR.add(date(2026, 12, 24), 5) == date(2026, 12, 31)
        with pytest.raises(CalendarMissing) as missing:
            CALENDAR.add(date(2026, 12, 25), 5)
        assert missing.value.year == 2027

    @given(st.dates(date(2004, 1, 1), date(2026, 6, 30)), st.integers(1, 60))
    def test_the_limit_ends_on_a_working_day_after_so_many(self, start, count):
        due = CALENDAR.add(start, count)
        span = [start + timedelta(days=n) for n in range(1, (due - start).days + 1)]
        assert CALENDAR.is_working(due)
        assert sum(CALENDAR.is_working(day) for day in span) == count


class TestScores:
    @given(st.lists(st.tuples(LEVELS, st.none() | LEVELS), max_size=40), st.integers(0, 5))
    def test_shares_and_means(self, ratings, defaults):
        first = Counter(first for first, _ in ratings)
        current = [again or first for first, again in ratings]
        tally = Tally(Counter(current), first, defaults)
        assert tally.rated == len(ratings) == sum(tally.first.values())
        assert tally.bad_first == sum(level.is_bad for level, _ in ratings)
        if not ratings:
            assert tally.satisfaction_ratio is tally.average_stars is None
            return
        assert tally.satisfaction_ratio == sum(not level.is_bad for level in current) / len(current)
        assert tally.average_stars == sum(level.stars for level in current) / len(current)

    def test_rates_have_no_value_without_anything_below_the_line(self):
        nothing, something = Tally(), Tally(opened=4, opened_rated=1, promised=2, kept=1)
        assert nothing.active_ratio is nothing.on_time_ratio is nothing.rectified_ratio is None
        assert (something.active_ratio, something.on_time_ratio) == (0.25, 0.5)
        matters = Tally(
            matters=4,
            matters_solved=3,
            matters_answered=2,
            matters_in_time=1,
            matters_called_back=4,
        )
        assert matters.rectified_ratio == 0.75
        assert matters.answered_in_time_ratio == 0.5
        assert matters.called_back_ratio == 1

    @given(st.lists(st.integers(0, 9), min_size=2, max_size=30), st.data())
    def test_percentile_is_the_share_of_others_outranked(self, floors, data):
        own = data.draw(st.sampled_from(floors))
        below = sum(floor < own for floor in floors)
        share = percentile(below, floors.count(own), len(floors))
        assert share is not None
        above = percentile(sum(floor > own for floor in floors), floors.count(own), len(floors))
        assert above is not None
        assert share + above == pytest.approx(1)
        assert 0 <= share <= 1

    def test_nobody_to_compare_with(self):
        assert percentile(0, 1, 1) is None

    def test_periods_are_named_by_their_first_day(self):
        assert Grain.day.first_day(TODAY) == TODAY
        assert Grain.month.first_day(TODAY) == date(2026, 11, 1)
        assert Grain.year.first_day(TODAY) == date(2026, 1, 1)
