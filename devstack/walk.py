"""The guided case: one real matter from a village to a mended bad rating, through the gateway only."""

import asyncio
import csv
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from devstack.layout import ROOT
from devstack.sign_in import sign_in_resident, sign_in_staff
from devstack.walk_calendar import record_missing_years

#: 中城街道 of 盐湖区: the township whose window clerk is among the development staff.
TOWNSHIP: Final = "140802001000"
COUNTY: Final = "140802000000"
ITEM: Final = "困难残疾人生活补贴"
TYPED: Final = "残疾"
EVENT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1
#: A made-up person: the number's check digit is right, its serial belongs to nobody we know.
PERSON: Final = {"name": "王大友", "identity_number": "14080219620518001X", "mobile": "13700009050"}
ANSWERS: Final = {
    "disability_certificate_number": "14080219620518001X43",
    "disability_category": "肢体残疾",
    "disability_grade": "三级",
    "family_circumstance": "低保家庭",
    "payout_bank": "中国农业银行",
    "bank_account_number": "6228480000000000018",
    "bank_account_holder": "王大友",
    "account_holder_relation": "本人",
}

Say = Callable[[str], None]


class WalkFailed(RuntimeError):
    """A step was not as it should be; the message says which and what came back."""


class Walk:
    """One resident, one clerk, one handler, one supervisor, and the case between them."""

    def __init__(self, gateway_url: str, development_outbox: Path, say: Say) -> None:
        self._client = httpx.AsyncClient(base_url=gateway_url, timeout=20, trust_env=False)
        self._development_outbox = development_outbox
        self._say = say
        self._step = 0

    async def __aenter__(self) -> "Walk":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    # -- how it talks -----------------------------------------------------------------------

    def tell(self, answer: httpx.Response, words: str) -> None:
        """One step in plain words, with what the gateway answered."""
        self._step += 1
        request = answer.request
        self._say(f"{self._step:>2}. {words}")
        self._say(f"      {request.method} {request.url.path} → {answer.status_code}")

    async def call(
        self, method: str, path: str, who: str | None = None, *, want: int = 200, **arguments: Any
    ) -> httpx.Response:
        """Call the gateway and insist on the status.

        Raises:
            WalkFailed: another status came back.
        """
        headers = dict(arguments.pop("headers", {}))
        if who:
            headers["Authorization"] = f"Bearer {who}"
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        answer = await self._client.request(method, path, headers=headers, **arguments)
        if answer.status_code != want:
            raise WalkFailed(
                f"{method} {path} answered {answer.status_code} instead of {want}: {answer.text}"
            )
        return answer

    async def until(self, what: str, probe: Callable[[], Awaitable[Any]]) -> Any:
        """Poll until an event has arrived.

        Raises:
            WalkFailed: it did not within the deadline.
        """
        deadline = time.monotonic() + EVENT_SECONDS
        while time.monotonic() < deadline:
            found = await probe()
            if found:
                return found
            await asyncio.sleep(POLL_SECONDS)
        raise WalkFailed(f"{what} did not happen within {EVENT_SECONDS:.0f} s")

    def insist(self, holds: bool, words: str) -> None:
        """Check something that a status does not show.

        Raises:
            WalkFailed: it does not hold.
        """
        if not holds:
            raise WalkFailed(words)

    async def staff(self, username: str) -> str:
        """Sign a staff member in through the OIDC issuer; return the access token."""
        return await sign_in_staff(self._client, username)

    async def act(self, who: str, path: str, version: int, body: dict[str, Any]) -> httpx.Response:
        """Take a step with a record of a known version."""
        return await self.call("POST", path, who, json=body, headers={"If-Match": f'"{version}"'})

    # -- the story --------------------------------------------------------------------------

    async def run(self) -> None:
        """Walk it.

        Raises:
            WalkFailed: a step was not as it should be.
        """
        await record_missing_years(self)
        village = await self.find_village()
        resident = await sign_in_resident(
            self._client, PERSON["mobile"], self._development_outbox, self.tell
        )
        item_before = await self.find_item(village)
        receipt = await self.submit(resident, village)
        await self.correct_and_accept(resident, receipt)
        await self.decide_and_complete(resident, receipt)
        evaluable = await self.rate_badly(resident, receipt)
        await self.mend(resident, evaluable)
        await self.see_scores(item_before, receipt)

    async def find_village(self) -> dict[str, Any]:
        """A real community, found by part of its name."""
        name = _name_of_a_community()
        answer = await self.call(
            "GET", "/v1/divisions", params={"name": name, "within": TOWNSHIP, "limit": 5}
        )
        found: dict[str, Any] = answer.json()["items"][0]
        self.tell(answer, f"The resident's community is looked up: {found['name']} {found['code']}")
        return found

    async def find_item(self, village: dict[str, Any]) -> dict[str, Any]:
        """The item, by two characters; known to intake once its event has arrived."""

        async def search() -> httpx.Response | None:
            params = {"q": TYPED, "division": village["code"], "limit": 20}
            answer = await self.call("GET", "/v1/search", params=params)
            names = [hit["name"] for hit in answer.json()["items"]]
            return answer if ITEM in names else None

        answer = await self.until(f"{ITEM} in the search", search)
        hits = answer.json()["items"]
        [hit] = [hit for hit in hits if hit["name"] == ITEM]
        self.tell(answer, f"Typing {TYPED} finds {len(hits)} items, among them {ITEM}")
        answer = await self.call("GET", f"/v1/items/{hit['item_id']}")
        item: dict[str, Any] = answer.json()
        self.tell(answer, f"Its guide lists {len(item['materials'])} materials and a form")
        return item

    async def submit(self, resident: str, village: dict[str, Any]) -> dict[str, Any]:
        """Submit, and submit again as a phone with a weak network would."""
        body = {
            "division_code": village["code"],
            "channel": "mini-program",
            "applicant": PERSON,
            "items": [{"item_code": self._item_code, "answers": ANSWERS, "materials": []}],
        }
        key = {"Idempotency-Key": str(uuid4())}

        async def taken_in() -> httpx.Response | None:
            # Right after the very first start intake may not have heard of the item yet.
            explained = await self._client.post(
                "/v1/requests",
                json=body,
                headers=key | {"Authorization": f"Bearer {resident}"},
            )
            unheard = explained.status_code in (404, 422) and explained.json().get("code") in (
                "item-unknown",
                "division-unknown",
            )
            return None if unheard else explained

        answer = await self.until("intake's copy of the item", taken_in)
        if answer.status_code != 201:
            raise WalkFailed(f"the submission answered {answer.status_code}: {answer.text}")
        receipt: dict[str, Any] = answer.json()
        [case] = receipt["cases"]
        self.tell(answer, f"Submitted: number {receipt['number']}, case {case['number']}")
        self._say(f"      unit: {case['unit']['name']}; promised by {case['due_on']}")
        self._say(f"      {receipt['clock_note']}")
        missing = "、".join(material["name"] for material in case["materials_missing"])
        self._say(f"      still to hand in: {missing or 'nothing'}")
        again = await self.call("POST", "/v1/requests", resident, json=body, headers=key, want=201)
        self.insist(again.content == answer.content, "the repeated submission got another answer")
        self.tell(again, "Sent again with the same key: the same receipt, nothing doubled")
        return receipt
