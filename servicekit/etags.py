"""ETag and If-Match: a version travels with every record people edit."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from servicekit.errors import BadRequest, Conflict, PreconditionRequired

_STRONG = re.compile(r'^"([0-9]{1,9})"$')


class StaleVersion(Conflict):
    code, title = "stale-version", "内容已被他人改动，请刷新后再试"


class VersionMalformed(BadRequest):
    code, title = "version-malformed", "If-Match 应为上次读取时的 ETag"


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def set_etag(response: Response, version: int) -> None:
    """Send the version with the answer."""
    response.headers["ETag"] = etag(version)


#: Declared, so that the OpenAPI document names it.
_IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description='The ETag of the version that was read, such as "3"'),
]


async def _maybe_expected_version(if_match: _IfMatch = None) -> int | None:
    if if_match is None:
        return None
    match = _STRONG.match(if_match.strip())
    if match is None:
        raise VersionMalformed
    return int(match[1])


async def _expected_version(if_match: _IfMatch = None) -> int:
    expected = await _maybe_expected_version(if_match)
    if expected is None:
        raise PreconditionRequired
    return expected


#: The version the caller has read; 428 without If-Match.
ExpectedVersion = Annotated[int, Depends(_expected_version)]
#: The same for a PUT that also creates: None without If-Match.
MaybeExpectedVersion = Annotated[int | None, Depends(_maybe_expected_version)]


def is_unchanged(request: Request, tag: str) -> bool:
    """Whether If-None-Match names this ETag, so that 304 is enough."""
    offered = request.headers.get("if-none-match", "")
    return tag in (part.strip() for part in offered.split(","))
