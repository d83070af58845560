"""What may be handed in, and links that prove themselves: pure functions."""

import base64
import hmac
import io
import time
import zipfile
from uuid import UUID

import puremagic

from servicekit.personal_data import Cipher

#: What is read as the beginning of a file.
HEAD_BYTES = 4096
#: Media type → how its files are named. What every window can open and print.
ALLOWED = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/pdf": "pdf",
    "application/ofd": "ofd",  # GB/T 33190 版式文档
}
_ZIP = "application/zip"


def media_type_of(content: bytes) -> str | None:
    """What a file is by its content, or None when it is nothing that may be handed in."""
    try:
        found: list[str] = [
            match.mime_type for match in puremagic.magic_string(content[:HEAD_BYTES])
        ]
    except puremagic.PureError:
        return None
    for media_type in found:
        if media_type in ALLOWED:
            return media_type
    return "application/ofd" if content.startswith(b"PK\x03\x04") and _is_ofd(content) else None


def _is_ofd(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "OFD.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def signature(cipher: Cipher, purpose: str, upload_id: UUID, expires: int) -> str:
    """What makes a link ours: it is for one file, one purpose, until one second."""
    tag = cipher.tag(f"{purpose}:{upload_id}:{expires}", "signed_link")
    return base64.urlsafe_b64encode(tag).rstrip(b"=").decode()


def link(cipher: Cipher, path: str, purpose: str, upload_id: UUID, seconds: int) -> tuple[str, int]:
    """A link that needs no token, and the second (Unix time) in which it ends."""
    expires = int(time.time()) + seconds
    sealed = signature(cipher, purpose, upload_id, expires)
    return f"{path}?expires={expires}&signature={sealed}", expires


def is_ours(cipher: Cipher, purpose: str, upload_id: UUID, expires: int, given: str) -> bool:
    """Whether a link was given by us for this and has not ended."""
    wanted = signature(cipher, purpose, upload_id, expires)
    return hmac.compare_digest(given.encode(), wanted.encode()) and expires > time.time()
