"""Settings every process shares; a service subclasses `ServiceSettings` with its own prefix."""

import base64
import os
from functools import cached_property
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

#: Variables of other software that happen to carry the prefix of a service.
_FOREIGN = frozenset({"REQUESTS_CA_BUNDLE"})  # the certificate bundle of a well-known HTTP library


class UnknownSetting(SystemExit):
    """A variable with the service's prefix that no setting reads: most likely a typing error."""


class UnusableSettings(SystemExit):
    """Settings that are missing or wrong, by name and reason; never with what was given."""


class ServiceSettings(BaseSettings):
    """What every process needs; read from variables `<PREFIX>_<NAME>`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    environment: Literal["development", "production"]
    database_url: SecretStr
    jwks_url: str
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    metrics_port: int = 9000
    worker_metrics_port: int = 9001
    pool_size: int = Field(default=10, ge=2)
    body_limit_bytes: int = 1_048_576
    kafka_bootstrap_servers: str = ""
    #: JSON object: key id → base64 of 32 bytes.
    data_keys: dict[str, SecretStr] = Field(default_factory=dict)
    data_key_id: str = ""
    blind_index_key: SecretStr = SecretStr("")
    otlp_endpoint: str | None = None
    trace_sample_ratio: float = Field(default=0.01, ge=0, le=1)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @property
    def is_development(self) -> bool:
        return self.environment == "development"

    @property
    def dsn(self) -> str:
        """`postgresql://…` as asyncpg reads it."""
        return self.database_url.get_secret_value()

    @property
    def sqlalchemy_url(self) -> str:
        """The same address for SQLAlchemy's asyncpg dialect."""
        return self.dsn.replace("postgresql://", "postgresql+asyncpg://", 1)

    @cached_property
    def data_key_bytes(self) -> dict[str, bytes]:
        """Data keys, decoded."""
        return {
            name: base64.b64decode(key.get_secret_value()) for name, key in self.data_keys.items()
        }

    @cached_property
    def blind_index_bytes(self) -> bytes:
        """Key of the blind index, decoded."""
        return base64.b64decode(self.blind_index_key.get_secret_value())

    @classmethod
    def load(cls) -> "ServiceSettings":
        """Read the environment.

        Raises:
            UnknownSetting: a variable with our prefix is not a setting.
            UnusableSettings: some are missing or wrong.
        """
        prefix = cls.model_config.get("env_prefix", "")
        known = {f"{prefix}{name}".upper() for name in cls.model_fields}
        strangers = sorted(
            name for name in os.environ if name.startswith(prefix) and name not in known | _FOREIGN
        )
        if strangers:
            raise UnknownSetting(f"unknown settings: {', '.join(strangers)}")
        try:
            return cls()
        except ValidationError as error:
            lines = [f"{_variable(prefix, each['loc'])}: {each['msg']}" for each in error.errors()]
            raise UnusableSettings("\n".join(lines)) from None
        except SettingsError as error:
            raise UnusableSettings(str(error)) from None


def _variable(prefix: str, location: tuple[int | str, ...]) -> str:
    return (prefix + ".".join(map(str, location))).upper().rstrip("_")


def prefixed(prefix: str) -> SettingsConfigDict:
    """Model configuration of a service's settings: `prefixed("REQUESTS")`."""
    return SettingsConfigDict(
        env_prefix=f"{prefix}_", extra="forbid", frozen=True, hide_input_in_errors=True
    )
