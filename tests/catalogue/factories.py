"""Valid contents of items; a test overrides what it is about."""

from itertools import count
from typing import Any
from uuid import UUID, uuid4

from contracts.evaluation import ScoreChanged
from contracts.values import RatingLevel
from servicekit.outbox import now
from services.catalogue.items.content import ItemContent
from services.catalogue.search.documents import AROUND_THE_CLOCK, Document, flags_of
from services.catalogue.words import spell_all

COUNTY = "140802000000"
CITY = "140800000000"
VILLAGE = "140802001005"
OTHER_COUNTY = "140821000000"

_numbers = count(1)
_revisions = count(1_000)


def make_form(**overrides: Any) -> dict[str, Any]:
    form = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "grade": {"type": "string", "title": "残疾等级", "enum": ["一级", "二级"]},
            "account": {"type": "string", "title": "银行账号", "pattern": "^[0-9]{12,19}$"},
        },
        "required": ["grade"],
        "additionalProperties": False,
    }
    return form | overrides


def make_limits(**overrides: Any) -> dict[str, Any]:
    limits = {
        "statutory_days": 30,
        "statutory_unit": "working-days",
        "promised_days": 10,
        "promised_unit": "working-days",
        "project_kind": "promised",
        "source": "县民政局承诺",
        "provisional": False,
    }
    return limits | overrides


def make_material(**overrides: Any) -> dict[str, Any]:
    material = {
        "code": "disability-certificate",
        "name": "残疾人证",
        "necessity": "waivable",
        "source": "government",
        "form": "both",
        "copies": 0,
        "note": "由办理部门网上核验",
    }
    return material | overrides


def make_content(**overrides: Any) -> dict[str, Any]:
    """What an item says, as an editor sends it."""
    content = {
        "name": "困难残疾人生活补贴",
        "aliases": ["残补", "两项补贴"],
        "summary": "家里困难的残疾人，可以申请每月一笔生活补贴。",
        "provisional": False,
        "source": "民发〔2022〕56号 二（四）",
        "supply_category": "social-services",
        "function": "for-people",
        "item_kind": "government-service",
        "triage_class": "government-public",
        "task_type": "05",
        "service_objects": ["natural-person"],
        "audiences": ["disabled", "low-income"],
        "department": "civil-affairs",
        "level": "county",
        "accepts_at": ["village", "township", "county"],
        "channels": ["portal", "window", "agent"],
        "around_the_clock": True,
        "agent_service": True,
        "limits": make_limits(),
        "visits": 0,
        "visit_reason": None,
        "fee": {"charged": False},
        "materials": [make_material()],
        "form": make_form(),
        "ui": {"order": ["grade", "account"], "widgets": {"grade": "radio"}},
        "result": {"kind": "other", "name": "补贴审核结果通知"},
        "questions": [{"question": "多久发一次？", "answer": "每月发一次。"}],
        "forbidden_to_villages": False,
    }
    return content | overrides


def make_item(**overrides: Any) -> dict[str, Any]:
    """A new item, with a code of its own."""
    identity = {"item_code": f"51203600{next(_numbers):04}", "division_code": COUNTY}
    return identity | make_content(**overrides)


def parse_content(**overrides: Any) -> ItemContent:
    return ItemContent.model_validate(make_content(**overrides))


def make_document(name: str, **overrides: Any) -> Document:
    """A document of the search index."""
    aliases = tuple(overrides.pop("aliases", ()))
    channels = overrides.pop("channels", ("portal",))
    audiences = overrides.pop("audiences", ())
    night = [AROUND_THE_CLOCK] if overrides.pop("around_the_clock", False) else []
    values: dict[str, Any] = {
        "item_id": uuid4(),
        "division_code": COUNTY,
        "name": name,
        "aliases": aliases,
        "summary": "一句简介。",
        "spelling": spell_all((name, *aliases)),
        "flags": flags_of([*channels, *audiences, *night]),
        "shown": {},
    }
    return Document(**(values | overrides))


def make_score(item_id: UUID | str, **overrides: Any) -> ScoreChanged:
    """Evaluation's event about an item's score."""
    values = {
        "subject_key": f"item:{item_id}",
        "subject_kind": "item",
        "subject_id": str(item_id),
        # Never one of another test: the index knows by revisions whether scores changed.
        "revision": next(_revisions),
        "counts": {RatingLevel.satisfied: 1},
        "rated": 1,
        "satisfaction_ratio": 1.0,
        "average_stars": 4.0,
        "recorded_at": now(),
    }
    return ScoreChanged(**(values | overrides))


#: 实施编码: body, level (4 = county), basic code (Shanxi, 行政给付, 民政).
IMPLEMENTATION = "11140802012345678L" + "4" + "140511000001"


def make_elements(**overrides: Any) -> dict[str, Any]:
    """National elements of the allowance, complete."""
    elements = {
        "codes": {"basic": IMPLEMENTATION[-12:], "implementation": IMPLEMENTATION},
        "basis": "《关于全面建立困难残疾人生活补贴和重度残疾人护理补贴制度的意见》（国发〔2015〕52号）",
        "power_source": "own-level",
        "body": {"name": "盐湖区民政局", "uscc": IMPLEMENTATION[:18], "kind": "statutory"},
        "handling_forms": ["window", "computer"],
        "accept_conditions": "本区户籍，持有残疾人证，享受最低生活保障。",
        "steps": [{"name": "受理"}, {"name": "审核"}, {"name": "发放"}],
        "online": {
            "app_single_sign_on": True,
            "depth": ["accept"],
            "address": "https://example.cn/x",
            "entirely": False,
        },
        "places": [{"address": "河东东街 1 号", "hours": "工作日 8:00—18:00"}],
        "consult_telephones": ["0359-4022222"],
        "complaint_telephones": ["12345"],
    }
    return elements | overrides
