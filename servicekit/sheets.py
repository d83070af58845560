"""Sheets of rows, read and written one row at a time: CSV, XLSX and JSON."""

import codecs
import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from enum import StrEnum
from itertools import chain, count, islice
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

if TYPE_CHECKING:  # 4 MB, and Pillow with it: imported by the process that meets an XLSX file
    from openpyxl.cell import Cell
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

#: One row by its header: text from CSV and XLSX, any JSON value from JSON.
Cells = dict[str, Any]

_CHUNK = 1 << 16
_DELIMITERS = ",\t;"
#: What a packed sheet may unpack to.
_UNPACKED_BYTES = 1 << 30
#: What a spreadsheet would take for a formula, marked before or not. Source: OWASP, CSV Injection.
_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?[0-9]+(\.[0-9]+)?$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SPOOLED_BYTES = 4 << 20
#: One JSON object, characters.
_LONGEST_OBJECT = 4 << 20
#: What a cell and a sheet hold. Source: Excel specifications and limits (1 048 576 rows).
_LONGEST_CELL = 32_767
_LONGEST_SHEET = 1_000_000
#: How openpyxl meets a file that only looks like XLSX: no archive, parts missing, broken XML.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, LookupError, SyntaxError, TypeError, ValueError,
    AttributeError, OSError,
)  # fmt: skip


class SheetFormat(StrEnum):
    """How a sheet is written."""

    csv = "csv"
    xlsx = "xlsx"
    json = "json"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return {
            "csv": "text/csv; charset=utf-8",
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "json": "application/json",
        }[self]


class SheetError(ValueError):
    """The file as a whole cannot be read; the text says why, for who sent it."""


def read_rows(source: BinaryIO, sheet_format: SheetFormat) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of a sheet with their numbers in it, the header being row 1 of CSV and XLSX.

    Empty rows are left out, missing cells are "", cells beyond the header are named 第 n 列. Memory
    is bounded by the longest row, for XLSX by its table of texts besides.

    Args:
        source: Seekable, at its start.
        sheet_format: CSV may be UTF-8 or GB18030 and separated by comma, semicolon or tab; of XLSX
            the first sheet is read; JSON is a list of objects or one object per line.

    Raises:
        SheetError: also in the middle, where a row cannot be told from the next.
    """
    if sheet_format is SheetFormat.json:
        return _json_rows(source)
    table = _csv_table(source) if sheet_format is SheetFormat.csv else _xlsx_table(source)
    return _under_header(table)


def _under_header(table: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, Cells]]:
    header: list[str] | None = None
    for number, texts in table:
        if not any(texts):
            continue
        if header is None:
            header = _header(texts)
            continue
        names = header + [f"第 {place} 列" for place in range(len(header) + 1, len(texts) + 1)]
        padded = texts + [""] * (len(names) - len(texts))
        yield number, {name: text for name, text in zip(names, padded, strict=True) if name}
    if header is None:
        raise SheetError("表格是空的")


def _header(texts: list[str]) -> list[str]:
    while texts and not texts[-1]:
        texts = texts[:-1]
    repeated = sorted({name for name in texts if name and texts.count(name) > 1})
    if repeated:
        raise SheetError(f"表头有重复的列：{'、'.join(repeated)}")
    return texts


def _csv_table(source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    text = io.TextIOWrapper(source, encoding=_encoding(source), newline="")
    try:
        first = text.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        text.seek(0)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        for cells in reader:
            yield reader.line_num, [_as_written(cell.strip()) for cell in cells]
    except (csv.Error, UnicodeDecodeError) as error:
        raise SheetError(f"CSV 文件无法读取：{error}") from error
    finally:
        text.detach()


def _encoding(source: BinaryIO) -> str:
    """UTF-8 when the whole file is, else the national standard, of which GBK is a part."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := source.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    finally:
        source.seek(0)
    return "utf-8-sig"


