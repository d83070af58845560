"""The scan hook: a command or an HTTP address of the county's own that says whether a file is safe."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import httpx

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.http import create_client
from servicekit.logging import logger
from services.requests.materials import repository
from services.requests.materials.store import FileDamaged, FilesUnavailable, key_bytes
from services.requests.materials.uploads import CONTENT_KEY, Files
from services.requests.metrics import ORPHANS, SCANS
from services.requests.models import ScanState

SCAN_SECONDS = 120.0
IDLE_SECONDS = 2.0
CLEAN_SECONDS = 600.0

#: Says whether a file is infected.
Scanner = Callable[[bytes], Awaitable[bool]]


class ScanFailed(Exception):
    """The scanner gave no answer that can be understood; the file is tried again later."""


@dataclass(frozen=True, slots=True)
class CommandScanner:
    """A program that reads the file from its standard input: exit 0 clean, 1 infected.

    `clamdscan --no-summary -` keeps to it.
    """

    command: str

    async def __call__(self, content: bytes) -> bool:
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                *shlex.split(self.command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            async with asyncio.timeout(SCAN_SECONDS):
                await process.communicate(content)
        except (OSError, TimeoutError) as error:
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
            raise ScanFailed(repr(error)) from error
        if process.returncode not in (0, 1):
            raise ScanFailed(f"exit {process.returncode}")
        return process.returncode == 1


@dataclass(frozen=True, slots=True)
class HttpScanner:
    """An address that takes the file as the body of a POST and answers `{"infected": true}`."""

    url: str
    transport: httpx.AsyncBaseTransport | None = None

    async def __call__(self, content: bytes) -> bool:
        headers = {"Content-Type": "application/octet-stream"}
        try:
            async with create_client(
                timeout_seconds=SCAN_SECONDS, transport=self.transport
            ) as client:
                answer = await client.post(self.url, content=content, headers=headers)
            answer.raise_for_status()
            infected = answer.json()["infected"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ScanFailed(repr(error)) from error
        if not isinstance(infected, bool):
            raise ScanFailed("infected is no boolean")
        return infected


def scanner_of(command: str, url: str) -> Scanner | None:
    """The configured scanner, or None: files then say that nobody has looked at them."""
    if command:
        return CommandScanner(command)
    return HttpScanner(url) if url else None


async def scan_next(database: Database, files: Files, scanner: Scanner) -> bool:
    """Scan the file that waits longest; whether there was one.

    An infected file loses its content at once. A scanner that fails is asked again, less and less
    often; until then the file cannot be opened.
    """
    async with database.transaction() as session:
        upload_id = await repository.take_to_scan(session)
    if upload_id is None:
        return False
    try:
        infected = await scanner(await _content(database, files, upload_id))
    except (ScanFailed, FilesUnavailable, FileDamaged) as error:
        SCANS.labels("failed").inc()
        logger.warning("scan_failed", upload_id=upload_id, error=repr(error))
        return True
    found = ScanState.infected if infected else ScanState.clean
    async with database.transaction() as session:
        await repository.update_upload(session, upload_id, {"scan": found})
        if infected:
            await repository.forget_content(session, [upload_id])
    if infected:
        await files.open_store.delete(upload_id)
        logger.warning("file_infected", upload_id=upload_id)
    SCANS.labels(found).inc()
    return True


async def _content(database: Database, files: Files, upload_id: UUID) -> bytes:
    async with database.reading() as session:
        row = await repository.find_upload(session, upload_id)
        parts = await repository.list_parts(session, upload_id)
    if row is None or row.content_key is None:
        raise FileDamaged(str(upload_id))
    key = key_bytes(files.cipher.decrypt(row.content_key, CONTENT_KEY))
    return b"".join([piece async for piece in files.open_store.read(upload_id, parts, key)])


async def forget_orphans(database: Database, files: Files) -> int:
    """Forget uploads that nobody handed in; return how many.

    The content goes first: whatever interrupts this, a row is left that leads to what is left.
    """
    async with database.reading() as session:
        orphans = await repository.list_orphans(session)
    for upload_id in orphans:
        await files.open_store.delete(upload_id)
    if orphans:
        async with database.transaction() as session:
            await repository.delete_orphans(session, orphans)
    ORPHANS.inc(len(orphans))
    return len(orphans)


async def scan_files(files: Files, scanner: Scanner, database: Database) -> None:
    """Scan until cancelled."""
    while True:
        try:
            found = await scan_next(database, files, scanner)
        except (*DATABASE_ERRORS, FilesUnavailable) as error:
            logger.warning("scanning_interrupted", error=repr(error))
            found = False
        if not found:
            await asyncio.sleep(IDLE_SECONDS)


async def clean_up_files(files: Files, database: Database) -> None:
    """Forget orphans every ten minutes until cancelled."""
    while True:
        try:
            await forget_orphans(database, files)
        except (*DATABASE_ERRORS, FilesUnavailable) as error:
            logger.warning("clean_up_interrupted", error=repr(error))
        await asyncio.sleep(CLEAN_SECONDS)
