"""Residents and staff who go on through a storm, and remember every answer they got."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from devstack.stack import Stack
from services.requests.cases.effects import SILENCE
from tests.faults.citizens import Citizens, body, until
from tests.support.tokens import bearer

TOWNSHIP, COUNTY = "140802100000", "140802000000"
CLERK = {"division": TOWNSHIP, "department": "one-window", "unit": f"{TOWNSHIP}:one-window"}
HANDLER = {
    "division": COUNTY,
    "department": "civil-affairs",
    "unit": f"{COUNTY}:civil-affairs",
}
_FIVE_DAYS_LATER = "UPDATE timer SET due_at = now() WHERE kind = $1 AND subject_id = $2"
LEVELS = {"very-satisfied": "517", "satisfied": "413", "fairly-satisfied": "314"}


@dataclass
class Matter:
    """One request that was answered 201, and how far its people got."""

    number: str
    case_id: str
    account_id: UUID
    #: Actions that were answered 200, in order.
    done: list[str] = field(default_factory=list)
    #: The level that was answered 201.
    rated: str | None = None
    #: Nobody answered for five working days: the clock accepts it.
    is_silent: bool = False

    @property
    def version(self) -> int:
        """Of its case, when everything has happened once."""
        return 1 + len(self.done) + self.is_silent


@dataclass
class Diary:
    """What the crowd got back."""

    matters: list[Matter] = field(default_factory=list)
    retries: int = 0
    #: Answers that no retry can mend: a fault of ours.
    wrong: list[str] = field(default_factory=list)
    #: When somebody was answered as hoped.
    answered_at: list[float] = field(default_factory=list)
    longest_wait_seconds: float = 0.0

    def longest_silence_seconds(self) -> float:
        """The longest time in which nobody of the crowd was answered."""
        pairs = zip(self.answered_at, self.answered_at[1:], strict=False)
        return max((later - earlier for earlier, later in pairs), default=0.0)


class Wrong(Exception):
    """An answer that the caller did nothing to deserve."""


class Crowd:
    """People with phones and people at windows, all through the gateway."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.diary = Diary()
        self._stack = stack
        self._citizens = Citizens(stack)
        self._random = random.Random(seed)
        self._client = httpx.AsyncClient(base_url=stack.gateway_url, timeout=8, trust_env=False)
        self._going_on = True
        #: When requests were first sent and when they were answered.
        self._submitted: list[tuple[float, float]] = []

    async def close(self) -> None:
        await self._citizens.close()
        await self._client.aclose()

    async def wait_until_intake_knows_the_item(self) -> None:
        await self._citizens.wait_until_intake_knows_the_item()

    @property
    def key(self) -> Any:
        """The gateway's own, with which the crowd's tokens are signed."""
        return self._citizens.key

    async def next_submission(self, *, after: float) -> float:
        """Poll until somebody's request that was sent after a moment is answered; when that was."""

        async def answered() -> bool:
            return any(sent >= after for sent, _ in self._submitted)

        await until("somebody is answered again", answered, seconds=90)
        return min(at for sent, at in self._submitted if sent >= after)

    def go_home(self) -> None:
        """Begin nothing new; what was begun is finished."""
        self._going_on = False

    async def people(self, count: int) -> None:
        """Keep so many people at their matters until they are sent home."""
        await asyncio.gather(*(self._person() for _ in range(count)))

    async def _person(self) -> None:
        while self._going_on:
            try:
                await self._matter()
            except Wrong as error:
                self.diary.wrong.append(str(error))

    async def _matter(self) -> None:
        account_id = uuid4()
        mine = self._citizens.headers(account_id)
        sent = time.monotonic()
        receipt = (await self._insist("/v1/requests", mine, body(), want=201)).json()
        self._submitted.append((sent, time.monotonic()))
        matter = Matter(receipt["number"], receipt["cases"][0]["id"], account_id)
        self.diary.matters.append(matter)
        fate = self._random.random()
        if fate < 0.3:
            await self._act(matter, mine, "withdraw", {})
        elif fate < 0.6:
            await self._handle(matter)
            await self._rate(matter, mine)
        elif fate < 0.75:
            await self._let_five_days_pass(matter)

    async def _let_five_days_pass(self, matter: Matter) -> None:
        """Bring the moment at which silence accepts to now; everything after that is the worker's."""
        dsn = self._stack.around.database_url["requests"]
        while not matter.is_silent:
            try:
                connection = await asyncpg.connect(dsn, timeout=8, command_timeout=8)
                try:
                    await connection.execute(_FIVE_DAYS_LATER, SILENCE, UUID(matter.case_id))
                finally:
                    connection.terminate()
                matter.is_silent = True
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)

    async def _handle(self, matter: Matter) -> None:
        await self._act(matter, self._staff("window-clerk", CLERK), "accept", {})
        handler = self._staff("handler", HANDLER)
        await self._act(matter, handler, "decide", {"granted": True})
        await self._act(matter, handler, "complete", {"result_code": 0})

    async def _rate(self, matter: Matter, mine: dict[str, str]) -> None:
        """Rate when evaluation has heard of it; a resident does not wait for ever."""
        for _ in range(20):
            found = (await self._insist("/v1/evaluables", mine, None, want=200)).json()["items"]
            done = [each for each in found if each["case_id"] == matter.case_id]
            if done:
                level = self._random.choice(list(LEVELS))
                rating = {
                    "evaluable_id": done[-1]["id"],
                    "level": level,
                    "tags": [LEVELS[level]],
                    "channel": "mini-program",
                    "assess_number": 1,
                }
                await self._insist("/v1/ratings", mine, rating, want=201)
                matter.rated = level
                return
            await asyncio.sleep(0.5)

    def _staff(self, role: str, claims: dict[str, str]) -> dict[str, str]:
        return bearer(role, key=self.key, **claims)

    async def _act(
        self, matter: Matter, who: dict[str, str], action: str, content: dict[str, Any]
    ) -> None:
        path = f"/v1/cases/{matter.case_id}"
        read = await self._insist(path, who, None, want=200)
        headers = who | {"If-Match": read.headers["etag"]}
        await self._insist(f"{path}/actions/{action}", headers, content, want=200)
        matter.done.append(action)

    async def _insist(
        self, path: str, headers: dict[str, str], content: dict[str, Any] | None, *, want: int
    ) -> httpx.Response:
        """Try with the same key until an answer comes, as a phone on a weak network does.

        Raises:
            Wrong: an answer came that a correct caller never gets.
        """
        key = {"Idempotency-Key": str(uuid4())}
        started = time.monotonic()
        while True:
            answer = await self._try(path, headers | key, content)
            if answer is not None and answer.status_code == want:
                now = time.monotonic()
                self.diary.answered_at.append(now)
                waited = max(self.diary.longest_wait_seconds, now - started)
                self.diary.longest_wait_seconds = waited
                return answer
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                raise Wrong(f"{path} answered {answer.status_code}: {answer.text}")
            self.diary.retries += 1
            await asyncio.sleep(0.1)

    async def _try(
        self, path: str, headers: dict[str, str], content: dict[str, Any] | None
    ) -> httpx.Response | None:
        try:
            if content is None:
                return await self._client.get(path, headers=headers)
            return await self._client.post(path, json=content, headers=headers)
        except httpx.TransportError:
            return None
