"""How the guided case talks to the gateway, insists, waits, and tells."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

import httpx

EVENT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
CALL_SECONDS: Final = 20.0


Found = TypeVar("Found")


class WalkFailed(RuntimeError):
    """A step was not as it should be; the message says which and what came back."""


class Walker:
    """Calls the gateway for several people; every call must answer as expected."""

    def __init__(self, gateway_url: str, say: Callable[[str], None]) -> None:
        self.client = httpx.AsyncClient(base_url=gateway_url, timeout=CALL_SECONDS, trust_env=False)
        self.say = say
        self._step = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    def tell(self, answer: httpx.Response, words: str, *more: str) -> None:
        """One step in plain words, with what the gateway answered."""
        self._step += 1
        request = answer.request
        self.say(f"{self._step:>3}. {words}")
        self.say(f"     {request.method} {request.url.path} → {answer.status_code}")
        for line in more:
            self.say(f"     {line}")

    async def send(
        self, method: str, path: str, token: str | None = None, **arguments: Any
    ) -> httpx.Response:
        """Call as whoever holds the token; every POST carries an `Idempotency-Key`."""
        headers = dict(arguments.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        return await self.client.request(method, path, headers=headers, **arguments)

    async def call(
        self, method: str, path: str, token: str | None = None, *, want: int = 200, **arguments: Any
    ) -> httpx.Response:
        """Call and insist on the status.

        Raises:
            WalkFailed: another status came back.
        """
        answer = await self.send(method, path, token, **arguments)
        if answer.status_code != want:
            raise WalkFailed(
                f"{method} {path} answered {answer.status_code} instead of {want}: {answer.text}"
            )
        return answer

    async def act(
        self, token: str, record: str, action: str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """Read a record's version, then take a step with it."""
        read = await self.call("GET", record, token)
        headers = {"If-Match": read.headers["etag"]}
        return await self.call(
            "POST", f"{record}/actions/{action}", token, json=body or {}, headers=headers
        )

    async def until(self, what: str, probe: Callable[[], Awaitable[Found | None]]) -> Found:
        """Poll until an event has arrived.

        Raises:
            WalkFailed: it did not within the deadline.
        """
        deadline = time.monotonic() + EVENT_SECONDS
        while time.monotonic() < deadline:
            found = await probe()
            if found is not None:
                return found
            await asyncio.sleep(POLL_SECONDS)
        raise WalkFailed(f"{what} did not happen within {EVENT_SECONDS:.0f} s")

    def insist(self, holds: bool, words: str) -> None:
        """Check what a status does not show.

        Raises:
            WalkFailed: it does not hold.
        """
        if not holds:
            raise WalkFailed(words)
