"""What the supervisor prints: lines of many processes with a coloured name in front."""

import os
import sys
from itertools import cycle
from pathlib import Path
from typing import Final, TextIO

_RESET: Final = "\x1b[0m"
_DIM: Final = "\x1b[2m"
_BOLD: Final = "\x1b[1m"
_WARNING: Final = "\x1b[33m"
# Cyan, green, magenta, blue, and their bright versions: yellow and red mean trouble.
_PALETTE: Final = tuple(f"\x1b[{code}m" for code in (36, 32, 35, 34, 96, 92, 95, 94))
OURSELVES: Final = "devstack"
#: Wide enough for "evaluation.worker", so that the column does not jump when names come in.
NAME_COLUMN: Final = 17


def wants_colour(stream: TextIO) -> bool:
    """Only on a terminal, and not when NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Output:
    """Writes lines to the terminal and, by process, to files that keep everything.

    While `quiet`, the lines of processes go to their files only.
    """

    def __init__(self, log_directory: Path, stream: TextIO | None = None) -> None:
        self.quiet = False
        self._directory = log_directory
        self._stream = stream or sys.stdout
        self._colour = wants_colour(self._stream)
        self._palette = cycle(_PALETTE)
        self._colours: dict[str, str] = {}
        self._files: dict[str, TextIO] = {}
        self._width = NAME_COLUMN

    def announce(self, names: list[str]) -> None:
        """Make the column of names wide enough, and start each file anew."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for name in names:
            self._colours.setdefault(name, next(self._palette))
            self._width = max(self._width, len(name))
            if name not in self._files:
                self._files[name] = self.log_file(name).open("w", buffering=1)

    def log_file(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def line(self, name: str, text: str) -> None:
        """A line that a process wrote."""
        if name in self._files:
            self._files[name].write(f"{text}\n")
        if not self.quiet:
            self._print(self._colours.get(name, ""), name, text)

    def say(self, text: str) -> None:
        """A line of our own: shown even when quiet."""
        self._print(_BOLD, OURSELVES, text)

    def warn(self, text: str) -> None:
        self._print(_WARNING, OURSELVES, text)

    def plain(self, text: str = "") -> None:
        """A line without a name, for reports."""
        self._write(text)

    def dim(self, text: str) -> str:
        return f"{_DIM}{text}{_RESET}" if self._colour else text

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _print(self, colour: str, name: str, text: str) -> None:
        label = name.ljust(self._width)
        if self._colour:
            label = f"{colour}{label}{_RESET}"
        self._write(f"{label} │ {text}")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(f"{text}\n")
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            self._stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._stream.flush()
