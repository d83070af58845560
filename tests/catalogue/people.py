"""Who works with the catalogue in tests, and the usual things they do."""

from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import Envelope
from contracts.evaluation import ScoreChanged
from servicekit.outbox import now
from services.catalogue.scores.consumers import keep_score
from tests.catalogue.factories import COUNTY, make_content, make_item
from tests.support.service import RunningService
from tests.support.tokens import bearer


class People:
    """An editor and an approver of a division, with stable accounts."""

    def __init__(self, service: RunningService) -> None:
        self._service = service
        self.division = COUNTY
        self.editor_id = uuid4()
        self.approver_id = uuid4()

    def editor(
        self, *, division: str | None = None, account_id: UUID | None = None
    ) -> dict[str, str]:
        return bearer(
            "catalogue-editor",
            account_id=account_id or self.editor_id,
            division=division or self.division,
            name="编辑员",
        )

    def approver(
        self, *, division: str | None = None, account_id: UUID | None = None
    ) -> dict[str, str]:
        return bearer(
            "catalogue-approver",
            account_id=account_id or self.approver_id,
            division=division or self.division,
            name="审核员",
        )

    async def tag(self, item_id: str) -> str:
        """The version that If-Match wants now."""
        answer = await self._service.client.get(f"/v1/items/{item_id}", headers=self.editor())
        return answer.headers["etag"]

    async def draft(self, **overrides: Any) -> str:
        """Start an item; returns its id."""
        answer = await self._service.client.post(
            "/v1/items", json=make_item(**overrides), headers=self.editor()
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def act(
        self, item_id: str, action: str, *, reason: str | None = None, **headers: str
    ) -> Any:
        """Take a step as whoever usually takes it; returns the answer."""
        who = self.editor() if action == "submit" else self.approver()
        tag = await self.tag(item_id)
        return await self._service.client.post(
            f"/v1/items/{item_id}/actions/{action}",
            json={"reason": reason},
            headers=who | {"If-Match": tag} | headers,
        )

    async def save(self, item_id: str, **overrides: Any) -> Any:
        """Write the working copy; returns the answer."""
        return await self._service.client.put(
            f"/v1/items/{item_id}/draft",
            json=make_content(**overrides),
            headers=self.editor() | {"If-Match": await self.tag(item_id)},
        )

    async def publish(self, **overrides: Any) -> str:
        """Write, submit and publish an item with two hands; returns its id."""
        item_id = await self.draft(**overrides)
        await self.approve(item_id)
        return item_id

    async def approve(self, item_id: str) -> None:
        """Submit and publish the working copy."""
        for action in ("submit", "publish"):
            answer = await self.act(item_id, action)
            assert answer.status_code == 200, answer.text

    async def state(self, item_id: str) -> dict[str, Any]:
        """How the item's row stands in the database."""
        rows = await self._service.fetch(
            "SELECT status, version, current_version, revision, status_reason FROM item "
            "WHERE id = $1",
            item_id,
        )
        return dict(rows[0])

    async def score(self, *events: ScoreChanged) -> None:
        """Deliver events of evaluation, one after the other."""
        for event in events:
            envelope = Envelope(
                id=uuid4(),
                type=event.event_type,
                source="/evaluation",
                subject=event.key,
                time=now(),
            )
            async with self._service.database.transaction() as session:
                await keep_score(session, event, envelope)
