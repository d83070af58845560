"""档案导出: one case as a ZIP file, readable without us, with the digest of every entry."""

import hashlib
import tempfile
import zipfile
from collections.abc import AsyncIterator
from typing import IO, Any

from servicekit.personal_data import Cipher
from services.requests.archives import rules
from services.requests.archives.service import Checked, Contents
from services.requests.materials.rules import ALLOWED
from services.requests.materials.store import Part, key_bytes
from services.requests.materials.uploads import CONTENT_KEY, Files

_SPOOL_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024
#: Entries carry no time of their own: the same case gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class _Bundle:
    """A ZIP file in the making, with the digests of what is in it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
        self.digests[name] = hashlib.sha256(content).hexdigest()

    async def add_pieces(self, name: str, pieces: AsyncIterator[bytes]) -> None:
        digest = hashlib.sha256()
        with self._zip.open(zipfile.ZipInfo(name, _EPOCH), "w") as entry:
            async for piece in pieces:
                entry.write(piece)
                digest.update(piece)
        self.digests[name] = digest.hexdigest()

    def close(self) -> None:
        self._zip.close()


async def bundle(
    contents: Contents,
    checked: Checked | None,
    files: Files,
    cipher: Cipher,
    parts: dict[Any, list[Part]],
) -> AsyncIterator[bytes]:
    """Yield the ZIP file of a case; `parts`: upload → where its pieces lie.

    It holds `record.json`, `person.json`, `history.json`, `proceedings.json`, the files under
    `materials/`, and `manifest.json` with the SHA-256 of each and the seal.
    """
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as target:
        made = _Bundle(target)
        made.add("record.json", rules.canonical(contents.record))
        made.add("person.json", rules.canonical(contents.person))
        made.add("history.json", rules.canonical(contents.history))
        made.add("proceedings.json", rules.canonical(contents.proceedings))
        for each in contents.materials:
            if each["content_key"] is None:
                continue
            suffix = ALLOWED.get(each["media_type"], "bin")
            name = f"materials/{each['code']}-v{each['version']}-{each['position']}.{suffix}"
            key = key_bytes(cipher.decrypt(each["content_key"], CONTENT_KEY))
            pieces = files.open_store.read(each["upload_id"], parts[each["upload_id"]], key)
            await made.add_pieces(name, pieces)
        manifest = {"files": made.digests, "seal": _seal(checked)}
        made.add("manifest.json", rules.canonical(manifest))
        made.close()
        target.seek(0)
        while chunk := target.read(_CHUNK_BYTES):
            yield chunk


def _seal(checked: Checked | None) -> dict[str, Any] | None:
    if checked is None:
        return None
    archive = checked.archive
    return {
        "digest": archive.digest,
        "manifest": archive.manifest,
        "sealed_at": archive.sealed_at,
        "condition": checked.condition,
    }
