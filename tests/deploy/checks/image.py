"""The Dockerfile and what it puts into the image."""

import ast
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

_PIN = re.compile(r"^(?P<name>[\w.-]+)(?:\[[^\]]*\])?==(?P<version>\S+)")
_REQUIREMENT = re.compile(r"^[\w.-]+")
#: Data directories that the image holds beside the packages.
DATA = {"data"}
#: Commands for developers, in the image but of no use there.
DEVELOPMENT_TOOLS = {"yichuang/revision.py"}


@dataclass(frozen=True)
class Instruction:
    name: str
    text: str


def instructions(text: str) -> list[Instruction]:
    """A Dockerfile's instructions, with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parts = (line.split(None, 1) for line in joined.splitlines() if line.strip())
    return [Instruction(name.upper(), rest) for name, rest in parts]


def last_stage(all_of_them: list[Instruction]) -> list[Instruction]:
    starts = [index for index, it in enumerate(all_of_them) if it.name == "FROM"]
    return all_of_them[starts[-1] :]


def dockerfile_problems(text: str) -> Iterator[str]:
    every = instructions(text)
    arguments = dict(it.text.split("=", 1) for it in every if it.name == "ARG" and "=" in it.text)
    for image in (it.text.split()[0] for it in every if it.name == "FROM"):
        base = arguments.get(image.strip("${}"), image)
        if not re.search(r":\d+\.\d+\.\d+-slim", base):
            yield f"FROM {base}: not pinned to a slim image of an exact version"
    if sum(it.name == "FROM" for it in every) < 2:
        yield "one stage only: the builder's tools stay in the image"
    yield from _last_stage_problems(last_stage(every))
    if any(it.name == "ADD" for it in every):
        yield "ADD: use COPY"
    installs = [it.text for it in every if it.name == "RUN" and " install" in it.text]
    for install in installs:
        if "--require-hashes" not in install or "--only-binary=:all:" not in install:
            yield f"RUN {install}: packages come by hash and as wheels only"


def _last_stage_problems(stage: list[Instruction]) -> Iterator[str]:
    users = [it.text for it in stage if it.name == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        yield "the last stage must end as a numeric user that is not root"
    for it in stage:
        if it.name in ("CMD", "ENTRYPOINT"):
            try:
                command = json.loads(it.text)
            except ValueError:
                yield f"{it.name} must be a JSON list, or a shell takes the signals"
                continue
            if "--help" not in command:
                yield f"{it.name} must start no process by default"
        if it.name == "RUN" and re.search(r"apt-get|pip|gcc|make", it.text):
            yield f"the last stage installs something: {it.text}"
    environment = " ".join(it.text for it in stage if it.name == "ENV")
    if "PYTHONDONTWRITEBYTECODE=1" not in environment:
        yield "PYTHONDONTWRITEBYTECODE is missing: the file system is read-only"


def copied_directories(text: str) -> set[str]:
    """Directories of the repository that get into the image."""
    found: set[str] = set()
    for it in instructions(text):
        words = shlex.split(it.text)
        if it.name == "COPY" and not words[0].startswith("--from"):
            found |= {word.rstrip("/") for word in words[:-1] if word.endswith("/")}
    return found


def wanted_directories(pyproject: Path) -> set[str]:
    """Every package of ours but the development stack, and the reference data."""
    document = tomllib.loads(pyproject.read_text())
    packages = document["tool"]["setuptools"]["packages"]["find"]["include"]
    return ({name.rstrip("*") for name in packages} - {"devstack"}) | DATA


def allowed_by_ignore_file(text: str) -> set[str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", ".dockerignore must be an allow-list"
    return {line[1:].rstrip("/") for line in lines if line.startswith("!")}


def pins(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes of every package in a lock file."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for block in re.split(r"\n(?=\S)", lock):
        pin = _PIN.match(block)
        if pin:
            hashes = frozenset(re.findall(r"--hash=(\S+)", block))
            found[canonical(pin["name"])] = (pin["version"], hashes)
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_problems(runtime: str, full: str, pyproject: Path) -> Iterator[str]:
    """The run-time lock is that part of the full lock which the product needs."""
    small, large = pins(runtime), pins(full)
    for name, pin in small.items():
        if large.get(name) != pin:
            yield f"{name}: {pin[0]} in the run-time lock, {large.get(name, ['nothing'])[0]} in the full"
    project = tomllib.loads(pyproject.read_text())["project"]
    for requirement in project["dependencies"]:
        if requirement_name(requirement) not in small:
            yield f"{requirement} is missing from the run-time lock"
    for requirement in project["optional-dependencies"]["dev"]:
        if requirement_name(requirement) in small:
            yield f"{requirement} is for development and must not be in the image"


def requirement_name(requirement: str) -> str:
    found = _REQUIREMENT.match(requirement)
    assert found
    return canonical(found[0])


def foreign_imports(root: Path, directories: set[str], locked: set[str]) -> Iterator[str]:
    """Imports of the image's code that the image cannot satisfy.

    The development stack may be imported inside a function: a command that only developers use.
    """
    distributions = packages_distributions()
    for directory in sorted(directories - DATA):
        for path in sorted((root / directory).rglob("*.py")):
            place = str(path.relative_to(root))
            eager, anywhere = _imports(path)
            if "devstack" not in eager or place in DEVELOPMENT_TOOLS:
                anywhere -= {"devstack"}
            for module in sorted(anywhere - directories - sys.stdlib_module_names):
                homes = {canonical(name) for name in distributions.get(module, [])}
                if not homes & locked:
                    yield f"{place}: {module} is not in the image"


def eager_development_tools(root: Path, directories: set[str]) -> Iterator[str]:
    """Imports that would make the whole command line need what only developers have."""
    tools = {name.removesuffix(".py").replace("/", ".") for name in DEVELOPMENT_TOOLS}
    for directory in sorted(directories - DATA):
        for path in sorted((root / directory).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                names = {alias.name for alias in getattr(node, "names", [])}
                module = getattr(node, "module", None)
                names |= {f"{module}.{name}" for name in names} | {module}
                if isinstance(node, ast.Import | ast.ImportFrom) and names & tools:
                    yield f"{path.relative_to(root)}: import it where it is used"


def _imports(path: Path) -> tuple[set[str], set[str]]:
    """Top-level packages that a module imports when it is loaded, and at any time."""
    tree = ast.parse(path.read_text())
    return _packages(tree.body), _packages(ast.walk(tree))


def _packages(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
