"""Random lives of a case, on the table and its effects alone: nothing illegal, no running clock while paused."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.values import TimeUnit
from servicekit.auth import Caller
from services.requests.cases import acts
from services.requests.cases.effects import (
    EFFECTS,
    NEAR,
    PASSED,
    Acting,
    Corrected,
    Dossier,
    moment_of,
)
from services.requests.cases.rules import ENDED, TRANSITIONS, Action, Actor, refusal
from services.requests.cases.transitions import facts_of
from services.requests.clock.rules import WorkingCalendar
from services.requests.models import (
    CaseFollowUp,
    CaseOpinion,
    CasePause,
    CaseState,
    CorrectionNotice,
)

CALENDAR = WorkingCalendar(
    frozenset({2026, 2027, 2028, 2029}),
    {date(2026, 2, day): False for day in range(15, 24)} | {date(2026, 2, 14): True},
)
REASON = "依法需要"
BODIES: dict[Action, Any] = {
    Action.dispatch: acts.Dispatch(unit_code="140802000000:health"),
    Action.send_back: acts.SendBack(reason=REASON),
    Action.claim: acts.Claim(),
    Action.hand_over: acts.HandOver(account_id=UUID(int=2)),
    Action.put_back: acts.PutBack(),
    Action.request_correction: acts.RequestCorrection(missing=["照片"]),
    Action.answer_correction: acts.AnswerCorrection(),
    Action.lapse: None,
    Action.accept: acts.Accept(
        deferred=[acts.Deferred(material_code="photo", what="照片", days=5)],
        commitment=acts.Commitment(what="承诺属实", check_days=9),
    ),
    Action.refuse: acts.Refuse(reason=REASON, right_organ="县残联"),
    Action.review: acts.Review(opinion="属实"),
    Action.pause: acts.Pause(procedure="testing", reason=REASON, expected_days=7),
    Action.resume: acts.Resume(outcome="完成"),
    Action.extend: acts.Extend(days=10, reason=REASON),
    Action.transfer: acts.Transfer(unit_code="140802000000:health", reason=REASON),
    Action.transfer_out: acts.TransferOut(organ="省厅", reason=REASON),
    Action.consult: acts.Consult(unit_codes=["140802000000:health"], question=REASON),
    Action.give_opinion: acts.GiveOpinion(agrees=True, opinion="同意"),
    Action.hand_in: acts.HandIn(materials=[{"code": "photo"}]),
    Action.check_commitment: acts.CheckCommitment(kept=True, note=REASON),
    Action.decide: acts.Decide(granted=True),
    Action.complete: acts.Complete(result_code=0),
    Action.deliver: acts.Deliver(way="direct"),
    Action.withdraw: acts.Withdraw(),
    Action.void: acts.Void(result_code=3, reason=REASON),
    Action.reopen: acts.Reopen(reason=REASON),
    Action.archive: None,
    Action.reschedule: Corrected(2026, REASON, date(2026, 1, 1), date(2026, 12, 31), time(17, 30)),
}
CALLER = Caller(UUID(int=1), "staff", frozenset(), "", 0, unit="140802000000:health", name="某")
EVERYBODY = frozenset(Actor)
#: Actions that move a case on are drawn more often, so that lives get somewhere.
DRAWN = [*BODIES, Action.accept, Action.pause, Action.resume, Action.decide, Action.complete]
LIVES = st.lists(st.tuples(st.sampled_from(DRAWN), st.integers(0, 12)), max_size=40)


@dataclass
class Life:
    """A case in memory, changed as the engine changes rows."""

    unit: TimeUnit
    case: Any = None
    notices: list[Any] = field(default_factory=list)
    pauses: list[Any] = field(default_factory=list)
    opinions: list[Any] = field(default_factory=list)
    follow_ups: list[Any] = field(default_factory=list)
    timers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.case = SimpleNamespace(
            id=UUID(int=9), state=CaseState.received, unit_code="140802000000:civil-affairs",
            unit_name="民政局", assignee_id=None, first_taker_id=None, archived_on=None,
            extended_days=0, paused_days=0, paused_on=None, remaining_days=None, due_on=None,
            accepted_on=None, decided_on=None, result_code=None, promised_days=20,
            promised_unit=self.unit, reopened_times=0, routing={}, materials=[], received_on=None, light="green",
            submitted_at=datetime(2026, 1, 5, 2, tzinfo=UTC),
        )  # fmt: skip

    def dossier(self) -> Dossier:
        notice = self.notices[0] if self.notices else None
        return Dossier(self.case, notice, self.pauses, self.opinions, self.follow_ups)

    def take(self, action: Action, now: datetime) -> bool:
        body = BODIES[action]
        facts = facts_of(self.dossier(), now, grants=getattr(body, "granted", False))
        if refusal(action, facts, EVERYBODY) is not None:
            return False
        by = Acting(CALLER, {}, "同事")
        effect = EFFECTS[action](
            self.dossier(), body, moment_of(now, CALENDAR, time(17, 30), 10, by=by)
        )
        for name, value in effect.changes.items():
            setattr(self.case, name, value)
        self.case.state = TRANSITIONS[action].leads_to(CaseState(self.case.state))
        for write in effect.writes:
            self.write(write)
        self.timers -= set(effect.cancel)
        self.timers |= set(effect.timers)
        return True

    def write(self, write: Any) -> None:
        rows = {
            CorrectionNotice: self.notices,
            CasePause: self.pauses,
            CaseOpinion: self.opinions,
            CaseFollowUp: self.follow_ups,
        }[write.table]
        if write.where is None:
            blank = dict.fromkeys(write.table.model_fields)
            rows.append(SimpleNamespace(**(blank | write.values)))
            return
        for row in rows:
            if all(getattr(row, name) == value for name, value in write.where.items()):
                vars(row).update(write.values)


@settings(max_examples=150, deadline=None)
@given(LIVES, st.sampled_from(TimeUnit))
def test_no_life_reaches_an_illegal_state_and_no_clock_runs_while_paused(steps, unit):
    life = Life(unit)
    now = datetime(2026, 1, 5, 2, tzinfo=UTC)
    left = None
    for action, days in steps:
        now += timedelta(days=days)
        was = life.case.state
        if not life.take(action, now):
            continue
        case, today = life.case, now.date()
        assert was in TRANSITIONS[action].sources
        assert len(life.notices) <= 1
        paused = case.state == CaseState.paused
        assert paused == (case.paused_on is not None) == (life.dossier().open_pause is not None)
        if paused:
            assert case.due_on is None
            assert not life.timers & {NEAR, PASSED}
            left = case.remaining_days
        if action is Action.resume and unit is TimeUnit.working_days:
            since = max(today, case.accepted_on)  # accepted on a day off, it counts from the next
            assert CALENDAR.days_between(since, case.due_on, unit) == left
        if case.state == CaseState.accepted:
            days_allowed = case.promised_days + case.extended_days + case.paused_days
            assert case.due_on == CALENDAR.add(case.accepted_on, days_allowed, unit)
            assert {NEAR, PASSED} <= life.timers
        if case.state in ENDED:
            assert not life.timers & {NEAR, PASSED}
        if case.state == CaseState.decided and case.granted:
            assert all(opinion.agrees for opinion in life.opinions)
            assert not life.dossier().outstanding
