"""Keyed hashes of devices, telephones, accounts and words: equal for equal, telling nothing else."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Header

from servicekit.personal_data import Cipher

DEVICE, PHONE, ACCOUNT, WORDS = "rating.device", "rating.phone", "rating.account", "rating.words"
#: Shorter texts are the same by chance: 很好, 满意, 谢谢.
FEWEST_CHARACTERS = 8
_NOT_WORDS = re.compile(r"[\W_]+")

#: Of the app or the browser, made by itself once; it is kept as a keyed hash only.
Device = Annotated[
    str | None,
    Header(alias="X-Device-Id", pattern=r"^[0-9A-Za-z._-]{8,128}$", description="设备标识"),
]


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What a rating was given with, each as 32 bytes."""

    device: bytes | None = None
    phone: bytes | None = None
    account: bytes | None = None

    @classmethod
    def of(
        cls,
        cipher: Cipher,
        *,
        device: str | None = None,
        phone: str | None = None,
        account: UUID | None = None,
    ) -> "Fingerprints":
        """Hash what is there."""
        return cls(
            cipher.blind_index(device, DEVICE) if device else None,
            cipher.blind_index(phone, PHONE) if phone else None,
            cipher.blind_index(str(account), ACCOUNT) if account else None,
        )


def words_hash(cipher: Cipher, words: str) -> bytes | None:
    """Hash a text without spaces and punctuation; None for one too short to be telling."""
    bare = _NOT_WORDS.sub("", unicodedata.normalize("NFKC", words)).casefold()
    return cipher.blind_index(bare, WORDS) if len(bare) >= FEWEST_CHARACTERS else None
