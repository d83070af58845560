"""Rules of national elements and codes: each is broken by one change and names its remedy."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from services.catalogue.codes import schemes
from services.catalogue.codes.tables import Unknown, codes_of, decode, encode, load
from services.catalogue.codes.tables import schemes as table_schemes
from services.catalogue.items import rules
from services.catalogue.items.publishing import content_hash, stored
from tests.catalogue.factories import (
    COUNTY,
    IMPLEMENTATION,
    make_elements,
    make_material,
    parse_content,
)

USCC = IMPLEMENTATION[:18]


def national(elements=None, **overrides):
    """An item of the national list with one change."""
    values = {"department": "civil-affairs", "elements": make_elements() | (elements or {})}
    return parse_content(**(values | overrides))


def found(content, code=IMPLEMENTATION, division=COUNTY):
    return {(each.rule, each.path) for each in rules.violations(code, content, division)}


def broken(content, **more) -> set[str]:
    return {rule for rule, _ in found(content, **more)}


class TestElements:
    def test_a_complete_item_breaks_none(self):
        assert found(national()) == set()
        assert found(national({"examination": "accept-then-approve"})) == set()

    @pytest.mark.parametrize(
        ("change", "rule", "path"),
        [
            ({"basis": None}, "national-element-required", "/elements/basis"),
            ({"steps": []}, "national-element-required", "/elements/steps"),
            ({"online": {"entirely": True}}, "online-needs-no-visit", "/visits"),
            ({"handling_forms": ["window"]}, "online-is-form", "/elements/handling_forms"),
            (
                {"consult_telephones": ["4022222"]},
                "telephone-needs-area-code",
                "/elements/consult_telephones/0",
            ),
            (
                {"complaint_telephones": ["0359-4022222"]},
                "complaint-is-not-consult",
                "/elements/complaint_telephones/0",
            ),
            (
                {"legal_person_topics": ["设立"]},
                "topics-of-objects",
                "/elements/legal_person_topics",
            ),
            (
                {"examination": "on-the-spot"},
                "examination-of-kind",
                "/elements/examination",
            ),
            ({"accept_conditions": "按规定执行"}, "says-nothing", "/elements/accept_conditions"),
        ],
    )
    def test_one_change_breaks_one_rule(self, change, rule, path):
        visits = {"visits": 1, "visit_reason": "当面核对"}
        assert found(national(change, **visits)) == {(rule, path)}

    def test_without_coming_there_must_be_another_way(self):
        changed = {"handling_forms": ["window"], "online": None}
        assert "no-visit-needs-form" in broken(national(changed))
        by_mail = {"handling_forms": ["window", "express"], "online": None}
        window = {"channels": ["window"], "around_the_clock": False, "agent_service": False}
        assert found(national(by_mail, **window)) == set()
        neither = found(national(changed, **window))
        assert ("no-visit-needs-remote", "/channels") in neither

    def test_a_licence_names_its_steps_and_a_certificate_its_sample(self):
        licence = national(task_type="01", result={"kind": "certificate", "name": "许可证"})
        assert {"licence-needs-steps", "result-needs-sample"} <= broken(licence)
        assert "licence-needs-steps" in broken(parse_content(task_type="01"), code="51203600700")

    def test_materials_follow_the_situations(self):
        situation = {
            "key": "who",
            "question": "谁来办？",
            "choices": [{"key": "self", "name": "本人"}, {"key": "agent", "name": "代办人"}],
        }
        material = make_material(when=["agent"])
        assert found(national(situations=[situation], materials=[material])) == set()
        wrong = make_material(when=["other"])
        assert "when-of-choice" in broken(national(situations=[situation], materials=[wrong]))
        assert "choice-repeated" in broken(
            national(situations=[situation, situation | {"key": "b"}])
        )

    def test_what_an_item_does_not_say_leaves_its_digest_alone(self):
        plain = parse_content()
        assert {"elements", "situations"}.isdisjoint(stored(plain))
        assert content_hash(plain) == content_hash(parse_content(situations=[], elements=None))
        assert content_hash(plain) != content_hash(national())


class TestCodes:
    @pytest.mark.parametrize(
        ("codes", "rule"),
        [
            ({"implementation": IMPLEMENTATION + "0"}, "code-of-scheme"),
            ({"basic": "512036007"}, "code-of-scheme"),
            ({"basic": "1405110001"}, "code-generations-mixed"),
            ({"basic": "140511000002"}, "code-parts-agree"),
            ({"handling": "9" * 33}, "code-of-scheme"),
        ],
    )
    def test_one_change_breaks_one_rule(self, codes, rule):
        content = national({"codes": make_elements()["codes"] | codes})
        code = content.elements.codes.handling or content.elements.codes.implementation
        assert rule in broken(content, code=code)

    def test_parts_say_what_the_item_says(self):
        assert "code-says-type" in broken(national(task_type="07"))
        assert "code-says-level" in broken(national(level="township"))
        assert "code-says-province" in broken(national(), division="440000000000")
        body = make_elements()["body"] | {"uscc": "12441500196720244T"}
        assert "code-parts-agree" in broken(national({"body": body}))

    def test_a_lower_case_number_is_told_with_its_remedy(self):
        body = make_elements()["body"] | {"uscc": USCC.lower()}
        (violation,) = rules.violations(IMPLEMENTATION, national({"body": body}), COUNTY)
        assert (violation.rule, violation.remedy) == ("uscc-upper-case", f"改为 {USCC}")

    def test_the_code_of_the_item_is_the_lowest(self):
        assert broken(national(), code="provisional:x") >= {"item-code-is-lowest"}
        only = make_elements()["codes"] | {
            "implementation": None,
            "handling": IMPLEMENTATION + "01",
        }
        wrong = broken(national({"codes": only}), code=IMPLEMENTATION + "01")
        assert "handling-needs-implementation" in wrong

    @pytest.mark.parametrize(
        ("kind", "code", "province", "scheme"),
        [
            ("basic", "512036007001", "51", "national-12"),
            ("implementation", "12441500196720244T3442199806003", "44", "national-12"),
            ("basic", "XK12345678", "52", "guizhou-2018"),
            ("implementation", "511A0138000000-511602000000-000-115113010833722043-1-00", "51", "sichuan"),
            ("basic", "4201010010100101", "42", "hubei-16"),
        ],
    )  # fmt: skip
    def test_codes_seen_in_the_country_are_read(self, kind, code, province, scheme):
        assert scheme in [reading.scheme for reading in schemes.read(kind, code, province)]
        if scheme != "national-12":
            other = [reading.scheme for reading in schemes.read(kind, code, "14")]
            assert scheme not in other

    @given(st.text(alphabet="0123456789ABCX-", max_size=40))
    @settings(max_examples=60)
    def test_no_code_is_judged_by_its_length_alone(self, code):
        for kind in schemes.KINDS:
            for reading in schemes.read(kind, code, "14"):
                assert reading.scheme in schemes.schemes_of("14")


class TestTables:
    def test_the_same_number_differs_by_scheme(self):
        assert decode("use-level", "6") == "community"
        assert isinstance(decode("use-level", "6", "early"), Unknown)
        assert decode("service-object", "5") == "government-organ"
        assert decode("service-object", "5", "platform") == "unincorporated-enterprise"
        assert decode("task-type", "02") == "02"
        assert decode("task-type", "02", "zhejiang") == "03"
        assert decode("handling-form", "3", "early") == "express"

    @pytest.mark.parametrize("code", ["01", "1", "04", "20", "99"])
    def test_a_code_no_source_explains_is_not_read_as_the_national_one(self, code):
        unknown = decode("task-type", code, "zhejiang")
        assert isinstance(unknown, Unknown)
        assert "浙江的 01、04、20 是什么没有查到出处" in unknown.allowed
        assert "02 行政强制" in unknown.allowed

    @pytest.mark.parametrize(("word", "value"), [("行政许可", "01"), ("公共服务", "20")])
    def test_what_a_scheme_has_no_code_for_goes_out_and_comes_in_as_a_word(self, word, value):
        assert encode("task-type", value, "zhejiang") == word
        assert decode("task-type", word, "zhejiang") == value

    def test_words_names_and_short_codes_are_read(self):
        assert decode("task-type", "行政给付") == decode("task-type", "5") == "05"
        assert (
            decode("use-level", "镇(乡、街道)级") == decode("use-level", "township") == "township"
        )
        unknown = decode("task-type", "77")
        assert isinstance(unknown, Unknown)
        assert "05 行政给付" in unknown.allowed

    def test_every_code_comes_back_as_it_went_out(self):
        for name, table in load().items():
            for scheme in table_schemes():
                for value in filter(None, codes_of(name, scheme).values()):
                    assert decode(name, encode(name, value, scheme), scheme) == value
            for value in table.labels:
                assert decode(name, table.labels[value]) == value

    def test_the_departments_are_those_of_the_reference_data(self, departments):
        pairs = {each["department_pair"]: each["code"] for each in departments}
        pairs.pop(None, None)
        assert codes_of("department", "gb39046") == pairs


@pytest.fixture
def departments():
    return yaml.safe_load(Path("data/departments.yaml").read_text(encoding="utf-8"))


def test_the_sample_number_is_a_real_one():
    assert uscc.is_valid(USCC)
