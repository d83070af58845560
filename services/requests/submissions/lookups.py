"""查询码: a code only we can make of a request's number; it is stored nowhere."""

import hmac

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import NotFound
from servicekit.personal_data import Cipher
from services.requests.submissions import repository
from services.requests.submissions.numbers import is_request_number
from services.requests.submissions.schemas import LookupBody, Progress

_CONTEXT = "citizen_request.lookup_code"
#: Digits and capitals that nobody takes for one another on paper: no 0, 1, I, O. 5 bits each.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH = 8


class LookupFailed(NotFound):
    code, title = "lookup-failed", "申请编号或查询码不对，请核对后再试"


def lookup_code(cipher: Cipher, number: str) -> str:
    """The code of a request, as printed: XXXX-XXXX, 40 bits.

    Made of the number alone, so that a repeated submission gets it again.
    """
    bits = int.from_bytes(cipher.tag(number, _CONTEXT)[:_LENGTH], "big")
    chars = "".join(_ALPHABET[(bits >> 5 * place) & 31] for place in range(_LENGTH))
    return f"{chars[:4]}-{chars[4:]}"


def is_code_of(cipher: Cipher, number: str, given: str) -> bool:
    """Whether a code is the number's; takes as long for any number and any code."""
    plain = "".join(char for char in given.upper() if char.isalnum())
    wanted = lookup_code(cipher, number).replace("-", "")
    return hmac.compare_digest(plain.encode(), wanted.encode())


async def look_up(session: AsyncSession, cipher: Cipher, body: LookupBody) -> Progress:
    """How a request stands, for whoever holds its receipt.

    A wrong number and a wrong code are told alike, and the table is asked only when the code is
    right: neither the answer nor its time tells which numbers exist.

    Raises:
        LookupFailed: number or code is wrong.
    """
    number = body.number.strip()
    if not is_code_of(cipher, number, body.lookup_code) or not is_request_number(number):
        raise LookupFailed
    found = await repository.find_by_number(session, number)
    if found is None:
        raise LookupFailed
    return Progress.model_validate(found, from_attributes=True)
