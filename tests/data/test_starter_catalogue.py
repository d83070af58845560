"""The starter catalogue is complete, consistent and usable as real forms."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

DATA = Path(__file__).parents[2] / "data"

REQUIRED = {
    "item_code", "name", "aliases", "summary", "provisional", "source", "supply_category",
    "function", "item_kind", "triage_class", "task_type", "service_objects", "department",
    "level", "accepts_at", "channels", "around_the_clock", "agent_service", "limits", "visits",
    "fee", "materials", "form", "ui", "result", "questions", "forbidden_to_villages",
}  # fmt: skip
OPTIONAL = {"audiences", "visit_reason"}
CHOICES: dict[str, set[str]] = {
    "supply_category": {
        "health", "medical-insurance", "employment-social-insurance", "social-services",
        "culture-sport-education", "production", "daily-life", "environment", "police-legal",
        "emergency-psychology",
    },
    "function": {"for-people", "convenience", "safety"},
    "task_type": {"05", "07", "10", "20"},
    "level": {"county", "township", "village"},
}  # fmt: skip
TRIAGE = {
    "government-service": "government-public",
    "village-public": "village-public",
    "personal-convenience": "villager-personal",
}
MANY_CHOICES: dict[str, set[str]] = {
    "service_objects": {
        "natural-person", "enterprise", "public-institution", "social-organisation",
        "government-organ", "other-organisation",
    },
    "audiences": {
        "children", "disabled", "elderly", "families", "farmers", "graduates", "job-seekers",
        "left-behind", "low-income", "migrant-workers", "patients", "unemployed", "veterans",
        "women",
    },
    "accepts_at": {"county", "township", "village"},
    "channels": {
        "portal", "mini-program", "window", "self-service-terminal", "telephone", "agent",
    },
}  # fmt: skip
REMOTE = {"portal", "mini-program", "self-service-terminal", "telephone"}
WIDGETS = {
    "text", "textarea", "select", "radio", "checkboxes", "date", "time", "number", "switch",
}  # fmt: skip
MATERIAL = {
    "necessity": {"required", "optional", "deferrable", "waivable"},
    "source": {"applicant", "government"},
    "form": {"paper", "electronic", "both"},
}
# The request itself carries who applies; a form that asks again collects personal data twice.
ASKED_ELSEWHERE = re.compile(r"^(姓名|本人姓名|申请人.*|身份证号码?|手机号码?|电话|联系电话)$")
# Source: the checks used in real audits of implementation lists reject phrases that say nothing.
EMPTY_PHRASES = ("按规定执行", "按有关规定", "详见", "相关材料", "相关证明", "以实际为准", "暂无")
SUBSIDY = "provisional:disabled-living-allowance"

Item = dict[str, Any]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


FILES = sorted((DATA / "catalogue" / "items").glob("*.yaml"))
ITEMS: list[Item] = [item for path in FILES for item in load(path)]
DEPARTMENTS: dict[str, Item] = {row["code"]: row for row in load(DATA / "departments.yaml")}
BY_CODE: dict[str, Item] = {item["item_code"]: item for item in ITEMS}
each_item = pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["item_code"])


def validator(item: Item) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(item["form"], validate_formats=True)


def strings(value: Any) -> list[str]:
    """Every text of an item, at any depth."""
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value
    return (
        [s for child in children for s in strings(child)] if isinstance(value, dict | list) else []
    )


class TestWholeCatalogue:
    def test_holds_at_least_66_items(self):
        assert len(ITEMS) >= 66

    def test_codes_and_names_are_unique(self):
        assert len(BY_CODE) == len(ITEMS)
        assert len({item["name"] for item in ITEMS}) == len(ITEMS)

    def test_every_supply_category_has_items(self):
        assert {item["supply_category"] for item in ITEMS} == CHOICES["supply_category"]

    def test_files_stay_readable(self):
        for path in FILES:
            assert len(path.read_text(encoding="utf-8").splitlines()) < 1500, path.name

    @pytest.mark.parametrize("words", ["残疾", "补贴", "残补"])
    def test_two_characters_find_the_living_allowance(self, words):
        item = BY_CODE[SUBSIDY]
        assert words in item["name"] or any(words in alias for alias in item["aliases"])


@each_item
class TestItem:
    def test_has_exactly_the_agreed_keys(self, item):
        assert item.keys() >= REQUIRED
        assert item.keys() <= REQUIRED | OPTIONAL

    def test_is_provisional_and_names_its_source(self, item):
        assert re.fullmatch(r"provisional:[a-z0-9]+(-[a-z0-9]+)*", item["item_code"])
        assert item["provisional"] is True
        assert re.search(r"〔20\d\d〕\d+号|《.+》", item["source"])
        assert "“" in item["source"]

    def test_values_come_from_the_vocabularies(self, item):
        for key, allowed in CHOICES.items():
            assert item[key] in allowed, key
        for key, allowed in MANY_CHOICES.items():
            values = item.get(key, ["natural-person"] if key == "service_objects" else [])
            assert set(values) <= allowed, key
            assert len(values) == len(set(values)), key
        assert item["triage_class"] == TRIAGE[item["item_kind"]]
        assert item["service_objects"]
        assert item["accepts_at"]

    def test_says_something_in_every_text(self, item):
        for text in strings(item):
            assert text.strip()
            assert text != "其他"
            assert not any(phrase in text for phrase in EMPTY_PHRASES), text
        assert item["aliases"]
        assert item["summary"].endswith("。")
        assert item["questions"]
        assert all(q.keys() == {"question", "answer"} for q in item["questions"])

    def test_department_decides_where_the_item_says(self, item):
        department = DEPARTMENTS[item["department"]]
        if item["level"] == "county":
            assert "county" in department["levels"]
        if item["level"] == "village":
            assert item["department"] == "village-committee"
            assert item["item_kind"] != "government-service"

    def test_limits_agree_with_each_other(self, item):
        limits = item["limits"]
        assert limits.keys() == {
            "statutory_days", "statutory_unit", "promised_days", "promised_unit", "project_kind",
            "source", "provisional",
        }  # fmt: skip
        units = {"working-days", "calendar-days"}
        assert limits["promised_unit"] in units
        assert (limits["project_kind"] == "immediate") == (limits["promised_days"] == 0)
        assert limits["project_kind"] in {"immediate", "promised"}
        assert limits["promised_days"] >= 0
        assert limits["source"]
        assert limits["provisional"] is True
        assert (limits["statutory_days"] is None) == (limits["statutory_unit"] is None)
        if limits["statutory_days"] is not None:
            assert limits["statutory_unit"] == limits["promised_unit"]
            assert limits["promised_days"] <= limits["statutory_days"]

    def test_visits_and_channels_agree(self, item):
        assert item["visits"] >= 0
        assert ("visit_reason" in item) == (item["visits"] > 0)
        if item["visits"] == 0:
            assert REMOTE & set(item["channels"])
        if item["around_the_clock"]:
            assert REMOTE & set(item["channels"])
        assert ("agent" in item["channels"]) == item["agent_service"]
        assert item["forbidden_to_villages"] is False

    def test_is_free_of_charge(self, item):
        assert item["fee"] == {"charged": False}

    def test_result_kind_fits_its_name(self, item):
        result = item["result"]
        assert result.keys() == {"kind", "name"}
        assert result["kind"] in {"certificate", "approval", "other", "none"}
        if result["name"].endswith("证"):
            assert result["kind"] == "certificate"
        if re.search(r"(批复|决定书|告知书)$", result["name"]):
            assert result["kind"] == "approval"

    def test_materials_are_complete(self, item):
        codes = [material["code"] for material in item["materials"]]
        assert len(codes) == len(set(codes))
        for material in item["materials"]:
            keys = {"code", "name", "necessity", "source", "form", "copies"}
            assert material.keys() - {"note"} == keys
            for key, allowed in MATERIAL.items():
                assert material[key] in allowed
            assert material["copies"] >= 0
            if material["necessity"] == "waivable":
                # only what an authority holds can be checked online instead of asked for
                assert material["source"] == "government"

    def test_form_is_a_closed_json_schema(self, item):
        form = item["form"]
        jsonschema_rs.meta.validate(form)
        assert form["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert form["type"] == "object"
        assert form["additionalProperties"] is False
        assert 2 <= len(form["properties"]) <= 8
        assert form["required"]
        assert set(form["required"]) <= form["properties"].keys()
        checker = validator(item)
        assert not checker.is_valid({})
        assert not checker.is_valid({"no_such_field": 1})

    def test_form_fields_are_bounded_and_have_chinese_titles(self, item):
        for name, field in item["form"]["properties"].items():
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
            assert re.search(r"[\u4e00-\u9fff]", field["title"])
            assert not ASKED_ELSEWHERE.match(field["title"])
            match field["type"]:
                case "string":
                    assert field.keys() & {"enum", "pattern", "format", "maxLength"}, name
                case "integer" | "number":
                    assert field.keys() >= {"minimum", "maximum"}, name
                case "array":
                    assert field["items"]["enum"]
                    assert field["uniqueItems"] is True
                case other:
                    assert other == "boolean", name

    def test_screen_covers_the_form(self, item):
        names = item["form"]["properties"].keys()
        assert sorted(item["ui"]["order"]) == sorted(names)
        assert item["ui"]["widgets"].keys() == names
        assert set(item["ui"]["widgets"].values()) <= WIDGETS


# An invented person: the check digit of the identity number is wrong, so it is nobody's.
ANSWERS: Item = {
    "disability_certificate_number": "14080219560312001443",
    "disability_category": "肢体残疾",
    "disability_grade": "三级",
    "family_circumstance": "低保家庭",
    "payout_bank": "盐湖区农村商业银行解州支行",
    "bank_account_number": "6228480000000000001",
    "bank_account_holder": "王大友",
    "account_holder_relation": "本人",
}


class TestLivingAllowanceForm:
    def violations(self, **changed: Any) -> set[str]:
        errors = validator(BY_CODE[SUBSIDY]).iter_errors(ANSWERS | changed)
        return {"/".join(map(str, error.instance_path)) for error in errors}

    def test_accepts_a_real_application(self):
        assert self.violations() == set()

    @pytest.mark.parametrize(
        "number",
        ["140802195603120014", "14080219560312001483", "14080219560312001445", "x" * 20, ""],
    )
    def test_refuses_a_malformed_certificate_number(self, number):
        assert "disability_certificate_number" in self.violations(
            disability_certificate_number=number
        )

    @pytest.mark.parametrize(
        ("field", "value"), [("disability_category", "视力残疾"), ("disability_grade", "一级")]
    )
    def test_refuses_an_answer_that_contradicts_the_certificate(self, field, value):
        assert self.violations(**{field: value}) == {"disability_certificate_number"}

    def test_names_every_violation_at_once(self):
        found = self.violations(family_circumstance="富裕", bank_account_number="12 34", extra=1)
        assert found == {"family_circumstance", "bank_account_number", ""}

    def test_needs_every_answer(self):
        assert set(BY_CODE[SUBSIDY]["form"]["required"]) == ANSWERS.keys()
