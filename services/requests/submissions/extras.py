"""What a submission may bring besides: an agent, an organisation, files, a draft it came from."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from contracts.catalogue import BundleState
from servicekit.auth import Caller
from servicekit.database import to_json
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from services.requests.models import PartyRole
from services.requests.submissions.matters import Matter
from services.requests.submissions.schemas import RequestCreate
from services.requests.submissions.statement import BundleRow, Claim, FileRow, Json, PartyRow

PARTY_NAME, PARTY_IDENTITY, PARTY_MOBILE = (
    "request_party.name",
    "request_party.identity_number",
    "request_party.mobile",
)


def party_rows(
    body: RequestCreate, request_id: UUID, caller: Caller, cipher: Cipher
) -> tuple[PartyRow, ...]:
    """The agent and the organisation; a resident who names an agent is that agent."""
    rows = []
    if body.agent is not None:
        agent = body.agent
        rows.append(
            PartyRow(
                id=new_id(),
                request_id=request_id,
                role=PartyRole.agent,
                account_id=caller.account_id if caller.is_resident else None,
                name=cipher.encrypt(agent.name, PARTY_NAME),
                identity_number=cipher.encrypt(agent.identity_number, PARTY_IDENTITY),
                identity_index=cipher.blind_index(agent.identity_number, PARTY_IDENTITY),
                mobile=cipher.encrypt(agent.mobile, PARTY_MOBILE),
                mobile_index=cipher.blind_index(agent.mobile, PARTY_MOBILE),
                uscc=None,
                relation=agent.relation,
                authority=Json(to_json(agent.authority.model_dump(mode="json"))),
                valid_until=agent.authority.valid_until,
            )
        )
    if body.organisation is not None:
        rows.append(
            PartyRow(
                id=new_id(),
                request_id=request_id,
                role=PartyRole.organisation,
                account_id=None,
                name=cipher.encrypt(body.organisation.name, PARTY_NAME),
                identity_number=None,
                identity_index=None,
                mobile=None,
                mobile_index=None,
                uscc=body.organisation.uscc,
                relation=None,
                authority=None,
                valid_until=None,
            )
        )
    return tuple(rows)


def file_rows(
    matters: list[Matter],
    request_id: UUID,
    caller: Caller,
    now: datetime,
    reused: Mapping[UUID, UUID],
) -> tuple[FileRow, ...]:
    """A row for each file of each material; `reused` maps earlier materials to their uploads."""
    rows = []
    for matter in matters:
        for material in matter.body.materials:
            files: list[tuple[UUID, UUID | None]] = [
                (upload_id, None) for upload_id in material.upload_ids
            ]
            files += [(reused[earlier], earlier) for earlier in material.reuse]
            for position, (upload_id, earlier) in enumerate(files):
                rows.append(
                    FileRow(
                        id=new_id(),
                        request_id=request_id,
                        case_id=matter.case_id,
                        code=material.code,
                        position=position,
                        upload_id=upload_id,
                        origin="reuse" if earlier else "submission",
                        reused_from=earlier,
                        added_by=caller.account_id,
                        added_at=now,
                    )
                )
    return tuple(rows)


def bundle_rows(bundle: BundleState | None, request_id: UUID) -> tuple[BundleRow, ...]:
    """The bundle a request was handed in as, in the version it had."""
    if bundle is None:
        return ()
    return (BundleRow(request_id, bundle.bundle_id, bundle.bundle_code, bundle.version),)


def uploads_of(body: RequestCreate) -> set[UUID]:
    """Every upload a submission hands in."""
    found = {
        upload_id
        for item in body.items
        for material in item.materials
        for upload_id in material.upload_ids
    }
    if body.agent is not None:
        found.update(body.agent.authority.upload_ids)
    return found


def reused_of(body: RequestCreate) -> set[UUID]:
    """Every earlier material a submission takes over."""
    return {earlier for item in body.items for m in item.materials for earlier in m.reuse}


def claims(request_id: UUID, ids: set[UUID]) -> tuple[Claim, ...]:
    return tuple(Claim(request_id, each) for each in sorted(ids))
