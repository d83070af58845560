from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exchange.notices.rules import fields_of, fill, redact, shown


def part(given, text, otherwise=""):
    return SimpleNamespace(given=given, text=text, otherwise=otherwise)


class TestFill:
    def test_dates_are_written_for_people(self):
        assert fill("到{day}", {"day": date(2026, 12, 1)}, parts={}) == "到2026年12月1日"

    def test_a_part_speaks_when_its_field_holds_something(self):
        parts = {"due": part("due_on", "{due_on}前办结", "日期待定")}
        assert fill("{due}", {"due_on": date(2026, 1, 2)}, parts=parts) == "2026年1月2日前办结"
        assert fill("{due}", {"due_on": None}, parts=parts) == "日期待定"

    def test_lists_write_a_line_for_each_entry(self):
        line = SimpleNamespace(text="{name}{unit}", parts={"unit": part("unit", "（{unit}）")})
        values = {"cases": [{"name": "甲", "unit": "民政局"}, {"name": "乙", "unit": None}]}
        assert fill("{cases}", values, parts={}, each={"cases": line}) == "甲（民政局）\n乙"

    def test_texts_in_a_row_are_joined_without_their_stops(self):
        assert shown("missing", ("身份证复印件。", "户口簿；")) == "身份证复印件；户口簿"

    @given(st.text())
    def test_what_people_wrote_is_never_read_as_a_template(self, words):
        assert fill("{unit_name}", {"unit_name": words}, parts={}) == words


class TestRedact:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("请补身份证140802199001011234", "请补身份证1****************4"),
            ("证号14080219900101123X不清楚", "证号1****************X不清楚"),
            ("旧证号140802900101123", "旧证号1*************3"),
            ("卡号6222021001122334455有误", "卡号6*****************5有误"),
            ("请回电13812345678。", "请回电138****5678。"),
            ("请回电138 1234-5678。", "请回电138****5678。"),
            ("电话13812345678、13987654321", "电话138****5678、139****4321"),
        ],
    )
    def test_numbers_of_people_are_masked(self, text, masked):
        assert redact(text) == masked

    @pytest.mark.parametrize(
        "text",
        [
            "办件编号 140802-261122-00017-01",
            "请拨打 12345 或 0359-2012345、03592012345、4001234567",
            "2026年12月21日前，共 1200 元",
            "统一社会信用代码 11140802MB1234567X",
        ],
    )
    def test_other_numbers_stay(self, text):
        assert redact(text) == text


class TestFieldsOf:
    def test_names_in_order(self):
        assert fields_of("{b}、{a}、{{c}}") == ["b", "a"]

    @pytest.mark.parametrize("text", ["{", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}"])
    def test_anything_but_a_name_is_refused(self, text):
        with pytest.raises(ValueError, match=r".*"):
            fields_of(text)
