"""What must never be in a committed file: secrets, paths of a machine, addresses of registries."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.architecture.test_sources import seeded
from tests.architecture.tree import ROOT, shown

# A letter in brackets keeps this file from matching itself.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/([r]oot|[h]ome/\w+|[w]ork|[U]sers/\w+)/",
    "a registry's address": r"(?i)[p]ypi\.|python[h]osted\.|npm[j]s\.|npm[m]irror\.|[r]epo1\."
    r"|[r]epo\.maven\.|mvn[r]epository|crates[.]io|proxy\.[g]olang|ruby[g]ems",
    "a registry's name": r"\b[P]yPI\b|(?i:\b[m]aven\s+central\b)",
    "a private key": r"-----[B]EGIN ([A-Z]+ )*PRIVATE KEY-----",
    "a token": r"\b[e]yJ[\w-]{20,}\.[\w-]{20,}\.|\b[A]KIA[0-9A-Z]{16}\b|\b[g]hp_\w{30,}",
    "the private part of a key set": r"\"[d]\"\s*:\s*\"[\w-]{40,}\"",
}
LARGEST_BYTES = 1_000_000
#: A Chinese face in one piece; `servicekit/fonts/README.md` says where it is from.
MAY_BE_LARGER = {"servicekit/fonts/wqy-microhei.ttc"}


class TestCommittedFiles:
    def test_they_hold_nothing_of_the_kind(self):
        assert found_in(committed_files()) == []

    def test_it_can_fail(self, tmp_path):
        for start, end in (
            ("/ho", "me/somebody/project"),
            ("https://py", "pi.org/simple"),
            ("registry.npm", "js.org"),
            ("Mav", "en Central"),
            ("-----BEG", "IN EC PRIVATE KEY-----"),
            ("AK", "IAABCDEFGHIJKLMNOP"),
            ('{"kty": "EC", "', 'd": "' + "x" * 43 + '"}'),
        ):
            text = start + end
            assert len(found_in(seeded(tmp_path, f"x = 1\n# {text}\n"))) == 1, text

    def test_none_is_a_build_product_or_too_large(self):
        for path in committed_files():
            assert path.suffix not in (".pyc", ".whl", ".jar", ".log"), path
            if str(path.relative_to(ROOT)) not in MAY_BE_LARGER:
                assert path.stat().st_size < LARGEST_BYTES, path


def committed_files() -> Iterator[Path]:
    """What git tracks or would add; without git, what a checkout holds."""
    if not (ROOT / ".git").exists():
        hidden = {".venv", ".local"}
        yield from (
            path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.parts)
        )
        return
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    yield from (path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def found_in(files: Iterable[Path]) -> list[str]:
    patterns = {what: re.compile(pattern) for what, pattern in FORBIDDEN.items()}
    return [
        f"{shown(path)}:{number}: {what}"
        for path in files
        for number, line in enumerate(_text(path).splitlines(), 1)
        for what, pattern in patterns.items()
        if pattern.search(line)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # an image or a font
