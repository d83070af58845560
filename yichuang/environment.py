"""Where the command line finds its settings: the environment, else the running stack's own file."""

import os
import pkgutil
from pathlib import Path

import services
from servicekit.process import Service, load_service
from servicekit.settings import ServiceSettings, UnknownSetting, UnusableSettings

#: Written by the development stack, readable by its owner only.
STACK_FILE = Path(__file__).parents[1] / ".local" / "stack.env"
_HINT = "Set what is missing, name a file with --env-file, or start the development stack with: make run"


class NotConfigured(SystemExit):
    """A setting is missing: ends the program with these words and status 1."""


def service_names() -> list[str]:
    """Every service of this installation, and the gateway."""
    found = [name for _, name, is_package in pkgutil.iter_modules(services.__path__) if is_package]
    return [*sorted(found), "gateway"]


def load_environment(file: Path | None = None) -> str | None:
    """Read `NAME=value` lines into the environment; return what to tell about it.

    A file that is asked for wins over the environment. The stack's own is only read when the
    environment says nothing about any service, so that production settings never mix with it.

    Raises:
        NotConfigured: the file that is asked for cannot be read.
    """
    if file is not None:
        try:
            os.environ.update(_read(file))
        except OSError as error:
            raise NotConfigured(f"{file}: {error.strerror}") from None
        return f"settings: {file}"
    if any(map(is_configured, service_names())) or not STACK_FILE.is_file():
        return None
    os.environ.update(_read(STACK_FILE))
    return f"settings: {STACK_FILE}"


def service_named(name: str) -> Service:
    """The definition of a service.

    Raises:
        NotConfigured: there is no such service.
    """
    if name not in service_names():
        raise NotConfigured(f"no service {name!r}; there are {', '.join(service_names())}")
    return load_service(name)


def settings_of(service: Service) -> ServiceSettings:
    """The settings of a service.

    Raises:
        NotConfigured: some are missing or wrong; each is named.
    """
    try:
        return service.settings.load()
    except (UnusableSettings, UnknownSetting) as error:
        raise NotConfigured(f"{service.name} is not configured.\n{error}\n{_HINT}") from None


def is_configured(name: str) -> bool:
    """Whether the environment names a database for a service."""
    return f"{name.upper()}_DATABASE_URL" in os.environ


def bootstrap_servers() -> str:
    """The addresses of Kafka, as any service has them.

    Raises:
        NotConfigured: none has.
    """
    names = [f"{name.upper()}_KAFKA_BOOTSTRAP_SERVERS" for name in service_names()]
    for name in ["KAFKA_BOOTSTRAP_SERVERS", *names]:
        if os.environ.get(name):
            return os.environ[name]
    raise NotConfigured(f"KAFKA_BOOTSTRAP_SERVERS is missing. {_HINT}")


def _read(file: Path) -> dict[str, str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
