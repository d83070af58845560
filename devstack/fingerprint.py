"""Tells whether the databases were set up from exactly this source and this data."""

import hashlib
from pathlib import Path

from devstack.layout import ROOT

_WATCHED = ("contracts", "servicekit", "services", "gateway", "data")


def fingerprint(extra: str, root: Path = ROOT) -> str:
    """A digest of every file that `migrate` and `seed` could read, and of `extra`."""
    digest = hashlib.sha256(extra.encode())
    for folder in _WATCHED:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(root)).encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
