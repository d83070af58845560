"""Personal data: encrypted per field with key ids, found by blind index, masked unless allowed.

Masking rules: 浙里办's published rules (name: first character hidden; identity number: first and
last character; mobile: first three and last four).
"""

import base64
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.identifiers import new_id

_KEY_BYTES = 32
_NONCE_BYTES = 12


class UndecryptableData(Exception):
    """The ciphertext was moved, changed, or its key is gone."""


@dataclass(frozen=True, slots=True)
class Cipher:
    """AES-256-GCM by field: `<key id>.<base64 of nonce and ciphertext>`.

    `context` (table and column) is authenticated, so that a value cannot be moved to another
    column unseen.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    current: str
    index_key: bytes = field(repr=False)
    _suites: dict[str, AESGCM] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError(f"no data key named {self.current!r}")
        if any(not name or "." in name for name in self.keys):
            raise ValueError("the id of a data key is not empty and has no dot: a dot ends it")
        if {len(key) for key in (*self.keys.values(), self.index_key)} != {_KEY_BYTES}:
            raise ValueError(f"data keys and the blind index's key have {_KEY_BYTES} bytes each")
        suites = {name: AESGCM(key) for name, key in self.keys.items()}
        object.__setattr__(self, "_suites", suites)

    def encrypt(self, plain: str, context: str) -> str:
        """Encrypt one value under the current key."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._suites[self.current].encrypt(nonce, plain.encode(), context.encode())
        return f"{self.current}.{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, context: str) -> str:
        """Return the value.

        Raises:
            UndecryptableData: unknown key, other context, or changed bytes.
        """
        key_id, _, packed = stored.partition(".")
        suite = self._suites.get(key_id)
        if suite is None:
            raise UndecryptableData(f"no data key named {key_id!r}")
        try:
            raw = base64.b64decode(packed)
            return suite.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError):
            raise UndecryptableData(context) from None

    def is_current(self, stored: str) -> bool:
        """Whether a value is already under the current key."""
        return stored.startswith(f"{self.current}.")

    def blind_index(self, value: str, context: str) -> bytes:
        """32 bytes that are equal for equal values of one column and tell nothing else."""
        return self.tag(value.strip().upper(), context)

    def tag(self, message: str, context: str) -> bytes:
        """32 bytes only we can make: they prove that a link or a code is ours."""
        return hmac.new(self.index_key, f"{context}\x00{message}".encode(), sha256).digest()


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column whose values a key rotation must re-encrypt; `context` defaults to `table.column`."""

    table: str
    column: str
    key: str = "id"

    @property
    def context(self) -> str:
        return f"{self.table}.{self.column}"


async def rotate(
    session: AsyncSession,
    cipher: Cipher,
    column: EncryptedColumn,
    *,
    batch: int = 500,
    after: object = None,
) -> list[object]:
    """Re-encrypt up to `batch` values of a column that are under an older key, by row key.

    Returns:
        The keys of the rows renewed; the last one is the `after` of the next batch, so that rows
        done before are not read again.

    Concurrency: takes rows others hold later (SKIP LOCKED); the service stays up meanwhile.
    """
    name, table, key = column.column, column.table, column.key
    beyond = "" if after is None else f"AND {key} > :after "
    rows = await session.execute(
        text(
            f"SELECT {key} AS id, {name} AS stored FROM {table} "  # noqa: S608 - names come from code
            f"WHERE {name} IS NOT NULL AND NOT starts_with({name}, :current) {beyond}"
            f"ORDER BY {key} LIMIT :batch FOR UPDATE SKIP LOCKED"
        ),
        {"current": f"{cipher.current}.", "batch": batch} | ({"after": after} if beyond else {}),
    )
    renewed = [
        {
            "id": row.id,
            "stored": cipher.encrypt(cipher.decrypt(row.stored, column.context), column.context),
        }
        for row in rows
    ]
    if renewed:
        statement = f"UPDATE {table} SET {name} = :stored WHERE {key} = :id"  # noqa: S608
        await session.execute(text(statement), renewed)
    return [row["id"] for row in renewed]


async def is_rotated(session: AsyncSession, cipher: Cipher, column: EncryptedColumn) -> bool:
    """Whether no value of a column is left under an older key, locked ones included."""
    name, table = column.column, column.table
    left = await session.execute(
        text(
            f"SELECT 1 FROM {table} WHERE {name} IS NOT NULL "  # noqa: S608 - names come from code
            f"AND NOT starts_with({name}, :current) LIMIT 1"
        ),
        {"current": f"{cipher.current}."},
    )
    return left.first() is None


def mask_name(name: str) -> str:
    """王大友 → *大友."""
    return "*" + name[1:] if name else ""


def mask_identity_number(number: str) -> str:
    """First and last character only: 3****************X."""
    return (
        number[:1] + "*" * (len(number) - 2) + number[-1:] if len(number) > 2 else "*" * len(number)
    )


def mask_mobile(number: str) -> str:
    """137****9050."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 11 else "*" * len(number)


_ACCESS = text(
    "INSERT INTO data_access (id, subject_id, viewer_id, viewer_name, viewer_unit, record, fields, "
    "reason) VALUES (:id, :subject_id, :viewer_id, :viewer_name, :viewer_unit, :record, :fields, "
    ":reason)"
)


async def record_access(
    session: AsyncSession,
    *,
    subject_id: UUID,
    viewer_id: UUID,
    viewer_name: str | None,
    viewer_unit: str | None,
    record: str,
    fields: list[str],
    reason: str,
) -> None:
    """Write down who saw whose data and why; the resident may read it."""
    await session.execute(
        _ACCESS,
        {
            "id": new_id(),
            "subject_id": subject_id,
            "viewer_id": viewer_id,
            "viewer_name": viewer_name,
            "viewer_unit": viewer_unit,
            "record": record,
            "fields": fields,
            "reason": reason,
        },
    )
