"""How the processes come by what they work with: the store and the scanner of the settings."""

from functools import partial
from typing import TYPE_CHECKING

from servicekit.app import create_cipher
from servicekit.personal_data import Cipher
from services.requests.materials.scanning import clean_up_files, scan_files, scanner_of
from services.requests.materials.store import open_store
from services.requests.materials.uploads import Files
from services.requests.settings import RequestsSettings

if TYPE_CHECKING:
    from servicekit.worker import Job


def open_files(settings: RequestsSettings, cipher: Cipher) -> Files:
    """What uploads work with."""
    return Files(
        open_store(settings.files_url) if settings.files_url else None,
        cipher,
        settings.file_limit_bytes,
        settings.file_hours,
        scans=bool(settings.scan_command or settings.scan_url),
    )


def jobs(settings: RequestsSettings) -> "list[Job]":
    """What the worker does with files: nothing where none can be stored."""
    if not settings.files_url:
        return []
    files = open_files(settings, create_cipher(settings))
    found: list[Job] = [partial(clean_up_files, files)]
    scanner = scanner_of(settings.scan_command, settings.scan_url)
    if scanner is not None:
        found.append(partial(scan_files, files, scanner))
    return found
