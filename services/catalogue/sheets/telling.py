"""What is wrong with a row, told by the column it stands in."""

from typing import Any

from servicekit.imports import Problem, Row
from services.catalogue.sheets.columns import Layout


def malformed(at: Layout, row: Row, error: Any) -> Problem:
    """An error of pydantic about what a row became."""
    pointer = "/" + "/".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return told(at, row, pointer, "没有填写", "补上这一列")
    return told(at, row, pointer, f"内容不合要求：{error['msg']}", "按要求更正")


def told(at: Layout, row: Row, pointer: str, message: str, remedy: str) -> Problem:
    """A problem with the field a JSON pointer names."""
    column = at.find(pointer)
    if column is None:
        return Problem(row.number, pointer.strip("/"), "", message, remedy)
    return Problem.of(row, column.header, message, remedy)