def _xlsx_table(source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    # large, and few processes ever need it
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(source) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > _UNPACKED_BYTES:
            raise SheetError("XLSX 文件解压后过大")
        with closing(load_workbook(source, read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # what the file says of its own size may be wrong
            for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
                yield number, [_text(value) for value in values]
    except (InvalidFileException, *_UNREADABLE) as error:
        if isinstance(error, SheetError):
            raise
        raise SheetError("不是可以读取的 XLSX 文件") from error


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _json_rows(source: BinaryIO) -> Iterator[tuple[int, Cells]]:
    """Objects one after another, however they are separated."""
    decoder = json.JSONDecoder()
    text = io.TextIOWrapper(source, encoding="utf-8-sig")
    buffer, number, is_over = "", 0, False
    try:
        while True:
            buffer = buffer.lstrip(" \t\r\n,[]" if number else " \t\r\n[")
            try:
                value, end = decoder.raw_decode(buffer)
            except json.JSONDecodeError as error:
                if not is_over and len(buffer) <= _LONGEST_OBJECT:
                    # Twice as much each time, so that a long object is not parsed over and over.
                    more = text.read(max(_CHUNK, len(buffer)))
                    is_over = not more
                    buffer += more
                    continue
                if buffer.strip(" \t\r\n,[]"):
                    raise SheetError(f"第 {number + 1} 条起不是 JSON：{error.msg}") from error
                break
            number += 1
            if not isinstance(value, dict):
                raise SheetError(f"第 {number} 条不是 JSON 对象")
            buffer = buffer[end:]
            yield number, value
    except UnicodeDecodeError as error:
        raise SheetError("JSON 文件不是 UTF-8 编码") from error
    except RecursionError as error:
        raise SheetError(f"第 {number + 1} 条嵌套过深") from error
    finally:
        text.detach()


def _safe(value: object) -> str:
    """A cell that no spreadsheet takes for a formula and none refuses."""
    text = _CONTROL.sub("", "" if value is None else str(value))
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.match(text) else text


def _as_written(text: str) -> str:
    """A cell of CSV without the mark that `_safe` put before it, so that it comes in as it was."""
    return text[1:].strip() if text[:1] == "'" and _safe(text[1:]) == text else text


async def write_csv(
    header: Sequence[str], rows: AsyncIterable[Sequence[object]]
) -> AsyncIterator[bytes]:
    """Yield a CSV file in UTF-8 with the mark that makes spreadsheets read it as such."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([_safe(name) for name in header])
    async for row in rows:
        writer.writerow([_safe(value) for value in row])
        if buffer.tell() >= _CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(make: "Callable[..., Cell]", sheet: "WriteOnlyWorksheet", value: object) -> "Cell":
    if isinstance(value, int | float | date) and not isinstance(value, bool):
        return make(sheet, value=value)
    text = _CONTROL.sub("", "" if value is None else str(value))[:_LONGEST_CELL]
    cell = make(sheet, value=text)
    cell.data_type = "s"
    return cell


def write_xlsx(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "Sheet"
) -> Iterator[bytes]:
    """Yield an XLSX file; rows go to disk as they come, on a further sheet after a million.

    Numbers and dates stay what they are, everything else is text, never a formula.
    """
    # large, and few processes ever need it
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    name = re.sub(r"[\[\]:*?/\\]", " ", title)[:24]
    waiting = iter(rows)
    for number in count(1):
        sheet = book.create_sheet(name if number == 1 else f"{name} ({number})")
        sheet.append([_cell(WriteOnlyCell, sheet, text) for text in header])
        for row in islice(waiting, _LONGEST_SHEET):
            sheet.append([_cell(WriteOnlyCell, sheet, value) for value in row])
        further = list(islice(waiting, 1))
        if not further:
            break
        waiting = chain(further, waiting)
    with SpooledTemporaryFile(_SPOOLED_BYTES) as packed:
        book.save(packed)
        packed.seek(0)
        while chunk := packed.read(_CHUNK):
            yield chunk


def download_headers(name: str) -> dict[str, str]:
    """Headers of an answer that is kept as a file of this name. Source: RFC 6266, RFC 8187."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }
