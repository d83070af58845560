"""Sheets: what people's programs write is read, and what is written harms no program."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from servicekit import sheets
from servicekit.sheets import (
    SheetError,
    SheetFormat,
    download_headers,
    read_rows,
    write_csv,
    write_xlsx,
)

#: What a cell of any sheet may hold.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


def read(content: str | bytes, sheet_format: SheetFormat = SheetFormat.csv):
    source = content.encode() if isinstance(content, str) else content
    return list(read_rows(io.BytesIO(source), sheet_format))


def xlsx(*rows: list[object]) -> bytes:
    book, packed = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(packed)
    return packed.getvalue()


async def stream(rows: list[list[object]]) -> AsyncIterator[list[object]]:
    for row in rows:
        yield row


async def csv_of(header: list[str], *rows: list[object]) -> bytes:
    return b"".join([chunk async for chunk in write_csv(header, stream(list(rows)))])


class TestCsv:
    def test_rows_come_with_their_numbers_and_without_empty_ones(self):
        assert read("名称,人数\n\n张村, 12 \n,\n李村,9\n") == [
            (3, {"名称": "张村", "人数": "12"}),
            (5, {"名称": "李村", "人数": "9"}),
        ]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_encodings_and_delimiters_are_told_by_the_file(self, encoding, delimiter):
        text = f"名称{delimiter}镇\n常平村{delimiter}解州镇\n"
        assert read(text.encode(encoding)) == [(2, {"名称": "常平村", "镇": "解州镇"})]

    def test_gb18030_far_down_is_seen(self):
        text = "name\n" + "plain\n" * 20_000 + "解州\n"
        assert read(text.encode("gb18030"))[-1] == (20_002, {"name": "解州"})

    def test_cells_beyond_the_header_are_not_lost_and_missing_ones_are_empty(self):
        assert read("a,b\n1\n1,2,3\n") == [
            (2, {"a": "1", "b": ""}),
            (3, {"a": "1", "b": "2", "第 3 列": "3"}),
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "空的"),
            ("a,a\n1,2\n", "重复的列：a"),
            ('a\n"open\n', "CSV"),
            (b"\xff\xff\xff\n\x81", "CSV"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, content, said):
        with pytest.raises(SheetError, match=said):
            read(content)

    async def test_formulas_are_disarmed_and_numbers_are_not(self):
        texts = ["=1+1", "-5.5", "@x", "'=1+1", "'a", "a\x00b"]
        rows: list[list[object]] = [[text] for text in texts]
        written = await csv_of(["名称"], *rows, [None])
        assert written.decode("utf-8-sig").split() == [
            "名称", "'=1+1", "-5.5", "'@x", "''=1+1", "'a", "ab", '""',
        ]  # fmt: skip
        assert [cells["名称"] for _, cells in read(written)] == [*texts[:-1], "ab"]

    @settings(max_examples=30)
    @given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=5))
    async def test_what_is_written_is_read_again(self, rows):
        found = read(await csv_of(["a", "b"], *rows))
        kept = [[text.strip() for text in row] for row in rows]
        expected = [row for row in kept if any(row)]
        assert [list(cells.values()) for _, cells in found] == expected


class TestXlsx:
    def test_values_become_the_text_people_see(self):
        packed = xlsx(["名称", "数", "日"], ["村", 12.0, date(2026, 1, 2)], [None, 1.5, None])
        assert read(packed, SheetFormat.xlsx) == [
            (2, {"名称": "村", "数": "12", "日": "2026-01-02"}),
            (3, {"名称": "", "数": "1.5", "日": ""}),
        ]

    def test_formulas_stay_text_and_numbers_numbers(self):
        rows = [["=1+1", 3, date(2026, 1, 2), True, "x" * 40_000]]
        packed = b"".join(write_xlsx(["a", "b", "c", "d", "e"], rows))
        sheet = load_workbook(io.BytesIO(packed)).worksheets[0]
        cells = list(sheet.iter_rows())[1]
        assert [cell.data_type for cell in cells] == ["s", "n", "d", "s", "s"]
        assert len(str(cells[4].value)) == 32_767

    def test_a_full_sheet_goes_on_on_the_next(self, monkeypatch):
        monkeypatch.setattr(sheets, "_LONGEST_SHEET", 2)
        packed = b"".join(write_xlsx(["a"], [[1], [2], [3]], title="表[1]"))
        book = load_workbook(io.BytesIO(packed))
        assert [[row[0].value for row in sheet.rows] for sheet in book] == [["a", 1, 2], ["a", 3]]

    def test_what_only_looks_like_one_is_refused(self):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types")
        for content in (b"no archive", packed.getvalue(), xlsx(["a"], [1])[:-200]):
            with pytest.raises(SheetError, match="XLSX"):
                read(content, SheetFormat.xlsx)

    def test_a_bomb_is_not_unpacked(self, monkeypatch):
        monkeypatch.setattr(sheets, "_UNPACKED_BYTES", 100)
        with pytest.raises(SheetError, match="过大"):
            read(xlsx(["a"], [1]), SheetFormat.xlsx)


class TestJson:
    @pytest.mark.parametrize("end", ["\n", ",\n"])
    def test_a_list_and_lines_are_the_same(self, end):
        objects = [{"名称": "村", "材料": [{"a": 1}]}] * 3
        lines = end.join(json.dumps(each) for each in objects)
        expected = list(enumerate(objects, 1))
        assert read(lines, SheetFormat.json) == expected
        assert read(f"[{lines}]", SheetFormat.json) == expected

    def test_objects_longer_than_a_chunk_are_read(self):
        value = {"text": "字" * 200_000}
        assert read(json.dumps([value, value]), SheetFormat.json) == [(1, value), (2, value)]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ('[{"a": 1}, {"a": ]', "第 2 条起不是 JSON"),
            ('[{"a": 1}, 5]', "第 2 条不是 JSON 对象"),
            ('{"a": ' + "[" * 100_000, "嵌套过深"),
            (b'{"a": "\xff"}', "UTF-8"),
        ],
    )
    def test_what_cannot_be_read_is_said(self, content, said):
        with pytest.raises(SheetError, match=said):
            read(content, SheetFormat.json)

    def test_rows_before_the_broken_one_are_given(self):
        rows = read_rows(io.BytesIO(b'{"a": 1}\n{"a": '), SheetFormat.json)
        assert next(rows) == (1, {"a": 1})
        with pytest.raises(SheetError):
            next(rows)


def test_a_download_has_a_name_that_every_client_can_write():
    headers = download_headers("办件 2026.csv")
    assert headers["Content-Disposition"] == (
        "attachment; filename=\"_2026.csv\"; filename*=UTF-8''%E5%8A%9E%E4%BB%B6%202026.csv"
    )
