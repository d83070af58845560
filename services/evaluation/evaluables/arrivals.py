"""What events tell of cases, written all at once at the end of their transaction.

A consumer takes a hundred events in one transaction. Each of them renews the copy of its case and may
open a service to rating; written one by one that is six statements an event, and most of the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import EvaluationOpened
from contracts.requests import CaseAccepted, CaseCompleted, CaseEvent, RequestSubmitted
from servicekit.database import before_commit, to_json
from servicekit.identifiers import new_id
from servicekit.outbox import now, record
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables.openings import Done, Opening
from services.evaluation.evaluables.rules import open_until
from services.evaluation.facts import EvaluableFacts
from services.evaluation.metrics import OPENED
from services.evaluation.models import SERVICE_NAMES, ServiceNumber
from services.evaluation.scores import service as scores

#: Versions of cases begin here.
SUBMITTED_VERSION = 1
_NAME = "evaluables.arrivals"
_COPIED = {
    "case_id": "uuid",
    "case_version": "int",
    "case_number": "text",
    "request_id": "uuid",
    "applicant_id": "uuid",
    "item_id": "uuid",
    "item_code": "text",
    "item_name": "text",
    "unit_code": "text",
    "unit_name": "text",
    "division_code": "text",
}
_OPENED = {
    "id": "uuid",
    "case_id": "uuid",
    "service_number": "int",
    "applicant_id": "uuid",
    "unit_code": "text",
    "unit_name": "text",
    "handler_id": "uuid",
    "handler_name": "text",
    "served_at": "timestamptz",
    "opened_at": "timestamptz",
    "open_until": "date",
}
#: The event's own where it tells of them, else those of the submission.
_PLACES = {"window_code": "text", "facility_id": "uuid", "service_channel": "text"}


def _rows(types: Mapping[str, str]) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({columns})"


_COPY = text(
    f"INSERT INTO case_copy AS c ({', '.join(_COPIED)}) SELECT {', '.join(_COPIED)} "  # noqa: S608
    f"FROM {_rows(_COPIED)} ORDER BY case_id "
    "ON CONFLICT (case_id) DO UPDATE SET case_version = excluded.case_version, "
    "item_name = excluded.item_name, unit_code = excluded.unit_code, "
    "unit_name = excluded.unit_name, division_code = excluded.division_code "
    "WHERE c.case_version < excluded.case_version"
)
_SUBMITTED = {
    "case_id": "uuid",
    "channel": "text",
    "window_code": "text",
    "facility_id": "uuid",
}
_SUBMIT = text(
    "UPDATE case_copy c SET service_channel = r.channel, window_code = r.window_code, "  # noqa: S608
    f"facility_id = r.facility_id FROM {_rows(_SUBMITTED)} WHERE c.case_id = r.case_id"
)
_COMPLETED = {
    "case_id": "uuid",
    "case_version": "int",
    "completed_on": "date",
    "due_on": "date",
    "handler_name": "text",
    "handler_id": "uuid",
}
_COMPLETE = text(
    "UPDATE case_copy c SET completed_version = r.case_version, completed_on = r.completed_on, "  # noqa: S608
    "promised_on = r.due_on, handler_name = r.handler_name, handler_id = r.handler_id "
    f"FROM {_rows(_COMPLETED)} "
    "WHERE c.case_id = r.case_id AND coalesce(c.completed_version, 0) < r.case_version"
)
_OPEN = text(
    f"INSERT INTO evaluable ({', '.join((*_OPENED, *_PLACES))}) "  # noqa: S608
    f"SELECT {', '.join(f'r.{name}' for name in _OPENED)}, "
    f"{', '.join(f'coalesce(r.{name}, c.{name})' for name in _PLACES)} "
    f"FROM {_rows({**_OPENED, **_PLACES})} JOIN case_copy c USING (case_id) ORDER BY r.id "
    "ON CONFLICT (case_id, service_number) DO NOTHING RETURNING id"
)
_TAKEN_UP = {
    "case_id": "uuid",
    "service_number": "int",
    "handler_id": "uuid",
    "handler_name": "text",
    "window_code": "text",
    "facility_id": "uuid",
}
_BY_WHOM = [name for name in _TAKEN_UP if name not in ("case_id", "service_number")]
_TAKE_UP = text(
    f"UPDATE evaluable e SET {', '.join(f'{name} = coalesce(e.{name}, r.{name})' for name in _BY_WHOM)} "  # noqa: S608
    f"FROM {_rows(_TAKEN_UP)} "
    "WHERE e.case_id = r.case_id AND e.service_number = r.service_number RETURNING e.id"
)
_OF_CASES = text("SELECT id FROM evaluable WHERE case_id = ANY(:case_ids)")


@dataclass
class _Arrivals:
    """What the events of one transaction told."""

    #: The newest state of each case.
    cases: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    #: The newest completion of each case.
    completed: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    opened: dict[UUID, tuple[EvaluableFacts, Opening, datetime]] = field(default_factory=dict)
    #: Who took which service of a case up, as it was told first.
    taken_up: dict[tuple[UUID, ServiceNumber], dict[str, Any]] = field(default_factory=dict)


def copy_case(session: AsyncSession, event: CaseEvent) -> None:
    """Keep the local copy of a case; what is older than the copy changes nothing."""
    _keep_newest(_of(session).cases, event.model_dump(include=set(_COPIED)))


def open_submitted(
    session: AsyncSession, event: RequestSubmitted, opening: Opening, supplement_days: int
) -> None:
    """Copy the cases of a submission, and open the service of each to rating."""
    arrivals = _of(session)
    shared = event.model_dump(include={"request_id", "applicant_id", "division_code"})
    places = event.model_dump(include={"channel", "window_code", "facility_id"})
    for case in event.cases:
        known = {**case.model_dump(), **shared, "case_version": SUBMITTED_VERSION}
        _keep_newest(arrivals.cases, {name: known[name] for name in _COPIED})
        arrivals.submitted.append({"case_id": case.case_id, **places})
        done = Done(
            case_id=case.case_id,
            case_number=case.case_number,
            applicant_id=event.applicant_id,
            item_id=case.item_id,
            item_name=case.item_name,
            unit_code=case.unit_code,
            unit_name=case.unit_name,
            division_code=event.division_code,
            occurred_at=event.occurred_at,
        )
        _open(arrivals, done, opening, supplement_days)


def open_service(
    session: AsyncSession, event: CaseEvent, opening: Opening, supplement_days: int
) -> None:
    """Open the service of a case that an event ended to rating, once.

    The period runs from the day of the invitation, so that late events cost residents nothing.
    """
    arrivals = _of(session)
    if isinstance(event, CaseCompleted):
        _keep_newest(arrivals.completed, event.model_dump())
    _open(arrivals, Done.of(event), opening, supplement_days)


def note_taken_up(
    session: AsyncSession, event: CaseAccepted, services: Sequence[ServiceNumber]
) -> None:
    """Keep who took a case up, and where, with the services that were opened before.

    What is known already stays: the window of the submission is the one the resident went to.
    """
    arrivals = _of(session)
    for service in services:
        row = event.model_dump(include=set(_TAKEN_UP)) | {"service_number": service}
        arrivals.taken_up.setdefault((event.case_id, service), row)


def _of(session: AsyncSession) -> _Arrivals:
    before_commit(session, _NAME, _write)
    arrivals: _Arrivals = session.info.setdefault(_NAME, _Arrivals())
    return arrivals


def _keep_newest(rows: dict[UUID, dict[str, Any]], row: dict[str, Any]) -> None:
    there = rows.get(row["case_id"])
    if there is None or there["case_version"] < row["case_version"]:
        rows[row["case_id"]] = row


def _open(arrivals: _Arrivals, done: Done, opening: Opening, supplement_days: int) -> None:
    opened_at = now()
    facts = EvaluableFacts(
        evaluable_id=new_id(),
        case_id=done.case_id,
        case_number=done.case_number,
        applicant_id=done.applicant_id,
        item_id=done.item_id,
        item_name=done.item_name,
        unit_code=done.unit_code,
        unit_name=done.unit_name,
        division_code=done.division_code,
        handler_name=done.handler_name,
        handler_id=done.handler_id,
        window_code=done.window_code,
        facility_id=done.facility_id,
        service_channel=None,
        service_number=opening.service,
        served_at=done.occurred_at,
        open_until=open_until(local_day(opened_at), supplement_days),
    )
    arrivals.opened[facts.evaluable_id] = (facts, opening, opened_at)


async def _write(session: AsyncSession) -> None:
    """Copies first, then what is opened by them; what is new is told in the order it came."""
    arrivals: _Arrivals = session.info.pop(_NAME)
    for statement, rows in (
        (_COPY, list(arrivals.cases.values())),
        (_SUBMIT, arrivals.submitted),
        (_COMPLETE, list(arrivals.completed.values())),
    ):
        if rows:
            await session.execute(statement, {"rows": to_json(rows)})
    if arrivals.completed:  # what was opened before counts as kept or late from now on
        for evaluable_id in await session.scalars(
            _OF_CASES, {"case_ids": list(arrivals.completed)}
        ):
            scores.touch(session, evaluable_id)
    await _write_opened(session, arrivals)
    if arrivals.taken_up:
        rows = list(arrivals.taken_up.values())
        for evaluable_id in await session.scalars(_TAKE_UP, {"rows": to_json(rows)}):
            scores.touch(session, evaluable_id)


async def _write_opened(session: AsyncSession, arrivals: _Arrivals) -> None:
    if not arrivals.opened:
        return
    rows = [_row(*each) for each in arrivals.opened.values()]
    inserted = set(await session.scalars(_OPEN, {"rows": to_json(rows)}))
    OPENED.inc(len(inserted))
    told = [each for evaluable_id, each in arrivals.opened.items() if evaluable_id in inserted]
    for facts, _, _ in told:
        scores.touch(session, facts.evaluable_id)
    await record(session, *(_event(*each) for each in told))


def _row(facts: EvaluableFacts, _: Opening, opened_at: datetime) -> dict[str, Any]:
    names = (_OPENED.keys() | _PLACES.keys()) - {"id", "opened_at"}
    row = {name: getattr(facts, name) for name in names}
    return row | {"id": facts.evaluable_id, "opened_at": opened_at}


def _event(facts: EvaluableFacts, opening: Opening, opened_at: datetime) -> EvaluationOpened:
    return EvaluationOpened(
        **facts.event_fields(opened_at),
        evaluable_id=facts.evaluable_id,
        service_number=facts.service_number,
        service_name=SERVICE_NAMES[opening.service],
        open_until=facts.open_until,
        invites=opening.invites,
    )
