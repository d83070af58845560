"""Valid records of facilities, and who may write them."""

from typing import Any

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


async def recorded(service: Any, headers: dict[str, str] | None = None, **overrides: Any) -> Any:
    """Record a facility and return the answer's body."""
    answer = await service.client.post(
        "/v1/facilities", json=facility(**overrides), headers=headers or manager()
    )
    assert answer.status_code == 201, answer.text
    return answer.json()
