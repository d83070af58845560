"""Value types: what they take, what they refuse, and which way they count."""

from datetime import UTC, datetime, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from stdnum.cn import ric

from contracts import values
from contracts.values import (
    SIGNIFICANT_DIGITS,
    DivisionCode,
    DivisionLevel,
    IdentityNumber,
    MobileNumber,
    RatingLevel,
    RequestNumber,
    UnitCode,
    Uscc,
    division_at,
    division_covers,
    division_level,
    division_prefix,
)

IDENTITY_NUMBER = TypeAdapter(IdentityNumber)
DIVISION_CODE = TypeAdapter(DivisionCode)
USCC = TypeAdapter(Uscc)
VILLAGE = "140802100216"


class EarlyMorning:
    """One o'clock at night in China, while it is still yesterday in UTC."""

    @staticmethod
    def now(zone: tzinfo) -> datetime:
        return datetime(2026, 11, 22, 17, tzinfo=UTC).astimezone(zone)


def identity_number(area: str, birth: str, serial: str = "001") -> str:
    """A made-up number with the right check digit."""
    digits = f"{area}{birth}{serial}"
    return digits + ric.calc_check_digit(digits + "0")


def refused(adapter: TypeAdapter, value: str) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return caught.value.errors()[0]["msg"]


class TestIdentityNumber:
    @pytest.mark.parametrize(
        "area",
        ["140802", pytest.param("142701", id="retired: 运城地区 before 2000"), "999999"],
    )
    def test_any_area_prefix_is_taken(self, area):
        number = identity_number(area, "19900307")
        assert IDENTITY_NUMBER.validate_python(number) == number

    def test_spaces_full_width_and_small_x_are_folded(self):
        number = next(
            candidate
            for serial in range(100)
            if (candidate := identity_number("140802", "19900307", f"{serial:03}")).endswith("X")
        )
        wide = number.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
        for written in (number.lower(), f" {number[:6]} {number[6:]} ", wide):
            assert IDENTITY_NUMBER.validate_python(written) == number

    def test_every_wrong_check_digit_is_refused(self):
        number = identity_number("140802", "19900307")
        for digit in set("0123456789X") - {number[-1]}:
            assert "校验码" in refused(IDENTITY_NUMBER, number[:-1] + digit)

    @given(position=st.integers(6, 16), digit=st.sampled_from("0123456789"))
    def test_one_wrong_digit_is_always_noticed(self, position, digit):
        number = identity_number("140802", "19900307", "482")
        mistyped = number[:position] + digit + number[position + 1 :]
        if mistyped != number:
            refused(IDENTITY_NUMBER, mistyped)

    @pytest.mark.parametrize("birth", ["19900230", "19901301", "19900100", "20230229"])
    def test_a_date_that_does_not_exist_is_refused(self, birth):
        assert "不存在" in refused(IDENTITY_NUMBER, identity_number("140802", birth))

    def test_a_birth_in_the_future_is_refused_and_today_in_china_is_not(self, monkeypatch):
        monkeypatch.setattr(values, "datetime", EarlyMorning)
        IDENTITY_NUMBER.validate_python(identity_number("140802", "20261123"))
        assert "将来" in refused(IDENTITY_NUMBER, identity_number("140802", "20261124"))

    @pytest.mark.parametrize("text", ["", "140802900307001", "14080219900307001Y", "x" * 18])
    def test_other_lengths_and_letters_are_refused(self, text):
        assert "18 位" in refused(IDENTITY_NUMBER, text)


class TestUscc:
    def test_spaces_dashes_and_small_letters_are_folded(self):
        assert USCC.validate_python(" 911-10000 600037341l") == "91110000600037341L"

    @pytest.mark.parametrize(
        "code",
        [
            "91110000600037341M",  # check digit
            "9111000060003734IL",  # I is no letter of the alphabet
            "91110000600037341",  # too short
            "A1110000600037341L",  # the authority is a digit
        ],
    )
    def test_others_are_refused(self, code):
        assert "统一社会信用代码" in refused(USCC, code)


class TestDivisionCode:
    @pytest.mark.parametrize("code", ["140802", "1408021002161", "001408021002", "14080210021a"])
    def test_others_are_refused(self, code):
        assert "12 位" in refused(DIVISION_CODE, code)

    def test_full_width_digits_are_refused(self):
        refused(DIVISION_CODE, "１40802100216")
        refused(TypeAdapter(UnitCode), "１40802100216:civil-affairs")
        refused(TypeAdapter(RequestNumber), "１40802-261122-00001")
        refused(TypeAdapter(MobileNumber), "1３800000000")

    @pytest.mark.parametrize(
        ("code", "level", "prefix"),
        [
            ("140000000000", "province", "14"),
            ("140800000000", "city", "1408"),
            ("140802000000", "county", "140802"),
            ("140802100000", "township", "140802100"),
            (VILLAGE, "community", VILLAGE),
            ("141000000000", "city", "1410"),  # 临汾: a zero of its own
            ("140800000001", "community", "140800000001"),
        ],
    )
    def test_level_and_prefix_by_trailing_zeros(self, code, level, prefix):
        assert division_level(code) == level
        assert division_prefix(code) == prefix

    def test_covers_itself_and_below_only(self):
        chain = ["140000000000", "140800000000", "140802000000", "140802100000", VILLAGE]
        for upper, outer in enumerate(chain):
            for lower, inner in enumerate(chain):
                assert division_covers(outer, inner) == (upper <= lower)
        assert not division_covers("140802000000", "140821000000")
        assert not division_covers("140802100000", "140802101001")

    def test_the_ancestor_at_a_level(self):
        assert division_at(VILLAGE, DivisionLevel.township) == "140802100000"
        with pytest.raises(ValueError, match="above the level township"):
            division_at("140802000000", DivisionLevel.township)


codes = st.from_regex(r"\A[1-9][0-9]{11}\Z")
levels = st.sampled_from(list(DivisionLevel))


class TestDivisionTree:
    @given(code=codes, level=levels)
    def test_an_ancestor_covers_and_is_not_deeper_than_asked(self, code, level):
        depth = list(DivisionLevel).index
        if depth(division_level(code)) < depth(level):
            return
        ancestor = division_at(code, level)
        DIVISION_CODE.validate_python(ancestor)
        assert division_covers(ancestor, code)
        assert depth(division_level(ancestor)) <= depth(level)

    @given(outer=codes, inner=codes)
    def test_two_that_cover_each_other_are_one(self, outer, inner):
        both = division_covers(outer, inner) and division_covers(inner, outer)
        assert both == (outer == inner)

    @given(code=codes)
    def test_the_prefix_is_as_long_as_the_level_says(self, code):
        prefix = division_prefix(code)
        assert len(prefix) == SIGNIFICANT_DIGITS[division_level(code)]
        assert prefix.ljust(12, "0") == code


class TestRatingLevel:
    def test_stars_go_down_from_very_satisfied(self):
        assert [level.stars for level in RatingLevel] == [5, 4, 3, 2, 1]
        assert RatingLevel.very_satisfied.stars == 5

    def test_bad_are_the_last_two(self):
        assert [level for level in RatingLevel if level.is_bad] == [
            RatingLevel.dissatisfied,
            RatingLevel.very_dissatisfied,
        ]
        assert all(level.is_bad == (level.stars <= 2) for level in RatingLevel)
