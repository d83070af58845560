"""The steps of a case: one endpoint for each action that people take, by the table of `acts`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from servicekit.app import create_router
from servicekit.auth import SignedIn
from servicekit.etags import ExpectedVersion, set_etag
from servicekit.idempotency import Session
from services.requests.cases import service
from services.requests.cases.bodies import BODIES, ActionBody
from services.requests.cases.rules import Action
from services.requests.cases.schemas import CaseVersion
from services.requests.reference.endpoints import reference_of

router = create_router("cases")


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody about to act on a case they have read."""

    case_id: UUID
    expected: ExpectedVersion
    caller: SignedIn
    session: Session
    request: Request
    response: Response

    async def take(self, action: Action, body: ActionBody) -> CaseVersion:
        """Take the step and tell the new version."""
        state = self.request.app.state
        version = await service.act(
            self.session,
            reference_of(self.request),
            state.settings,
            state.cipher,
            case_id=self.case_id,
            expected_version=self.expected,
            caller=self.caller,
            action=action,
            body=body,
        )
        set_etag(self.response, version)
        return CaseVersion(version=version)


Acting = Annotated[Step, Depends()]


def _endpoint(
    action: Action, body_type: type[ActionBody]
) -> Callable[[ActionBody, Step], Awaitable[CaseVersion]]:
    async def take(body: body_type, step: Acting) -> CaseVersion:  # type: ignore[valid-type]
        return await step.take(action, body)

    take.__name__ = action.name
    return take


for _action, _body in BODIES.items():
    router.add_api_route(
        f"/cases/{{case_id}}/actions/{_action}",
        _endpoint(_action, _body),
        methods=["POST"],
        description=cleandoc(_body.__doc__ or ""),
    )
