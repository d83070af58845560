"""The source tree as the architecture tests see it: packages, services and their features."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
#: Packages of the product, in the order in which they may import each other.
PACKAGES = ("contracts", "servicekit", "services", "gateway", "devstack", "yichuang")
#: Where Python is written besides.
OTHERS = ("tests", "bench", "deploy")


def service_names() -> list[str]:
    """Every service that has a definition, found and not listed."""
    return sorted(path.parent.name for path in (ROOT / "services").glob("*/definition.py"))


def deployable_names() -> list[str]:
    """The services, and the gateway, which has a definition of the same kind."""
    gateway = ["gateway"] if (ROOT / "gateway" / "definition.py").exists() else []
    return service_names() + gateway


def package_of(name: str) -> str:
    return "gateway" if name == "gateway" else f"services.{name}"


def features() -> list[str]:
    """Feature folders, dotted: those with a service or endpoints of their own."""
    return sorted(
        ".".join(path.relative_to(ROOT).parts)
        for path in [*(ROOT / "services").glob("*/*/"), *(ROOT / "gateway").glob("*/")]
        if any((path / f"{name}.py").exists() for name in ("service", "endpoints", "consumers"))
    )


def python_files(*folders: str) -> Iterator[Path]:
    """Python files below folders, without migrations, which are written once and left alone."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "versions" not in path.parts and ".venv" not in path.parts:
                yield path


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
