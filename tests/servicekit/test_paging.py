"""Pages: a cursor goes in as it came out, and nothing else does."""

import base64
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.paging import CursorMalformed, cut, decode_cursor, encode_cursor, id_cursor

PARTS = st.lists(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), max_size=5)


class TestCursor:
    @given(PARTS)
    def test_comes_back_as_it_went_in(self, parts):
        cursor = encode_cursor(*parts)
        assert decode_cursor(cursor, len(parts)) == parts
        assert cursor.isascii()
        assert not set(cursor) & set("+/=&? ")

    def test_carries_moments_and_ids_as_text(self):
        moment, some_id = datetime(2026, 11, 22, tzinfo=UTC), uuid4()
        assert decode_cursor(encode_cursor(moment, some_id), 2) == [
            moment.isoformat(),
            str(some_id),
        ]

    @given(st.text())
    def test_anything_else_is_refused_or_harmless(self, text):
        try:
            parts = decode_cursor(text, 1)
        except CursorMalformed:
            return
        assert len(parts) == 1

    @pytest.mark.parametrize("json", ["{}", "7", "[]", "[1, 2]", "null", "[", "nan"])
    def test_of_another_shape_is_refused(self, json):
        with pytest.raises(CursorMalformed):
            decode_cursor(base64.urlsafe_b64encode(json.encode()).decode(), 1)


class TestIdCursor:
    def test_is_nothing_on_the_first_page(self):
        assert id_cursor(None) is None

    def test_is_the_id_of_the_last_row(self):
        some_id = uuid4()
        assert id_cursor(encode_cursor(some_id)) == some_id

    @pytest.mark.parametrize("part", ["no id", 7, None, True, ["x"], 1.5])
    def test_that_is_no_id_is_refused(self, part):
        with pytest.raises(CursorMalformed):
            id_cursor(encode_cursor(part))


def test_one_row_more_than_a_page_tells_that_there_is_more():
    assert cut([1, 2, 3], 2) == ([1, 2], True)
    assert cut([1, 2], 2) == ([1, 2], False)
    assert cut([], 2) == ([], False)
