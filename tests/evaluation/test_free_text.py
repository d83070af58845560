"""Screening: no number that points to a person survives, and plain words do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evaluation.free_text import screen

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
WORDS = str.maketrans("0123456789", "零一二三四五六七八九")
GAPS = ("", " ", "-", "·", ".", "、")
DIGITS = "0123456789"
#: Words around a number, none of which is a digit in any way of writing.
PROSE = st.text(alphabet="窗口办事员说请打电话我来了好慢，。！ab \n", max_size=30)


def numbers(first: str, count: int):
    return st.text(alphabet=DIGITS, min_size=count, max_size=count).map(lambda rest: first + rest)


MOBILES = st.sampled_from(["13", "15", "17", "18", "19"]).flatmap(lambda p: numbers(p, 9))
IDENTITY = st.tuples(numbers("14", 15), st.sampled_from([*DIGITS, "X", "x"])).map("".join)
CARDS = st.integers(14, 17).flatmap(lambda n: numbers("62", n))


def grouped(number: str, gap: str, sizes: tuple[int, ...]) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return gap.join([*parts, number[at:]])


class TestScreen:
    @pytest.mark.parametrize(
        ("text", "shown", "findings"),
        [
            ("身份证14080219900307123X。", "身份证1****************X。", ("identity-number",)),
            ("电话138-1234-5678谢谢", "电话138****5678谢谢", ("mobile",)),
            ("打+86 13812345678", "打138****5678", ("mobile",)),
            ("打８６１３８１２３４５６７８", "打138****5678", ("mobile",)),
            ("幺三八一二三四五六七八找我", "138****5678找我", ("mobile",)),
            ("座机0359-2061234", "座机0359****1234", ("landline",)),
            ("卡6222 5512 3456 7890 123", "卡622255*********0123", ("bank-card",)),
            ("邮箱conan@163.com", "邮箱con***@163.com", ("email",)),
            ("姓名：张大山，很急", "姓名：***，很急", ("name",)),
            ("住3号楼2单元501室", "住**********", ("home",)),
        ],
    )
    def test_each_kind_is_masked_in_its_way(self, text, shown, findings):
        screened = screen(text)
        assert screened.text == shown
        assert screened.findings == findings

    @pytest.mark.parametrize(
        "text",
        [
            "等了3个小时，来回跑了5趟，第2窗口的人说不清楚。",
            "2026年11月22日上午10:30来的",
            "一共交了1200.50元，三份材料要了两次",
            "",
        ],
    )
    def test_plain_words_stay(self, text):
        assert screen(text).text == text
        assert screen(text).findings == ()

    def test_two_numbers_run_together_are_hidden_whole(self):
        screened = screen("1408021990010112341381234567800")
        assert not any(character.isdigit() for character in screened.text)

    @given(
        PROSE,
        MOBILES,
        PROSE,
        st.sampled_from(GAPS),
        st.sampled_from([None, FULL_WIDTH, WORDS]),
    )
    def test_no_mobile_survives(self, before, mobile, after, gap, writing):
        written = grouped(mobile, gap, (3, 4))
        if writing:
            written = written.translate(writing)
        screened = screen(before + written + after)
        assert written not in screened.text
        assert mobile not in screened.text
        assert "mobile" in screened.findings

    @given(PROSE, st.one_of(IDENTITY, CARDS), PROSE, st.sampled_from(GAPS), st.booleans())
    def test_no_identity_or_card_number_survives(self, before, number, after, gap, full_width):
        written = grouped(number, gap, (4, 4, 4))
        if full_width:
            written = written.translate(FULL_WIDTH)
        screened = screen(before + written + after)
        assert written not in screened.text
        assert number[4:-4] not in screened.text
        assert screened.findings

    @given(st.text(max_size=500))
    def test_any_text_is_screened_once_and_for_all(self, text):
        once = screen(text)
        assert screen(once.text).text == once.text
