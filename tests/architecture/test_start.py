"""What no process loads before it needs it: dictionaries, drawing and spreadsheets."""

import subprocess
import sys

from tests.architecture.tree import service_names

#: Together 65 MB, and 0.7 s of a start.
LATE = {"PIL", "openpyxl", "pypinyin", "reportlab"}
PROCESSES = ("definition", "app", "worker")


def loaded_by(*modules: str) -> set[str]:
    """What of `LATE` a fresh process has loaded after importing modules."""
    lines = [f"import {name}" for name in modules]
    program = "\n".join([*lines, "import sys", "print(*sys.modules)"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return LATE & set(done.stdout.decode().split())


class TestStart:
    def test_what_is_rare_is_loaded_when_it_is_needed(self):
        processes = [f"services.{name}.{what}" for name in service_names() for what in PROCESSES]
        assert loaded_by(*processes) == set()

    def test_it_can_fail(self):
        assert loaded_by("servicekit.pdf") >= {"reportlab"}
