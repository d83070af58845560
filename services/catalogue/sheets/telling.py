"""What is wrong with a row, told by the column it stands in."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.values import DivisionCode, division_covers
from servicekit.imports import ImportJob, Problem, Row
from servicekit.wording import in_chinese
from services.catalogue.sheets.columns import Layout

_DIVISION: TypeAdapter[str] = TypeAdapter(DivisionCode)


def malformed(at: Layout, row: Row, error: Any) -> Problem:
    """An error of pydantic about what a row became."""
    pointer = "/" + "/".join(str(part) for part in error["loc"])
    remedy = "补上这一列" if error["type"] == "missing" else "按要求更正"
    return told(at, row, pointer, in_chinese(error), remedy)


def told(at: Layout, row: Row, pointer: str, message: str, remedy: str) -> Problem:
    """A problem with the field a JSON pointer names."""
    column = at.find(pointer)
    if column is None:
        return Problem(row.number, pointer.strip("/"), "", message, remedy)
    return Problem.of(row, column.header, message, remedy)


def misplaced(
    at: Layout,
    row: Row,
    job: ImportJob,
    *,
    pointer: str,
    code: str,
    form: TypeAdapter[str],
    division: str,
) -> list[Problem]:
    """What is wrong with the code and the division that say what a row is about."""
    problems = []
    for adapter, value, place in ((form, code, pointer), (_DIVISION, division, "/division_code")):
        try:
            adapter.validate_python(value)
        except ValidationError:
            problems.append(told(at, row, place, "编码格式不正确", "核对每一位"))
    if not problems and not division_covers(job.division_code, division):
        message, remedy = "不在这次导入的区划之内", "改为本区划，或另行导入"
        problems.append(told(at, row, "/division_code", message, remedy))
    return problems
