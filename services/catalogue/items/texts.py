"""Kinds of text in an item, and how a part that may be missing is written."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic import StringConstraints as Constraints


def text(longest: int, *, pattern: str = r"^[^\x00-\x1f]*$") -> Any:
    """Text of one line, at most that long."""
    return Constraints(strip_whitespace=True, min_length=1, max_length=longest, pattern=pattern)


Name = Annotated[str, text(200)]
Alias = Annotated[str, text(40)]
Line = Annotated[str, text(300)]
Paragraph = Annotated[str, text(2000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]
#: Names a condition inside an item: a choice of a situation, a material.
Key = Annotated[str, Constraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Telephone = Annotated[str, Constraints(strip_whitespace=True, pattern=r"^[0-9][0-9 -]{2,24}$")]
#: The length stands apart: counted in the pattern it costs a megabyte wherever one is given.
Address = Annotated[str, Constraints(max_length=508, pattern=r"^https?://[^\s\x00-\x1f]+$")]


def _is_missing(value: Any) -> bool:
    return value is None or value == ()


def optional(default: Any = None, **more: Any) -> Any:
    """A field left out of what is stored when it says nothing.

    So an item that was written before the field existed keeps its digest, and stays unchanged.
    """
    return Field(default=default, exclude_if=_is_missing, **more)


class Part(BaseModel):
    """Something an item consists of; what is not known is refused, not dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)
