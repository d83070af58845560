"""What is wrong with a body or a cell is said in plain Chinese."""

import re
from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_core.core_schema import ErrorType

from servicekit.wording import in_chinese

_HAN = re.compile(r"[一-鿿]")


class Form(BaseModel, extra="forbid"):
    name: Annotated[str, Field(min_length=2, max_length=3)] = "张三"
    kind: Literal["a", "b", "c"] = "a"
    copies: Annotated[int, Field(ge=0, le=9)] = 1
    day: date | None = None
    id: UUID | None = None
    materials: Annotated[tuple[str, ...], Field(max_length=1)] = ()

    @field_validator("name")
    @classmethod
    def _is_no_number(cls, value: str) -> str:
        if value.isdigit():
            raise ValueError("姓名不能是数字")
        return value


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "某"}, "至少 2 个字"),
        ({"name": "某某某某"}, "最多 3 个字"),
        ({"name": "123"}, "姓名不能是数字"),
        ({"name": 1}, "应是文字"),
        ({"kind": "d"}, "只能是 'a'、'b'、'c'"),
        ({"copies": 10}, "应不大于 9"),
        ({"copies": "x"}, "应是整数"),
        ({"day": "明天"}, "应是日期，例如 2026-11-22"),
        ({"id": "x"}, "应是编号（UUID）"),
        ({"materials": ["a", "b"]}, "最多 1 项"),
        ({"colour": 1}, "没有这一项，请删去或核对名称"),
    ],
)
def test_it_says_what_is_wanted(values, words):
    with pytest.raises(ValidationError) as told:
        Form.model_validate(values)
    assert [in_chinese(each) for each in told.value.errors()] == [words]


def test_every_kind_of_error_has_words():
    names = ("min_length", "max_length", "gt", "ge", "lt", "le", "multiple_of", "expected")
    context = dict.fromkeys(names, 1) | {"error": ValueError("内容不对")}
    said = {kind: in_chinese({"type": kind, "ctx": context}) for kind in get_args(ErrorType)}
    assert [kind for kind, words in said.items() if not _HAN.search(words)] == []
