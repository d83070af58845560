"""What proves that somebody may rate a service: signed tokens and look-up codes; pure but for keys.

A token is the invitation's id and its last day under a keyed hash: a forged one is refused without
asking the database. A code is derived from the service's id: nothing is stored, nothing is sent
about between services. See ADR 0032.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from servicekit.personal_data import Cipher

_INVITATION, _DEVICE, _CODE = "invitation.token", "rating_device.token", "evaluable.code"
_MAC_BYTES, _ID_BYTES, _NUMBER_BYTES = 16, 16, 4
_LENGTH = _ID_BYTES + _NUMBER_BYTES + _MAC_BYTES
#: Without what is read wrongly on paper and the telephone: 0 and O, 1, I and L.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8


class Kind(StrEnum):
    """What a token is for; one kind is never taken for another."""

    invitation = _INVITATION
    device = _DEVICE


@dataclass(frozen=True, slots=True)
class Claim:
    """What a genuine token says: whose it is, and a number (last day, or version)."""

    id: UUID
    number: int


def sign(cipher: Cipher, kind: Kind, claim: Claim) -> str:
    """Make the token of a claim: 48 characters that need no escaping in a link."""
    body = claim.id.bytes + claim.number.to_bytes(_NUMBER_BYTES, "big")
    return base64.urlsafe_b64encode(body + _mac(cipher, kind, body)).decode()


def verify(cipher: Cipher, kind: Kind, token: str) -> Claim | None:
    """What a token says, or None when we did not make it."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != _LENGTH:
        return None
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(cipher, kind, body)):
        return None
    return Claim(UUID(bytes=body[:_ID_BYTES]), int.from_bytes(body[_ID_BYTES:], "big"))


def invitation_token(cipher: Cipher, invitation_id: UUID, expires_on: date) -> str:
    """The token of an invitation."""
    return sign(cipher, Kind.invitation, Claim(invitation_id, expires_on.toordinal()))


def look_up_code(cipher: Cipher, evaluable_id: UUID) -> str:
    """The eight characters that open a service to rating beside its case number (39 bits)."""
    number = int.from_bytes(cipher.blind_index(str(evaluable_id), _CODE), "big")
    characters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[place])
    return "".join(characters)


def is_code(cipher: Cipher, evaluable_id: UUID, given: str) -> bool:
    """Whether a code is the service's; spaces, dashes and small letters do not matter."""
    bare = given.replace(" ", "").replace("-", "").upper()
    return hmac.compare_digest(bare.encode(), look_up_code(cipher, evaluable_id).encode())


def _mac(cipher: Cipher, kind: Kind, body: bytes) -> bytes:
    return cipher.blind_index(body.hex(), kind.value)[:_MAC_BYTES]
