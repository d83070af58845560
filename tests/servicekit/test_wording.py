"""What is wrong with a body or a cell is said in plain Chinese."""

import re
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal
from uuid import UUID

import pydantic
import pytest
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core._pydantic_core import list_all_errors

from servicekit.wording import WORDS, in_chinese

_HAN = re.compile(r"[一-鿿]")


class Form(BaseModel, extra="forbid"):
    name: Annotated[str, Field(min_length=2, max_length=3)] = "张三"
    kind: Literal["a", "b", "c"] = "a"
    copies: Annotated[int, Field(ge=0, le=9)] = 1
    code: Annotated[str, Field(pattern="^[a']+$")] = "a"
    share: Annotated[float, Field(ge=0, lt=0.5)] = 0
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
        ({"kind": "d"}, "只能是 a、b、c"),
        ({"copies": 10}, "应不大于 9"),
        ({"code": "b"}, "格式不正确，应符合 ^[a']+$"),
        ({"share": 1}, "应小于 0.5"),
        ({"share": -1}, "应不小于 0"),
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


def refuse(_):
    raise ValueError("a code stands for one thing")


def test_what_a_library_says_in_english_is_not_passed_on():
    with pytest.raises(ValidationError) as told:
        TypeAdapter(Annotated[str, AfterValidator(refuse)]).validate_python("x")
    assert [in_chinese(each) for each in told.value.errors()] == ["填写的内容不符合要求"]


CORE = {known["type"]: known for known in list_all_errors()}
#: Types that pydantic adds to its core, in its own source: there is no list of them.
ADDED = {
    found
    for path in Path(pydantic.__file__).parent.rglob("*.py")
    if "v1" not in path.parts
    for found in re.findall(r"PydanticCustomError\(\s*f?'(\w+)'", path.read_text("utf-8"))
}


class TestTheTable:
    def test_has_every_type_and_no_other(self):
        assert {"missing", "enum"} <= set(CORE)
        assert {"pattern_regex", "ip_v4_address"} <= ADDED
        assert set(WORDS) == set(CORE) | ADDED

    def test_is_chinese(self):
        assert [kind for kind, words in WORDS.items() if not _HAN.search(words)] == []

    def test_names_only_what_the_core_tells(self):
        for kind, known in CORE.items():
            named = {name for _, name, _, _ in Formatter().parse(WORDS[kind]) if name}
            context = known["example_context"] or {}
            assert named <= set(context), kind
            assert "{" not in in_chinese({"type": kind, "ctx": context})

    def test_needs_no_context_for_what_pydantic_adds(self):
        assert [kind for kind in ADDED if "{" in WORDS[kind]] == []
