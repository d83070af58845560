"""Idempotency-Key: the first answer is stored in the transaction of the write and given again.

`Session` is the one transaction of a request. On a POST with a key it first claims the key; a
second request with the same key waits for the first one's commit and then gets its answer.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import authenticate
from servicekit.database import database_of, to_json
from servicekit.errors import BadRequest, Invalid
from servicekit.metrics import REPLAYS

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY_LENGTH = 128
#: Headers of the answer that belong to it.
_KEPT_HEADERS = ("content-type", "etag", "location")

_CLAIM = text(
    "INSERT INTO idempotency_key (caller, key, body_hash) VALUES (:caller, :key, :body_hash) "
    "ON CONFLICT DO NOTHING RETURNING key"
)
_STORED = text(
    "SELECT body_hash, status, headers, body FROM idempotency_key "
    "WHERE caller = :caller AND key = :key"
)
_STORE = text(
    "UPDATE idempotency_key SET status = :status, headers = CAST(:headers AS jsonb), body = :body "
    "WHERE caller = :caller AND key = :key"
)
#: A phone that has not had its answer for this long asks what became of its request instead.
KEEP_DAYS = 30
_PRUNE = text("DELETE FROM idempotency_key WHERE created_at < now() - make_interval(days => :days)")


class KeyReused(Invalid):
    code, title = "idempotency-key-reused", "同一个提交编号用在了不同的内容上"


class KeyMalformed(BadRequest):
    code, title = "idempotency-key-malformed", "提交编号格式不正确"


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key with the digest of what it was used for."""

    caller: str
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first use of a key got."""

    body_hash: bytes
    status: int
    headers: dict[str, str]
    body: bytes


class ReplayedAnswer(Exception):  # control flow, not a failure
    """Carries the stored answer of a repeated request out of the handler."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def key_of(request: Request) -> Key | None:
    """Read the key of a POST.

    Raises:
        KeyMalformed: empty or longer than 128 characters.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise KeyMalformed
    caller = await authenticate(request)
    target = f"{request.method} {request.url.path}\n".encode()
    digest = hashlib.sha256(target + await request.body()).digest()
    return Key(str(caller.account_id) if caller else "anonymous", key, digest)


def replay(key: Key, stored: StoredAnswer) -> Response:
    """Build the stored answer.

    Raises:
        KeyReused: the key was used for another body.
    """
    if stored.body_hash != key.body_hash:
        raise KeyReused
    REPLAYS.inc()
    headers = {**stored.headers, REPLAYED: "true"}
    return Response(stored.body, status_code=stored.status, headers=headers)


async def _unit_of_work(request: Request) -> AsyncIterator[AsyncSession]:
    database = database_of(request)
    async with database.transaction() as session:
        if request.method == "POST":
            await _claim(request, session)
        yield session
    database.nudge_relay()


async def _unkeyed(request: Request) -> AsyncIterator[AsyncSession]:
    database = database_of(request)
    async with database.transaction() as session:
        yield session
    database.nudge_relay()


async def _claim(request: Request, session: AsyncSession) -> None:
    key = await key_of(request)
    if key is None:
        return
    values = {"caller": key.caller, "key": key.key}
    claimed = await session.execute(_CLAIM, {**values, "body_hash": key.body_hash})
    if claimed.first() is None:
        row = (await session.execute(_STORED, values)).one()
        raise ReplayedAnswer(replay(key, StoredAnswer(*row)))
    request.state.idempotency = (key, session)


class IdempotentRoute(APIRoute):
    """Stores the answer beside the claimed key while the transaction is still open."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await original(request)
            except ReplayedAnswer as replayed:
                return replayed.response
            claimed = getattr(request.state, "idempotency", None)
            if claimed is not None:
                key, session = claimed
                await _store(key, session, response)
            return response

        return handle


async def _store(key: Key, session: AsyncSession, response: Response) -> None:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    await session.execute(
        _STORE,
        {
            "caller": key.caller,
            "key": key.key,
            "status": response.status_code,
            "headers": to_json(headers),
            "body": bytes(response.body),
        },
    )


#: The one transaction of a request: commits before any byte of the answer leaves.
Session = Annotated[AsyncSession, Depends(_unit_of_work, scope="function")]
#: The same for a POST whose answer is a secret or personal data: it must not be stored, so that a
#: key is ignored and a repeat is done again.
UnkeyedSession = Annotated[AsyncSession, Depends(_unkeyed, scope="function")]


async def prune(session: AsyncSession) -> None:
    """Forget keys nobody can be repeating any more."""
    await session.execute(_PRUNE, {"days": KEEP_DAYS})
