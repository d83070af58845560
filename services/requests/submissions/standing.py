"""Who hands in for whom: a resident for themselves or as an agent, staff for who stands before them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from contracts.values import Channel
from servicekit.auth import Caller
from servicekit.personal_data import Cipher
from services.requests.submissions.schemas import RequestCreate

#: Role → the channels it may hand in by.
CHANNELS: dict[str, frozenset[Channel]] = {
    "resident": frozenset({Channel.portal, Channel.mini_program, Channel.self_service_terminal}),
    "window-clerk": frozenset({Channel.window, Channel.telephone}),
    "village-agent": frozenset({Channel.agent, Channel.window, Channel.telephone}),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """For whose account a request is kept, and who took it in for them."""

    applicant_id: UUID
    submitted_by: UUID | None = None
    submitter_name: str | None = None
    submitted_unit: str | None = None


def may_use(caller: Caller, channel: Channel) -> bool:
    """Whether a channel is one of the caller's."""
    return any(channel in CHANNELS.get(role, ()) for role in caller.roles)


def standing_of(caller: Caller, body: RequestCreate, cipher: Cipher) -> Standing:
    """The standing of a submission.

    Raises:
        WrongDivision: staff may take in only for the division they act for.
    """
    if caller.is_resident:
        return Standing(caller.account_id)
    caller.ensure_covers(body.division_code)
    return Standing(
        person_id(cipher, body.applicant.identity_number),
        caller.account_id,
        caller.name,
        caller.unit,
    )


def person_id(cipher: Cipher, identity_number: str) -> UUID:
    """A stable id for a person without an account, of which nobody learns the identity number.

    Source: RFC 9562 §5.8 (version 8).
    """
    raw = bytearray(cipher.tag(identity_number, "person_id")[:16])
    raw[6] = 0x80 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return UUID(bytes=bytes(raw))


def speaks_for(row: Any, caller: Caller) -> bool:
    """Whether a resident may see a request or case as the applicant does.

    `row` has `applicant_id` and `claimed_by`, the accounts of an agent and of who has claimed the
    request.
    """
    return caller.is_resident and (
        row.applicant_id == caller.account_id or caller.account_id in (row.claimed_by or ())
    )


def acts_for(row: Any, caller: Caller, today: date) -> bool:
    """Whether a resident may act as the applicant: an agent only while their power lasts.

    `row` has `agent_id` and `agent_until` besides.
    """
    if not speaks_for(row, caller):
        return False
    is_agent = row.agent_id == caller.account_id
    return not (is_agent and row.agent_until is not None and row.agent_until < today)
