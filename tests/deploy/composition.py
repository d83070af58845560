"""docker-compose.yml as Compose reads it: merged, and with its variables filled in."""

import re
from pathlib import Path
from typing import Any

import yaml

Compose = dict[str, Any]
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[?-])(?P<rest>[^}]*))?\}")


class VariableMissing(Exception):
    """A required variable has no value."""


def read_compose(path: Path) -> Compose:
    """The file with its anchors merged; variables are left as they are."""
    compose: Compose = yaml.safe_load(path.read_text())
    return compose


def read_environment_file(text: str) -> dict[str, str]:
    """The variables of a `.env` file."""
    lines = (line.partition("=") for line in text.splitlines() if line and line[0] != "#")
    return {name: value.strip("'") for name, _, value in lines}


def required_variables(text: str) -> set[str]:
    return {match["name"] for match in _VARIABLE.finditer(text) if match["sign"] == "?"}


def fill_in(value: Any, variables: dict[str, str]) -> Any:
    """Replace `${NAME:?why}` and `${NAME:-default}` everywhere in a value.

    Raises:
        VariableMissing: `${NAME:?why}` without NAME.
    """
    if isinstance(value, dict):
        return {key: fill_in(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, variables) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        given = variables.get(match["name"], "")
        if not given and match["sign"] == "?":
            raise VariableMissing(f"{match['name']}: {match['rest']}")
        return given or (match["rest"] or "" if match["sign"] == "-" else "")

    return _VARIABLE.sub(replace, value)


def environment_of(service: Compose) -> dict[str, str]:
    """A service's variables; those without a value are passed on only when they are set."""
    given = service.get("environment", {})
    return {name: value for name, value in given.items() if value is not None}


def process_of(service: Compose) -> tuple[str, str] | None:
    """Which service and which process an entry runs, if it is one of ours."""
    match service.get("command"):
        case ["python", "-m", str(module), str(process)]:
            return module.removeprefix("services."), process
    return None


def entry_name(name: str, process: str) -> str:
    """What the entry of a process is called; the API has the service's own name."""
    return {"api": name, "worker": f"{name}-worker", "migrate": f"migrate-{name}"}[process]
