"""The keys that sign access tokens: read from a JWKS file, re-read when the file changes.

Rotation without a refused token, with several gateways: add the new key at the end, wait until
every gateway publishes it (`KEYS_MAX_AGE_SECONDS` of servicekit.auth at most for the services),
move it to the front, and remove the old one when the last token it signed has expired. With one
gateway the new key may go straight to the front: services fetch the keys anew for an unknown id.
"""

import json
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from servicekit.logging import logger

CURVE = "P-256"
#: What reading a file of anything can end with.
_UNUSABLE = (OSError, ValueError, KeyError, TypeError, JoseError)


class SigningKeysUnusable(SystemExit):
    """The file of signing keys is missing, or holds something else."""


class KeyRing:
    """Signing keys, newest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed_at = 0.0
        try:
            self._load()
        except _UNUSABLE as error:
            raise SigningKeysUnusable(f"signing keys in {path}: {error}") from error

    @property
    def signing(self) -> ECKey:
        """The key that signs."""
        return self._keys[0]

    @property
    def published(self) -> dict[str, Any]:
        """The JWKS document: public parts only."""
        return self._published

    async def keys(self, *, fresh: bool) -> KeySet:  # noqa: ARG002 - KeySource of servicekit.auth
        """All keys, for verification."""
        return self._set

    def reload(self) -> bool:
        """Read the file again if it changed; an unusable file leaves the old keys in place."""
        try:
            if self._path.stat().st_mtime == self._changed_at:
                return False
            self._load()
        except _UNUSABLE as error:
            logger.error("signing_keys_unusable", error=repr(error))
            return False
        logger.info("signing_keys_loaded", signing=self.signing.kid, keys=len(self._keys))
        return True

    def _load(self) -> None:
        changed_at = self._path.stat().st_mtime
        document = json.loads(self._path.read_text())
        keys = [_signing_key(entry) for entry in document["keys"]]
        if not keys:
            raise ValueError("no key")
        if len({key.kid for key in keys}) != len(keys):
            raise ValueError("two keys share an id")
        self._keys = keys
        self._set = KeySet(list(keys))
        self._published = {"keys": [_public(key) for key in keys]}
        self._changed_at = changed_at


def _signing_key(entry: Any) -> ECKey:
    key = ECKey.import_key(entry)
    if not key.is_private or key.curve_name != CURVE or not key.kid:
        raise ValueError("every key needs a kid and must be a private P-256 key")
    return key


def _public(key: ECKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", "alg": "ES256"}
