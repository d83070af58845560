"""Makes `.venv` from requirements.lock; run by any Python 3.11+, on the standard library alone.

python3 devstack/bootstrap.py
"""

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"

# The repository itself is used in place: its path on Python's, and a launcher for its command.
LAUNCHER = """\
#!/bin/sh
exec "$(dirname "$0")/python" -P -c 'from yichuang.cli import app; app(prog_name="yichuang")' "$@"
"""


def main() -> None:
    """Do nothing when the environment is as the lock file wants it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever Python was found runs this
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
    wanted = _fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and _works():
        return
    if not _works():
        _create()
    _say("installing the packages of requirements.lock, checked by their hashes …")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    outcome = subprocess.run([*command, "--require-hashes", "-r", str(LOCK)], check=False)  # noqa: S603
    if outcome.returncode != 0:
        sys.exit("pip could not install the packages; what it printed says why")
    _use_in_place()
    STAMP.write_text(wanted)
    _say("the packages are installed")


def _fingerprint() -> str:
    return f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()} {ROOT}\n"


def _works() -> bool:
    """Whether `.venv` has a pip and a Python that runs (it may have been removed since)."""
    check = "import importlib.util, sys\nsys.exit(importlib.util.find_spec('pip') is None)"
    try:
        outcome = subprocess.run([str(PYTHON), "-c", check], check=False)  # noqa: S603
    except OSError:
        return False
    return outcome.returncode == 0


def _create() -> None:
    _say(f"making .venv with Python {sys.version.split()[0]} …")
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True, symlinks=True)
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"Python could not make a virtual environment: {error}\n"
            "Its module ensurepip is probably missing. "
            f"On Debian and Ubuntu: apt install python{version}-venv"
        )


def _use_in_place() -> None:
    packages = next((VENV / "lib").glob("python3.*/site-packages"))
    (packages / "yichuang.pth").write_text(f"{ROOT}\n")
    launcher = VENV / "bin" / "yichuang"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
