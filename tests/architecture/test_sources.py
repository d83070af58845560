"""Rules on how the sources are written; each proves on a seeded file that it can fail."""

import ast
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.tree import OTHERS, PACKAGES, parse, python_files, shown

LONGEST_FILE = 500


def seeded(tmp_path: Path, text: str) -> list[Path]:
    path = tmp_path / "seeded.py"
    path.write_text(text, encoding="utf-8")
    return [path]


class TestTransactions:
    """One request, one transaction: it is ended where it was begun, in servicekit."""

    def test_services_neither_commit_nor_roll_back(self):
        assert ended_by_hand(python_files("services", "gateway")) == []

    def test_it_can_fail(self, tmp_path):
        text = (
            "async def save(session):\n    await session.commit()\n    await session.rollback()\n"
        )
        assert ended_by_hand(seeded(tmp_path, text)) == ["seeded.py:2", "seeded.py:3"]


def ended_by_hand(files: Iterable[Path]) -> list[str]:
    return [
        f"{shown(path)}:{node.lineno}"
        for path in files
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("commit", "rollback")
    ]


class TestSize:
    def test_no_file_is_too_long(self):
        assert too_long(python_files(*PACKAGES, *OTHERS)) == []

    def test_it_can_fail(self, tmp_path):
        assert too_long(seeded(tmp_path, "x = 1\n" * (LONGEST_FILE + 1))) == ["seeded.py: 501"]


def too_long(files: Iterable[Path]) -> list[str]:
    counts = ((path, len(path.read_text(encoding="utf-8").splitlines())) for path in files)
    return [f"{shown(path)}: {count}" for path, count in counts if count > LONGEST_FILE]


class TestImports:
    """An import inside a function hides a dependency; a comment must say why it is there."""

    def test_none_is_hidden_without_a_reason(self):
        assert hidden_imports(python_files(*PACKAGES)) == []

    def test_it_can_fail(self, tmp_path):
        text = (
            "def one():\n    import json\n"
            "def two():\n    # loaded late: takes a second\n    import yaml\n"
            "def three():\n    from os import path  # only on Linux\n"
            "def four():\n    # rarely needed\n    import csv\n    import zlib\n"
        )
        assert hidden_imports(seeded(tmp_path, text)) == ["seeded.py:2"]


def hidden_imports(files: Iterable[Path]) -> list[str]:
    found = set()
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        functions = (node for node in ast.walk(parse(path)) if isinstance(node, _FUNCTION))
        for node in (inner for function in functions for inner in ast.walk(function)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                first = node.lineno - 1
                while lines[first - 1].strip().startswith(("import ", "from ")):
                    first -= 1  # one reason serves a block of imports
                if not any("# " in line for line in lines[first - 1 : node.lineno]):
                    found.add(f"{shown(path)}:{node.lineno}")
    return sorted(found)


_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


class TestFrameworkErrors:
    """Refusals are ServiceErrors, and work that must happen goes through the outbox."""

    def test_services_use_neither_http_exceptions_nor_background_tasks(self):
        assert banned_names(python_files("services", "gateway")) == []

    def test_it_can_fail(self, tmp_path):
        text = (
            "from fastapi import HTTPException\nfrom starlette.background import BackgroundTask\n"
        )
        assert banned_names(seeded(tmp_path, text)) == [
            "seeded.py:1 HTTPException",
            "seeded.py:2 BackgroundTask",
        ]


def banned_names(files: Iterable[Path]) -> list[str]:
    return [
        f"{shown(path)}:{node.lineno} {alias.name}"
        for path in files
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] in ("fastapi", "starlette")
        for alias in node.names
        if alias.name in ("HTTPException", "BackgroundTask", "BackgroundTasks")
    ]


class TestDocstrings:
    def test_every_module_says_what_lives_in_it(self):
        assert undescribed(python_files(*PACKAGES)) == []

    def test_it_can_fail(self, tmp_path):
        assert undescribed(seeded(tmp_path, "x = 1\n")) == ["seeded.py"]


def undescribed(files: Iterable[Path]) -> list[str]:
    return [
        shown(path) for path in files if parse(path).body and not ast.get_docstring(parse(path))
    ]
