"""What there is to deploy, as the code says it: services, their settings and their ports."""

from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from servicekit.settings import ServiceSettings, UnknownSetting, UnusableSettings
from tests.deploy.paths import ROOT


@cache
def deployable_names(root: Path = ROOT) -> list[str]:
    """Every service of services/, and the gateway."""
    services = sorted(path.parent.name for path in (root / "services").glob("*/__main__.py"))
    return [*services, "gateway"]


def module_of(name: str) -> str:
    return "gateway" if name == "gateway" else f"services.{name}"


def prefix_of(name: str) -> str:
    return f"{name.upper()}_"


@cache
def settings_class(name: str) -> type[ServiceSettings]:
    """The settings of a service, found by their prefix."""
    module = import_module(f"{module_of(name)}.settings")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, ServiceSettings)
        and value.model_config.get("env_prefix") == prefix_of(name)
    ]
    assert len(found) == 1, f"{module.__name__} has {len(found)} settings classes"
    return found[0]


def variables_of(name: str) -> set[str]:
    """The variables that a service reads."""
    return {f"{prefix_of(name)}{field}".upper() for field in settings_class(name).model_fields}


def load(
    name: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[ServiceSettings | None, list[str]]:
    """Read the settings as the process would, from nothing but `environment`."""
    own = settings_class(name)
    with monkeypatch.context() as patch:
        for variable in variables_of(name):
            patch.delenv(variable, raising=False)
        for variable, value in environment.items():
            patch.setenv(variable, value)
        try:
            return own.load(), []
        except UnknownSetting as error:
            return None, [str(error)]
        except UnusableSettings as error:
            names = (line.partition(":")[0] for line in str(error).splitlines())
            fields = (field.removeprefix(prefix_of(name)).lower() for field in names)
            return None, [f"missing or wrong: {', '.join(fields)}"]
