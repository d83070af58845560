"""Every version of a file that was ever committed."""

import subprocess
from pathlib import Path


def committed_versions(root: Path, folder: str) -> dict[str, list[bytes]]:
    """Contents of each path below a folder in the history of HEAD; empty where git is not used."""
    if not (root / ".git").exists():
        return {}
    log = _git(root, "log", "--raw", "--no-abbrev", "--no-renames", "--format=", "--", folder)
    blobs: dict[str, set[str]] = {}
    for line in log.decode().splitlines():
        facts, _, path = line.partition("\t")
        blob = facts.split()[3]
        blobs.setdefault(path, set())
        if blob.strip("0"):
            blobs[path].add(blob)
    contents = _contents(root, sorted({blob for found in blobs.values() for blob in found}))
    return {path: [contents[blob] for blob in sorted(found)] for path, found in blobs.items()}


def _contents(root: Path, blobs: list[str]) -> dict[str, bytes]:
    answer = _git(root, "cat-file", "--batch", stdin="\n".join(blobs).encode())
    contents = {}
    position = 0
    for blob in blobs:
        end = answer.index(b"\n", position)
        size = int(answer[position:end].split()[2])
        contents[blob] = answer[end + 1 : end + 1 + size]
        position = end + size + 2
    return contents


def _git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ["git", "-c", "core.quotePath=false", "-C", str(root), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
