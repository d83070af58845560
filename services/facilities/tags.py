"""ETags of what is shown but not edited by its reader: a digest of the whole answer."""

from hashlib import sha256

from fastapi import Request, Response
from pydantic import BaseModel

from servicekit.etags import is_unchanged

_DIGITS = 32


def tagged(
    request: Request,
    answer: BaseModel,
    *,
    max_age_seconds: int | None = None,
    media_type: str = "application/json",
) -> Response:
    """The answer with its ETag, or 304 for a reader who has it; asked for anew unless it may age."""
    body = answer.model_dump_json().encode()
    tag = f'"{sha256(body).hexdigest()[:_DIGITS]}"'
    kept = "no-cache" if max_age_seconds is None else f"public, max-age={max_age_seconds}"
    headers = {"ETag": tag, "Cache-Control": kept}
    if is_unchanged(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
