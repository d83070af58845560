"""Keyset pages: a cursor that says after which row to go on, and no exact totals."""

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from fastapi import Query
from pydantic import BaseModel

from servicekit.errors import BadRequest

T = TypeVar("T")
DEFAULT_LIMIT = 20
MAX_LIMIT = 100


class CursorMalformed(BadRequest):
    code, title = "cursor-malformed", "翻页位置无效，请从第一页重新查看"


class Page(BaseModel, Generic[T]):
    """One page; `next` goes into `?after=` of the following call, null on the last page."""

    items: list[T]
    next: str | None


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="每页条数")]
After = Annotated[str | None, Query(max_length=400, description="上一页返回的 next")]


def encode_cursor(*parts: Any) -> str:
    """Pack the sort key of the last row."""
    return base64.urlsafe_b64encode(orjson.dumps(parts, default=str)).rstrip(b"=").decode()


def decode_cursor(cursor: str, count: int) -> list[Any]:
    """Unpack a cursor of `count` parts.

    Raises:
        CursorMalformed: it is none of ours.
    """
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise CursorMalformed from None
    if not isinstance(parts, list) or len(parts) != count:
        raise CursorMalformed
    return parts


def id_cursor(cursor: str | None) -> UUID | None:
    """The id in a one-part cursor, None on the first page.

    Raises:
        CursorMalformed: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, 1)[0])
    except (TypeError, ValueError, AttributeError):
        raise CursorMalformed from None


def cut(rows: list[Any], limit: int) -> tuple[list[Any], bool]:
    """Split `limit + 1` fetched rows into the page and whether more follow."""
    return rows[:limit], len(rows) > limit
