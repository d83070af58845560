"""One cell: what its text means, by the kind of its column, and how a value is written."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from services.catalogue.codes.tables import Unknown, codes_of, decode, encode, label

_SEPARATORS = re.compile(r"[\^,，、;；\n|]+")
_NOTHING = frozenset({"无", "/", "-", "—"})
_AT_ONCE = frozenset({"即办", "即时办结", "当场办结"})
_DAYS = re.compile(r"([0-9]{1,4}) *(个?工作日|个?自然日|天|日)?")
_WORD_OF_UNIT = {"工作日": "working-days", "自然日": "calendar-days"}


class CellWrong(ValueError):
    """What is wrong with a cell, and what would put it right."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def read(kind: str, cell: Any, scheme: str) -> Any:
    """The value of a cell that is not empty; None when it says that there is nothing.

    Raises:
        CellWrong: it means nothing.
    """
    kind, _, table = kind.partition(":")
    cell = _plain(kind, cell)
    if not isinstance(cell, str):
        return cell
    if kind == "code":
        return _decode(table, cell, scheme)
    if kind == "codes":
        texts = [text for text in map(str.strip, _SEPARATORS.split(cell)) if text]
        return [_decode(table, text, scheme) for text in texts if text not in _NOTHING]
    if cell in _NOTHING:
        return None
    return _READERS[kind](cell)


def write(kind: str, value: Any, scheme: str) -> Any:
    """The cell of a value: codes and words in the scheme, lists one entry a line."""
    if value is None or value == []:
        return ""
    kind, _, table = kind.partition(":")
    if kind == "code":
        return encode(table, value, scheme)
    if kind == "codes":
        return "、".join(encode(table, each, scheme) for each in value)
    if kind == "flag":
        return encode("yes-no", "true" if value else "false", scheme)
    if kind == "texts":
        return "；".join(value)
    if kind == "json":
        return json.dumps(value, ensure_ascii=False)
    if kind in _PARTS:
        return "\n".join(_line([_show(*part, each) for part in _PARTS[kind]]) for each in value)
    return value


def _plain(kind: str, cell: Any) -> Any:
    """A cell of a JSON file as a sheet would have it; what only JSON can say is as it is."""
    if isinstance(cell, bool) and kind == "flag":
        return cell
    if isinstance(cell, dict | list) and kind == "json":
        return cell
    if isinstance(cell, list) and kind in ("codes", "texts") and _all_texts(cell):
        return "；".join(cell)
    if isinstance(cell, bool | dict | list):
        raise CellWrong("这里不能是对象、列表或真假值", "写成文字")
    return str(cell)


def _all_texts(cell: list[Any]) -> bool:
    return all(isinstance(each, str) for each in cell)


def unit_in(cell: Any) -> str | None:
    """The unit a cell of days names beside its number."""
    match = _DAYS.fullmatch(cell.strip()) if isinstance(cell, str) else None
    word = (match[2] or "").lstrip("个") if match else ""
    return _WORD_OF_UNIT.get(word, "calendar-days" if word in ("天", "日") else None)


def _decode(table: str, text: str, scheme: str) -> str:
    value = decode(table, text, scheme)
    if isinstance(value, Unknown):
        known = codes_of(table, scheme)
        if known.get(text, known.get(text.zfill(2), "")) is None:
            raise CellWrong(
                f"“{text}”在本目录里没有对应的{value.table}", f"可以是：{value.allowed}"
            )
        raise CellWrong(f"“{text}”不是{value.table}", f"可以是：{value.allowed}")
    return value


def _text(cell: str) -> str:
    return cell


def _uscc(cell: str) -> str:
    return cell.replace(" ", "").replace("-", "")


def _texts(cell: str) -> list[str]:
    return [text for text in map(str.strip, _SEPARATORS.split(cell)) if text]


def _flag(cell: str) -> bool:
    return _decode("yes-no", cell, "gb39046") == "true"


def _number(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", cell):
        raise CellWrong(f"“{cell}”不是数字", "写一个整数")
    return int(cell)


def _days(cell: str) -> int:
    if cell in _AT_ONCE:
        return 0
    match = _DAYS.fullmatch(cell)
    if match is None:
        raise CellWrong(f"“{cell}”不是天数", "只写天数，例如 20；当场办结的写 0")
    return int(match[1])


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (json.JSONDecodeError, RecursionError):
        raise CellWrong("不是有效的 JSON", "按 JSON 更正") from None


#: Kind of list → the fields of one entry in their order on its line, with the table of their words.
_PARTS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "materials": (
        ("name", None), ("necessity", "necessity"), ("source", "material-source"),
        ("form", "material-form"), ("copies", None), ("note", None),
    ),
    "questions": (("question", None), ("answer", None)),
    "fees": (("name", None), ("standard", None)),
    "steps": (("name", None), ("explanation", None)),
}  # fmt: skip
_EXAMPLES = {
    "materials": "名称|必要性|来源渠道|形式|份数|说明",
    "questions": "问题|回答",
    "fees": "项目|标准",
    "steps": "环节|说明",
}


def _lines(kind: str) -> Callable[[str], list[dict[str, Any]]]:
    def read_lines(cell: str) -> list[dict[str, Any]]:
        return [_entry(kind, line) for line in cell.split("\n") if line.strip()]

    return read_lines


def _entry(kind: str, line: str) -> dict[str, Any]:
    parts, texts = _PARTS[kind], [text.strip() for text in line.split("|")]
    if len(texts) > len(parts) or not texts[0]:
        raise CellWrong(
            f"“{line[:40]}”不能读成{_EXAMPLES[kind]}", f"一行一条，写成 {_EXAMPLES[kind]}"
        )
    entry: dict[str, Any] = {}
    for (field, table), text in zip(parts, texts, strict=False):
        if text:
            value = _decode(table, text, "gb39046") if table else text.replace("\\n", "\n")
            entry[field] = _number(text) if field == "copies" else value
    return entry


def _show(field: str, table: str | None, entry: dict[str, Any]) -> str:
    value = entry.get(field)
    if value is None:
        return ""
    # A line break would begin another entry, a bar another part.
    return label(table, value) if table else str(value).replace("\n", "\\n").replace("|", "｜")


def _line(texts: Sequence[str]) -> str:
    return "|".join(texts).rstrip("|")


_READERS: dict[str, Callable[[str], Any]] = {
    "text": _text,
    "uscc": _uscc,
    "texts": _texts,
    "flag": _flag,
    "number": _number,
    "days": _days,
    "json": _json,
    **{kind: _lines(kind) for kind in _PARTS},
}
