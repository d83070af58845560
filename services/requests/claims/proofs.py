"""What the gateway has proven of a resident, handed on by the resident."""

from uuid import UUID

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from servicekit.auth import ALGORITHM, ISSUER, LEEWAY_SECONDS, PROOF_AUDIENCE, KeySource
from servicekit.errors import Invalid


class ProofInvalid(Invalid):
    code, title = "proof-invalid", "手机号证明无效或已过期，请重新获取"


async def proven_mobile(source: KeySource, proof: str, account_id: UUID) -> str:
    """The telephone number that the gateway has proven of an account.

    Raises:
        ProofInvalid: it is no proof of ours, is over, or is about somebody else.
        KeysUnavailable: no public key can be had yet.
    """
    try:
        return _mobile(proof, await source.keys(fresh=False), account_id)
    except InvalidKeyIdError:  # the keys may have been rotated
        keys = await source.keys(fresh=True)
    except (JoseError, ValueError, KeyError):
        raise ProofInvalid from None
    try:
        return _mobile(proof, keys, account_id)
    except (JoseError, ValueError, KeyError):
        raise ProofInvalid from None


def _mobile(proof: str, keys: KeySet, account_id: UUID) -> str:
    claims = jwt.decode(proof, keys, algorithms=[ALGORITHM]).claims
    jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": PROOF_AUDIENCE},
        sub={"essential": True, "value": str(account_id)},
        exp={"essential": True},
    ).validate(claims)
    return str(claims["mobile"])
