"""Valid records of facilities, and who may write them."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from contracts.catalogue import ItemPublished
from contracts.envelope import Envelope, Event
from contracts.evaluation import CommunitySurveyed
from tests.support.tokens import bearer

CITY = "140800000000"
COUNTY = "140802000000"
OTHER_COUNTY = "140821000000"
TOWNSHIP = "140802001000"
COMMUNITY = "140802001001"
OTHER_COMMUNITY = "140802001002"
VILLAGE = "140802100200"

MORNING = {"opens": "08:30", "closes": "12:00"}
AFTERNOON = {"opens": "14:00", "closes": "18:30"}
WORKDAY = [MORNING, AFTERNOON]


def manager(division: str = COUNTY) -> dict[str, str]:
    return bearer("facility-manager", division=division, name="设施管理员")


def statistician(division: str = COUNTY) -> dict[str, str]:
    return bearer("statistician", division=division, name="统计员")


def workdays() -> dict[str, list[dict[str, str]]]:
    """Eight hours from Monday to Friday."""
    return dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), WORKDAY)


def facility(**overrides: Any) -> dict[str, Any]:
    """A community centre that is open."""
    values: dict[str, Any] = {
        "name": "中城社区党群服务中心",
        "facility_type": "party-mass-service-centre",
        "division_code": COMMUNITY,
        "address": "盐湖区解放北路 1 号",
        "phone": "0359-2012345",
        "total_area_m2": 600,
        "activity_area_m2": 380.5,
        "office_area_m2": 60,
        "position": {"latitude": 35.0228, "longitude": 111.0035, "crs": "CGCS2000"},
        "accessibility": {"ramp": True, "lift": False},
        "weekly_hours": workdays(),
        "state": "open",
    }
    if "latitude" in overrides:
        names = ("latitude", "longitude", "original_crs")
        latitude, longitude, crs = (overrides.pop(name, None) for name in names)
        values["position"] = {"latitude": latitude, "longitude": longitude, "crs": crs or "WGS-84"}
    return values | overrides


async def recorded(service: Any, headers: dict[str, str] | None = None, /, **overrides: Any) -> Any:
    """Record a facility and return the answer's body."""
    answer = await service.client.post(
        "/v1/facilities", json=facility(**overrides), headers=headers or manager()
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def item_event(**overrides: Any) -> ItemPublished:
    """An item of the catalogue as it is told."""
    values: dict[str, Any] = {
        "item_id": uuid4(),
        "item_code": "provisional:temporary-assistance",
        "version": 1,
        "name": "临时救助",
        "summary": "遇到急难的家庭和个人申请临时救助。",
        "division_code": CITY,
        "supply_category": "social-services",
        "item_kind": "government-service",
        "triage_class": "government-public",
        "task_type": "05",
        "department": "civil-affairs",
        "level": "county",
        "accepts_at": ["community", "township"],
        "channels": ["window", "portal"],
        "limits": {
            "project_kind": "promised",
            "promised_days": 10,
            "promised_unit": "working-days",
        },
        "materials": [{"code": "m1", "name": "居民身份证", "necessity": "required"}],
        "form": {"type": "object"},
        "provisional": True,
        "effective_on": "2026-01-01",
        "revision": 1,
        "recorded_at": datetime.now(UTC),
    }
    return ItemPublished.model_validate(values | overrides)


async def deliver(service: Any, handler: Any, event: Event, times: int = 1) -> None:
    """Hand an event to a consumer's function, as the bus does."""
    envelope = Envelope(uuid4(), event.event_type, event.source, event.key, datetime.now(UTC))
    for _ in range(times):
        async with service.database.transaction() as session:
            await handler(session, event, envelope)


def versioned(headers: dict[str, str], version: int = 1) -> dict[str, str]:
    return headers | {"If-Match": f'"{version}"'}


def surveyed(
    code: str, years_ago: int = 0, is_covered: bool = True, revision: int = 1
) -> CommunitySurveyed:
    """How far a community was surveyed, as it is told."""
    year = date.today().year + years_ago  # noqa: DTZ011
    return CommunitySurveyed(
        survey_key=f"survey:{code}:{year}", division_code=code, year=year, survey_ids=(uuid4(),),
        sampled=12, answered=7 if is_covered else 0, refused=0, unreached=0, is_covered=is_covered,
        revision=revision, recorded_at=datetime.now(UTC),
    )  # fmt: skip
