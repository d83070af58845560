"""A submitted case and the people around it."""

from typing import Any
from uuid import UUID

from tests.requests import factories
from tests.requests.factories import COUNTY_UNIT
from tests.support.service import RunningService
from tests.support.tokens import bearer, resident

CLERK = {"division": "140802001000", "unit": factories.TOWNSHIP_WINDOW}
HANDLER = {"division": "140802000000", "unit": COUNTY_UNIT}
HEALTH = "140802000000:health"
DISABLED = "140802000000:disabled-federation"


class Case:
    """A case and the people around it; `act` keeps its version."""

    def __init__(self, service: RunningService, applicant_id: UUID, receipt: dict[str, Any]):
        self.service = service
        self.applicant = resident(applicant_id)
        self.clerk = bearer("window-clerk", name="周窗口", **CLERK)
        self.handler = bearer("handler", name="李经办", **HANDLER)
        self.supervisor = bearer("supervisor", division="140802000000")
        self.id = receipt["cases"][0]["id"]
        self.version = 1

    async def act(self, who, action, *, version=None, headers=None, **body):
        answer = await self.service.client.post(
            f"/v1/cases/{self.id}/actions/{action}",
            json=body,
            headers=who | {"If-Match": f'"{version or self.version}"'} | (headers or {}),
        )
        if answer.status_code == 200:
            self.version = answer.json()["version"]
        return answer

    async def done(self, who, action, **body) -> None:
        """Take a step that must succeed."""
        answer = await self.act(who, action, **body)
        assert answer.status_code == 200, answer.text

    async def refused(self, who, action, **body) -> tuple[int, str]:
        """Take a step that must fail; status and code."""
        before = await self.row()
        answer = await self.act(who, action, **body)
        assert await self.row() == before
        return answer.status_code, answer.json()["code"]

    async def read(self, who):
        return await self.service.client.get(f"/v1/cases/{self.id}", headers=who)

    async def row(self) -> dict[str, Any]:
        [row] = await self.service.fetch("SELECT * FROM service_case WHERE id = $1", self.id)
        return dict(row)

    async def fire(self, handler, subject_id: UUID | None = None) -> None:
        """Let a timer fire."""
        async with self.service.database.transaction() as session:
            await handler(session, subject_id or UUID(self.id))

    async def last_event(self) -> tuple[str, dict[str, Any]]:
        """Short type and body of the newest event."""
        type_, body = (await self.service.events())[-1]
        return type_.rsplit(".", 2)[1], body


async def event_types(service: RunningService) -> list[str]:
    return [event_type.rsplit(".", 2)[1] for event_type, _ in await service.events()]
