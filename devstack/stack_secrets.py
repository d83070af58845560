"""Secrets of a development stack: made once, kept in its directory, readable by its owner only."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey

from devstack.layout import DATABASES

DATA_KEY_ID: Final = "development-1"
KEY_BYTES: Final = 32
CURVE: Final = "P-256"


class StackSecrets:
    """Passwords and keys of every service, and the keys that sign tokens."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "secrets.json"
        self.signing_keys_file = directory / "signing-keys.json"
        self.issuer_keys_file = directory / "issuer-keys.json"
        self._values: dict[str, str] = {}

    def load(self) -> None:
        """Read them; make what is missing."""
        if self._file.exists():
            self._values = json.loads(self._file.read_text())
        wanted = {f"{name}.password": _word for name in DATABASES}
        wanted |= {f"{name}.data-key": _key for name in DATABASES}
        wanted |= {f"{name}.blind-index-key": _key for name in DATABASES}
        wanted["oidc-client-secret"] = _word
        missing = {name: make() for name, make in wanted.items() if name not in self._values}
        if missing:
            self._values |= missing
            write_private(self._file, json.dumps(self._values, indent=2) + "\n")
        for path in (self.signing_keys_file, self.issuer_keys_file):
            if not path.exists():
                write_private(path, json.dumps(new_key_set(path.stem)) + "\n")

    def password(self, name: str) -> str:
        return self._values[f"{name}.password"]

    def data_key(self, name: str) -> str:
        return self._values[f"{name}.data-key"]

    def blind_index_key(self, name: str) -> str:
        return self._values[f"{name}.blind-index-key"]

    @property
    def oidc_client_secret(self) -> str:
        return self._values["oidc-client-secret"]


def new_key_set(name: str) -> dict[str, Any]:
    """A JWKS with one private key for ES256."""
    key = ECKey.generate_key(CURVE, {"kid": f"{name}-{secrets.token_hex(4)}", "use": "sig"})
    return {"keys": [key.as_dict(private=True)]}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.rename(path)


def _word() -> str:
    return secrets.token_hex(24)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
