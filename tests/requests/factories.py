"""Valid objects of the requests service; every argument may be overridden."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.catalogue import ItemPublished
from contracts.facilities import DivisionRecorded

VILLAGE = "140802001001"
OTHER_COUNTY_VILLAGE = "140821100200"
COUNTY_UNIT = "140802000000:civil-affairs"
TOWNSHIP_WINDOW = "140802001000:one-window"
ITEM_CODE = "provisional:disabled-living-allowance"
OFFICIAL_CODE = "12441500196720244T3442199806003"
PERSON = {"name": "王大友", "identity_number": "11010519491231002X", "mobile": "13700009050"}

FORM: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "category": {"title": "残疾类别", "type": "string", "enum": ["肢体残疾", "视力残疾"]},
        "grade": {"title": "残疾等级", "type": "string", "enum": ["三级", "四级"]},
        "account": {"title": "银行账号", "type": "string", "pattern": "^[0-9]{12,19}$"},
    },
    "required": ["category", "grade"],
    "additionalProperties": False,
}
ANSWERS = {"category": "肢体残疾", "grade": "三级", "account": "6225750000001496"}


def make_item(**overrides: Any) -> ItemPublished:
    values: dict[str, Any] = {
        "item_id": uuid4(),
        "item_code": ITEM_CODE,
        "version": 1,
        "name": "困难残疾人生活补贴",
        "summary": "给生活困难的残疾人发放的补贴",
        "division_code": "140800000000",
        "supply_category": "social-services",
        "item_kind": "government-service",
        "triage_class": "government-public",
        "task_type": "05",
        "department": "civil-affairs",
        "level": "county",
        "accepts_at": ["community", "township", "county"],
        "channels": ["portal", "mini-program", "window"],
        "limits": {
            "project_kind": "promised",
            "promised_days": 20,
            "promised_unit": "working-days",
        },
        "materials": [
            {"code": "certificate", "name": "残疾人证", "necessity": "required"},
            {"code": "photo", "name": "照片", "necessity": "optional"},
        ],
        "form": FORM,
        "provisional": True,
        "effective_on": date(2026, 1, 1),
        "recorded_at": datetime.now(UTC),
    }
    return ItemPublished.model_validate(values | overrides)


def make_division(code: str, name: str, **overrides: Any) -> DivisionRecorded:
    values: dict[str, Any] = {
        "code": code,
        "name": name,
        "level": "community",
        "parent_code": code[:9] + "000",
        "community_kind": "village",
        "valid_from": None,
        "valid_until": None,
        "recorded_at": datetime.now(UTC),
    }
    return DivisionRecorded.model_validate(values | overrides)


def make_request(**overrides: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "division_code": VILLAGE,
        "channel": "mini-program",
        "applicant": dict(PERSON),
        "items": [{"item_code": ITEM_CODE, "answers": dict(ANSWERS), "materials": []}],
    }
    return values | overrides


def key() -> dict[str, str]:
    return {"Idempotency-Key": f"test-{UUID(int=uuid4().int)}"}
