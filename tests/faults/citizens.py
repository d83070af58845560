"""People with phones on a weak network: they retry with the same key and remember every answer."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from joserfc.jwk import KeySet

from devstack.stack import Stack
from devstack.walk.story import ANSWERS, PERSON
from tests.support.tokens import resident

ITEM_CODE = "provisional:disabled-living-allowance"
VILLAGE = "140802100201"
GIVE_UP_SECONDS = 90.0
RETRY_SECONDS = 0.1


@dataclass
class Acknowledged:
    """A submission that was answered 201, and what the resident then did."""

    number: str
    case_id: str
    answer: bytes
    withdrawn: bool = False


@dataclass
class Record:
    """Everything a load got back."""

    requests: list[Acknowledged] = field(default_factory=list)
    retries: int = 0
    #: Seconds from the first try to the answer, by request.
    seconds: list[float] = field(default_factory=list)


class Citizens:
    """Submits directly to the requests service, with tokens signed by the gateway's own key."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        keys = json.loads(stack.around.secrets.signing_keys_file.read_text())
        self.key = KeySet.import_key_set(keys).keys[0]
        self._url = f"http://127.0.0.1:{stack.ports.http('requests')}"
        self._client = httpx.AsyncClient(base_url=self._url, timeout=10, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    def headers(self, account_id: UUID) -> dict[str, str]:
        return resident(account_id, key=self.key)

    async def wait_until_intake_knows_the_item(self) -> None:
        async def probe() -> bool:
            sent = await self._post("/v1/requests", uuid4(), {}, body())
            return sent is not None and sent.status_code == 201

        await until("intake knows the item", probe)

    async def submit(self, record: Record, *, withdraw: bool = True) -> Acknowledged:
        """Submit as a phone would: the same key until an answer comes; then take it back."""
        account_id = uuid4()
        key = {"Idempotency-Key": str(uuid4())}
        started = time.monotonic()
        answer = await self._insist("/v1/requests", account_id, key, body(), record, want=201)
        record.seconds.append(time.monotonic() - started)
        receipt = answer.json()
        taken = Acknowledged(receipt["number"], receipt["cases"][0]["id"], answer.content)
        record.requests.append(taken)
        if withdraw:
            await self._insist(
                f"/v1/cases/{taken.case_id}/actions/withdraw",
                account_id,
                {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'},
                {},
                record,
                want=200,
            )
            taken.withdrawn = True
        return taken

    async def load(
        self, record: Record, *, clients: int, seconds: float, pause: float = 0.0
    ) -> None:
        """Keep `clients` people submitting for a bounded time."""
        deadline = time.monotonic() + seconds

        async def person() -> None:
            while time.monotonic() < deadline:
                await self.submit(record)
                await asyncio.sleep(pause)

        await asyncio.gather(*(person() for _ in range(clients)))

    async def _insist(
        self,
        path: str,
        account_id: UUID,
        headers: dict[str, str],
        content: dict[str, Any],
        record: Record,
        *,
        want: int,
    ) -> httpx.Response:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            answer = await self._post(path, account_id, headers, content)
            if answer is not None and answer.status_code == want:
                return answer
            if answer is not None and answer.status_code < 500:
                raise AssertionError(f"{path} answered {answer.status_code}: {answer.text}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} gave no answer within {GIVE_UP_SECONDS:.0f} s")
            record.retries += 1
            await asyncio.sleep(RETRY_SECONDS)

    async def _post(
        self, path: str, account_id: UUID, headers: dict[str, str], content: dict[str, Any]
    ) -> httpx.Response | None:
        keys = {"Idempotency-Key": str(uuid4())} | headers | self.headers(account_id)
        try:
            return await self._client.post(path, json=content, headers=keys)
        except httpx.TransportError:
            return None


def body() -> dict[str, Any]:
    return {
        "division_code": VILLAGE,
        "channel": "mini-program",
        "applicant": PERSON,
        "items": [{"item_code": ITEM_CODE, "answers": ANSWERS}],
    }


async def until(what: str, probe: Callable[[], Awaitable[bool]], *, seconds: float = 60.0) -> None:
    """Poll until something holds."""
    deadline = time.monotonic() + seconds
    while not await probe():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(0.05)
