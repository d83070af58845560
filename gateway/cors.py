"""Which pages of other origins may call us from a browser; none unless a setting says so."""

from collections.abc import Iterable

from starlette.types import Message

#: A browser asks again after this time. Source: Chromium's upper bound.
PREFLIGHT_SECONDS = 7200
_ALLOWED_HEADERS = (
    b"authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, "
    b"tus-resumable, upload-offset, x-request-id"
)
_EXPOSED_HEADERS = (
    b"etag, idempotent-replayed, location, retry-after, tus-resumable, upload-length, "
    b"upload-offset, x-request-id"
)


class Cors:
    """Answers for a fixed set of origins; tokens travel in a header, so no credentials."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origins)

    def is_allowed(self, origin: str) -> bool:
        """Whether an origin may read our answers."""
        return origin in self._origins

    @staticmethod
    def answer_headers(origin: str) -> list[tuple[bytes, bytes]]:
        """Headers that let a browser hand the answer to its page."""
        return [
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-expose-headers", _EXPOSED_HEADERS),
            (b"vary", b"Origin"),
        ]

    @staticmethod
    def preflight(methods: Iterable[str]) -> Message:
        """The answer to a browser that asks before it sends. Source: Fetch standard, CORS."""
        return {
            "type": "http.response.start",
            "status": 204,
            "headers": [
                (b"access-control-allow-methods", ", ".join(sorted(methods)).encode()),
                (b"access-control-allow-headers", _ALLOWED_HEADERS),
                (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
            ],
        }
