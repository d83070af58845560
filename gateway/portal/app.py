"""Serves the front page, the documentation and the merged OpenAPI document."""

import hashlib

from starlette.types import Receive, Scope, Send

from gateway.portal.documents import Documents

_HTML = b"text/html; charset=utf-8"
PATHS = frozenset({"/", "/docs", "/openapi.json"})


class Portal:
    """An ASGI application of three paths, answered from memory with an ETag."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Answer a GET or HEAD."""
        body, kind = self._content(scope["path"])
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        offered = dict(scope["headers"]).get(b"if-none-match", b"")
        is_known = tag in (part.strip() for part in offered.split(b","))
        headers = [(b"etag", tag), (b"cache-control", b"no-cache"), (b"content-type", kind)]
        if is_known:
            body = b""
        else:
            headers.append((b"content-length", str(len(body)).encode()))
        status = 304 if is_known else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        is_head = scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if is_head else body})

    def _content(self, path: str) -> tuple[bytes, bytes]:
        if path == "/openapi.json":
            return self._documents.openapi, b"application/json"
        if path == "/docs":
            return self._documents.documentation, _HTML
        return self._documents.front, _HTML
