"""Departments, routing rules, rating tags, certificates and divisions hang together."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DATA = Path(__file__).parents[2] / "data"
Row = dict[str, Any]


def load(name: str) -> Any:
    return yaml.safe_load((DATA / name).read_text(encoding="utf-8"))


DEPARTMENTS: list[Row] = load("departments.yaml")
LEVELS: dict[str, list[str]] = {row["code"]: row["levels"] for row in DEPARTMENTS}
RULES: list[Row] = load("routing/default-rules.yaml")
ITEMS: list[Row] = [
    item
    for path in sorted((DATA / "catalogue" / "items").glob("*.yaml"))
    for item in yaml.safe_load(path.read_text(encoding="utf-8"))
]
UNIT_LEVEL = {"county": "county", "township": "township", "village": "community"}


def fires(rule: Row, item: Row) -> bool:
    asked = {
        "item_codes": item["item_code"],
        "departments": item["department"],
        "levels": item["level"],
        "item_kinds": item["item_kind"],
    }
    return all(asked[key] in allowed for key, allowed in rule["match"].items())


def first_rule(item: Row) -> Row:
    return next(rule for rule in RULES if fires(rule, item))


class TestDepartments:
    def test_rows_are_complete_and_unique(self):
        assert len(LEVELS) == len(DEPARTMENTS)
        for row in DEPARTMENTS:
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row["code"])
            assert row["name"]
            assert row["source"]
            assert row["provisional"] is True
            assert set(row["levels"]) <= {"city", "county", "township", "community"}
            assert row["department_pair"] is None or re.fullmatch(r"\d\d", row["department_pair"])

    def test_department_pairs_are_not_given_twice(self):
        pairs = [row["department_pair"] for row in DEPARTMENTS if row["department_pair"]]
        assert len(pairs) == len(set(pairs))

    @pytest.mark.parametrize(
        "code",
        ["disabled-federation", "civil-affairs", "human-resources", "medical-security", "health"],
    )
    def test_departments_others_rely_on_have_county_units(self, code):
        assert "county" in LEVELS[code]

    def test_front_offices_exist_once_per_level(self):
        assert LEVELS["one-window"] == ["township"]
        assert LEVELS["village-committee"] == ["community"]


class TestRoutingRules:
    def test_priorities_rise_and_sources_are_named(self):
        priorities = [rule["priority"] for rule in RULES]
        assert priorities == sorted(set(priorities))
        assert all(rule["source"] and rule["name"] for rule in RULES)

    def test_rules_name_known_items_and_departments(self):
        known = {item["item_code"] for item in ITEMS}
        for rule in RULES:
            assert set(rule["match"].get("item_codes", [])) <= known
            assert set(rule["match"].get("departments", [])) <= LEVELS.keys()
            assert rule["match"].keys() <= {"item_codes", "departments", "levels", "item_kinds"}

    @pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["item_code"])
    def test_every_item_reaches_an_existing_unit_of_its_own_level(self, item):
        target = first_rule(item)["target"]
        department = item["department"] if target["department"] == "item" else target["department"]
        assert target["level"] == item["level"]
        assert UNIT_LEVEL[target["level"]] in LEVELS[department]
        if item["level"] == "county":
            assert department == item["department"]

    def test_no_rule_is_dead(self):
        fired = {first_rule(item)["priority"] for item in ITEMS}
        assert fired == {rule["priority"] for rule in RULES}


class TestRatingTags:
    levels: list[Row] = load("evaluation/tags.yaml")["levels"]

    def test_levels_run_from_five_stars_to_one(self):
        assert [(row["level"], row["stars"]) for row in self.levels] == [
            ("very-satisfied", 5),
            ("satisfied", 4),
            ("fairly-satisfied", 3),
            ("dissatisfied", 2),
            ("very-dissatisfied", 1),
        ]
        assert [row["level"] for row in self.levels if row["negative"]] == [
            "dissatisfied",
            "very-dissatisfied",
        ]

    def test_each_level_has_eight_active_tags_of_which_three_are_base(self):
        for row in self.levels:
            active = [tag for tag in row["tags"] if not tag["retired"]]
            assert len(active) == 8
            assert [tag["base"] for tag in active] == [True] * 3 + [False] * 5
            assert all(tag["text"] for tag in active)

    def test_first_digit_of_a_code_is_its_level(self):
        codes = [tag["code"] for row in self.levels for tag in row["tags"]]
        assert len(codes) == len(set(codes))
        for row in self.levels:
            assert all(re.fullmatch(rf"{row['stars']}\d\d", tag["code"]) for tag in row["tags"])

    def test_retired_codes_stay_readable_without_an_invented_text(self):
        retired = [tag for row in self.levels for tag in row["tags"] if tag["retired"]]
        assert len(retired) == 32
        assert all(tag["text"] is None and tag["version"] == 1 for tag in retired)


class TestCertificates:
    def test_national_list_has_twenty_and_hubei_twenty_one(self):
        national, hubei = load("certificates/not-issued.yaml")
        names = {row["name"] for row in national["items"]}
        assert [row["number"] for row in national["items"]] == list(range(1, 21))
        assert len(names) == 20
        assert set(hubei["removed"]) <= names
        renamed = {row["from"]: row["to"] for row in hubei["renamed"]}
        assert renamed.keys() <= names
        kept = {renamed.get(name, name) for name in names - set(hubei["removed"])}
        assert len(kept | set(hubei["added"])) == hubei["total"] == 21


class TestDivisions:
    def test_the_tree_of_yuncheng_is_whole(self):
        with (DATA / "divisions" / "yuncheng.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        codes = {row["code"] for row in rows}
        assert len(codes) == len(rows) == 2571
        assert all(re.fullmatch(r"\d{12}", code) for code in codes)
        assert [row["level"] for row in rows if row["parent_code"] not in codes] == ["province"]
        assert sum(row["level"] == "county" for row in rows) == 13
        assert sum(row["level"] == "community" for row in rows) == 2395
