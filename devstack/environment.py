"""The environment of every process, and the table of processes."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from devstack.layout import DATABASES, ROOT, SERVICES
from devstack.ports import Ports
from devstack.program import Program
from devstack.stack_secrets import DATA_KEY_ID, StackSecrets

HOST: Final = "127.0.0.1"
#: Stopped in the reverse order: first the door, last what others ask.
ISSUER_STAGE, API_STAGE, WORKER_STAGE, GATEWAY_STAGE = range(4)
OIDC_CLIENT_ID: Final = "yichuang-gateway"
#: Where the issuer sends staff back to.
OIDC_CALLBACK: Final = "/v1/sign-in/staff/callback"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the environments are made of."""

    directory: Path
    ports: Ports
    secrets: StackSecrets
    database_url: Mapping[str, str]
    bootstrap_servers: str
    #: More settings by service, such as {"requests": {"OFFICE_CLOSES_AT": "23:59"}}.
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    log_level: str = "info"

    @property
    def gateway_url(self) -> str:
        return f"http://{HOST}:{self.ports.http('gateway')}"

    @property
    def issuer_url(self) -> str:
        return f"http://{HOST}:{self.ports.issuer}"

    @property
    def development_outbox(self) -> Path:
        """Where the development SMS provider leaves its codes, as JSON lines."""
        return self.directory / "sms.jsonl"

    def settings(self, name: str) -> dict[str, str]:
        """Every `<NAME>_…` variable of a service or of the gateway."""
        values = self._common(name)
        values |= self._gateway() if name == "gateway" else self._service(name)
        values |= self.overrides.get(name, {})
        return {f"{name.upper()}_{key}": value for key, value in values.items()}

    def environment(self, name: str) -> dict[str, str]:
        """Its settings, on top of the machine's own variables."""
        return machine_environment() | self.settings(name)

    def _common(self, name: str) -> dict[str, str]:
        return {
            "ENVIRONMENT": "development",
            "DATABASE_URL": self.database_url[name],
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(self.ports.http(name)),
            "METRICS_PORT": str(self.ports.metrics(name)),
            "DATA_KEYS": json.dumps({DATA_KEY_ID: self.secrets.data_key(name)}),
            "DATA_KEY_ID": DATA_KEY_ID,
            "BLIND_INDEX_KEY": self.secrets.blind_index_key(name),
            "LOG_LEVEL": self.log_level,
            "LOG_FORMAT": "console",
        }

    def _service(self, name: str) -> dict[str, str]:
        own = {
            "catalogue": {"PUBLIC_URL": self.gateway_url},
            "evaluation": {"PORTAL_URL": self.gateway_url},
            "requests": {"FILES_URL": (self.directory / "files").as_uri()},
            "facilities": {"FILES_URL": (self.directory / "photos").as_uri()},
        }
        return own.get(name, {}) | {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "JWKS_URL": f"{self.gateway_url}/.well-known/jwks.json",
            "WORKER_METRICS_PORT": str(self.ports.worker_metrics(name)),
        }

    def _gateway(self) -> dict[str, str]:
        upstreams = {
            f"{service.upper()}_URL": f"http://{HOST}:{self.ports.http(service)}"
            for service in SERVICES
        }
        return upstreams | {
            "PUBLIC_URL": self.gateway_url,
            "SIGNING_KEYS_FILE": str(self.secrets.signing_keys_file),
            "OIDC_ISSUER": self.issuer_url,
            "OIDC_CLIENT_ID": OIDC_CLIENT_ID,
            "OIDC_CLIENT_SECRET": self.secrets.oidc_client_secret,
            "OIDC_REDIRECT_URI": f"{self.gateway_url}{OIDC_CALLBACK}",
            "SMS_PROVIDER": "development",
            "DEVELOPMENT_OUTBOX": str(self.development_outbox),
            # The guided case signs the same telephone in again and again.
            "CODE_RESEND_SECONDS": "0",
            "CODES_PER_PHONE_HOUR": "1000",
            "CODES_PER_PHONE_DAY": "1000",
        }

    def issuer_environment(self) -> dict[str, str]:
        return machine_environment() | {
            "ISSUER_ENVIRONMENT": "development",
            "ISSUER_URL": self.issuer_url,
            "ISSUER_PORT": str(self.ports.issuer),
            "ISSUER_CLIENT_ID": OIDC_CLIENT_ID,
            "ISSUER_CLIENT_SECRET": self.secrets.oidc_client_secret,
            "ISSUER_REDIRECT_URI": f"{self.gateway_url}{OIDC_CALLBACK}",
            "ISSUER_KEYS_FILE": str(self.secrets.issuer_keys_file),
        }


def machine_environment() -> dict[str, str]:
    """Ours, without settings of services that somebody left in the shell."""
    prefixes = tuple(f"{name.upper()}_" for name in (*DATABASES, "issuer"))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    # Without compiled modules each of a dozen processes compiles the whole product at its start.
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours | {"PYTHONUNBUFFERED": "1"}


def package(name: str) -> str:
    """What `python -m` takes for a service or the gateway."""
    return name if name == "gateway" else f"services.{name}"


def command(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", package(name), *arguments)


def issuer_program(around: Surroundings) -> Program:
    return Program(
        "issuer",
        (sys.executable, "-m", "devstack.issuer"),
        around.issuer_environment(),
        f"{around.issuer_url}/.well-known/openid-configuration",
        ROOT,
        ISSUER_STAGE,
    )


def api_program(around: Surroundings, name: str) -> Program:
    ready = f"http://{HOST}:{around.ports.http(name)}/readyz"
    stage = GATEWAY_STAGE if name == "gateway" else API_STAGE
    return Program(
        f"{name}.api", command(name, "api"), around.environment(name), ready, ROOT, stage
    )


def worker_program(around: Surroundings, name: str) -> Program:
    ready = f"http://{HOST}:{around.ports.worker_metrics(name)}/readyz"
    return Program(
        f"{name}.worker",
        command(name, "worker"),
        around.environment(name),
        ready,
        ROOT,
        WORKER_STAGE,
        needs_broker=True,
    )


def program_table(around: Surroundings) -> list[Program]:
    """Every process of the stack, in the order of starting."""
    programs = [issuer_program(around)]
    programs += [api_program(around, name) for name in SERVICES]
    programs += [worker_program(around, name) for name in SERVICES]
    programs.append(api_program(around, "gateway"))
    return programs


def environment_file(around: Surroundings) -> str:
    """Settings of every service as `NAME=value` lines, for the command line."""
    lines = []
    for name in DATABASES:
        lines += [f"{key}={value}\n" for key, value in around.settings(name).items()]
    return "".join(lines)
