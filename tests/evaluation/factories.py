"""Cases, ratings and people of the evaluation tests."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import Envelope, Event
from contracts.facilities import CommunityFiguresRecorded, DivisionRecorded
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseEvent,
    CasePaid,
    CaseRefused,
    CorrectionAnswered,
    CorrectionRequested,
    RequestSubmitted,
    SubmittedCase,
)
from contracts.values import DivisionLevel, division_at, division_level
from servicekit import inbox
from services.evaluation.scores import recounts
from services.evaluation.worker import create_worker
from tests.support.service import RunningService
from tests.support.tokens import bearer, resident

COUNTY = "140802000000"
VILLAGE = "140802001005"
UNIT = f"{COUNTY}:disabled-federation"
OTHER_UNIT = f"{COUNTY}:civil-affairs"
ITEM_NAME = "困难残疾人生活补贴"


def handler(unit: str = UNIT, **claims) -> dict[str, str]:
    return bearer("handler", unit=unit, department=unit.partition(":")[2], **claims)


def supervisor(division: str = COUNTY, **claims) -> dict[str, str]:
    return bearer("supervisor", division=division, **claims)


def completed(case_version: int = 5, **values) -> CaseCompleted:
    return _case_event(
        CaseCompleted,
        case_version,
        {"result_code": 0, "completed_on": date(2026, 11, 20), "handler_name": "李办事"} | values,
    )


def paid(case_version: int = 4, **values) -> CasePaid:
    told = dict.fromkeys(("handler_name", "handler_id", "window_code", "facility_id"))
    fields = {"amount_cents": 4500, "paid_on": date(2026, 11, 12), **told} | values
    return _case_event(CasePaid, case_version, fields)


def accepted(case_version: int = 3, **values) -> CaseAccepted:
    return _case_event(CaseAccepted, case_version, {"accepted_on": date(2026, 11, 10)} | values)


def correction(case_version: int = 2, **values) -> CorrectionRequested:
    return _case_event(
        CorrectionRequested,
        case_version,
        {"missing": ("残疾证复印件",), "answer_by": date(2026, 11, 20)} | values,
    )


def refused(case_version: int = 2, **values) -> CaseRefused:
    return _case_event(
        CaseRefused, case_version, {"reason": "不属于本部门职权", "right_organ": None} | values
    )


def division(code: str, name: str = "某地", **values) -> DivisionRecorded:
    levels = list(DivisionLevel)
    level = division_level(code)
    above = levels[levels.index(level) - 1] if level is not DivisionLevel.province else None
    defaults: dict[str, Any] = {
        "code": code,
        "name": name,
        "level": level,
        "parent_code": division_at(code, above) if above else None,
        "community_kind": "village" if level is DivisionLevel.community else None,
        "valid_from": None,
        "valid_until": None,
        "recorded_at": datetime.now(UTC),
    }
    return DivisionRecorded(**(defaults | values))


def figures(code: str, households: int | None, year: int = 2025, **values):
    defaults: dict[str, Any] = {
        "figures_key": f"figures:{code}:{year}",
        "code": code,
        "year": year,
        "households": households,
        "residents": households * 3 if households else None,
        "revision": 1,
        "recorded_at": datetime.now(UTC),
    }
    return CommunityFiguresRecorded(**(defaults | values))


def answered(case_version: int = 3, **values) -> CorrectionAnswered:
    return _case_event(CorrectionAnswered, case_version, values)


def submitted(event: CaseEvent, **values) -> RequestSubmitted:
    """The submission in which the case of an event was handed in."""
    shared = ("request_id", "request_number", "applicant_id", "division_code", "occurred_at")
    case = SubmittedCase.model_validate(event.model_dump())
    defaults = {name: getattr(event, name) for name in shared}
    return RequestSubmitted(**(defaults | {"channel": "window", "cases": (case,)} | values))


def _case_event(event: type[CaseEvent], case_version: int, values: dict[str, Any]) -> Any:
    defaults: dict[str, Any] = {
        "request_id": uuid4(),
        "request_number": "140802-261110-00001",
        "applicant_id": uuid4(),
        "division_code": VILLAGE,
        "occurred_at": datetime.now(UTC),
        "case_id": uuid4(),
        "case_number": f"YC-{uuid4().hex[:12]}",
        "case_version": case_version,
        "item_id": uuid4(),
        "item_code": "yc-disabled-living-subsidy",
        "item_name": ITEM_NAME,
        "item_version": 1,
        "unit_code": UNIT,
        "unit_name": "盐湖区残疾人联合会",
        "due_on": date(2026, 11, 30),
    }
    return event(**(defaults | values))


async def all_pages(service: RunningService, path: str, headers=None) -> list[dict[str, Any]]:
    """The items of every page, one a page."""
    items: list[dict[str, Any]] = []
    joint, cursor = "&" if "?" in path else "?", ""
    while True:
        answer = await service.client.get(f"{path}{joint}limit=1{cursor}", headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= 1
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&after={page['next']}"


async def deliver(service: RunningService, event: Event, event_id: UUID | None = None) -> None:
    """Hand an event to every consumer that takes it, each in one transaction, as the bus does."""
    envelope = Envelope(
        id=event_id or uuid4(),
        type=event.event_type,
        source=event.source,
        subject=event.key,
        time=datetime.now(UTC),
    )
    for subscription in create_worker(service.settings).subscriptions:
        if type(event) not in subscription.handlers:
            continue
        async with service.database.transaction() as session:
            if await inbox.first_time(session, subscription.group, envelope.id):
                for handle in subscription.handlers[type(event)]:
                    await handle(session, event, envelope)


@dataclass
class Rated:
    """A finished case with its resident, and how to rate it."""

    service: RunningService
    event: CaseCompleted
    evaluable_id: str
    headers: dict[str, str] = field(repr=False)

    async def rate(self, level: str = "satisfied", *, headers=None, **values):
        body = {"evaluable_id": self.evaluable_id, "level": level, "channel": "mini-program"}
        return await self.service.client.post(
            "/v1/ratings", json=body | values, headers=headers or self.headers
        )

    async def again(self, level: str, **values):
        return await self.rate(level, assess_number=2, **values)


async def finish_case(service: RunningService, **values) -> Rated:
    """A case that was completed, and is open to rating."""
    event = completed(**values)
    await deliver(service, event)
    [row] = await service.fetch("SELECT id FROM evaluable WHERE case_id = $1", event.case_id)
    return Rated(service, event, str(row["id"]), resident(event.applicant_id))


async def open_matter(service: RunningService, **values) -> "Matter":
    """A case that got a bad rating."""
    case = await finish_case(service, **values)
    answer = await case.rate("dissatisfied", tags=["213"])
    assert answer.status_code == 201, answer.text
    matter = Matter(service, case, answer.json()["rectification"]["id"])
    service_unit = case.event.unit_code or UNIT
    matter.handler = handler(service_unit, account_id=uuid4(), name="王经办")
    return matter


@dataclass
class Matter:
    """A rectification, and the people who work on it."""

    service: RunningService
    case: Rated
    id: str
    handler: dict[str, str] = field(default_factory=dict, repr=False)
    supervisor: dict[str, str] = field(
        default_factory=lambda: supervisor(account_id=uuid4(), name="赵督办"), repr=False
    )

    async def read(self, headers=None):
        return await self.service.client.get(
            f"/v1/rectifications/{self.id}", headers=headers or self.handler
        )

    async def act(self, action: str, body: dict[str, Any], *, headers=None, version=None):
        if version is None:
            rows = await self.service.fetch(
                "SELECT version FROM rectification WHERE id = $1", UUID(self.id)
            )
            version = rows[0]["version"]
        return await self.service.client.post(
            f"/v1/rectifications/{self.id}/actions/{action}",
            json=body,
            headers=(headers or self.handler) | {"If-Match": f'"{version}"'},
        )

    async def call_back(self, *, headers=None, **body):
        return await self.act("call-back", body, headers=headers or self.supervisor)

    async def reply(self, reply: str = "已补齐材料样本并向您致歉。"):
        """Go on until the reply is given."""
        for action, body in (
            ("verify", {"note": "情况属实"}),
            ("fix-now", {"note": "当日更换样本"}),
            ("reply", {"reply": reply}),
        ):
            answer = await self.act(action, body)
            assert answer.status_code == 200, answer.text
        return answer

    async def state(self) -> str:
        rows = await self.service.fetch(
            "SELECT state FROM rectification WHERE id = $1", UUID(self.id)
        )
        return rows[0]["state"]


async def rate_many(service: RunningService, unit: str, levels: list[str]) -> list[Rated]:
    """Finished cases of a unit, each with a rating."""
    cases = [await finish_case(service, unit_code=unit) for _ in levels]
    for case, level in zip(cases, levels, strict=True):
        assert (await case.rate(level)).status_code == 201
    return cases


async def recounted(service: RunningService) -> list[str]:
    """What a recount, worked off as the worker does, had to correct."""
    async with service.database.transaction() as session:
        job = await recounts.ask(session, None)
    recounter = recounts.Recounter(service.database)
    while await recounter.step():
        pass
    rows = await service.fetch(
        "SELECT subject_kind || ':' || subject_id AS name FROM score_recount_difference "
        "WHERE recount_id = $1 ORDER BY 1",
        job.id,
    )
    async with service.database.reading() as session:
        ended = await recounts.get(session, job.id)
    assert (ended.state, ended.subjects_corrected) == ("finished", len(rows))
    return [row["name"] for row in rows]


async def assert_equal_to_a_recount(service: RunningService) -> None:
    """Nothing was lost or doubled."""
    assert await recounted(service) == []
