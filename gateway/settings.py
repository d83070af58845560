"""Settings of the gateway, read from variables `GATEWAY_…`."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from gateway.codes.rules import CodeLimits
from gateway.limits import Rate, RateClass
from gateway.models import AccountKind
from gateway.routes import Service
from gateway.sessions.rules import Lifetimes
from servicekit.settings import ServiceSettings, prefixed


class GatewaySettings(ServiceSettings):
    """What the gateway needs beside what every process needs."""

    model_config = prefixed("GATEWAY")

    #: The gateway signs tokens itself and reads the keys from `signing_keys_file`.
    jwks_url: str = ""
    catalogue_url: str
    requests_url: str
    facilities_url: str
    evaluation_url: str
    exchange_url: str
    #: How callers reach the gateway; https switches on Strict-Transport-Security.
    public_url: str

    #: JWKS with private ES256 keys; the first signs, all are published.
    signing_keys_file: Path
    access_token_seconds: int = Field(default=600, ge=60, le=3600)
    #: A resident who does not come back for this long signs in again; and at the latest then.
    resident_idle_seconds: int = Field(default=30 * 86_400, ge=600)
    resident_session_seconds: int = Field(default=180 * 86_400, ge=600)
    #: A working day at the window.
    staff_idle_seconds: int = Field(default=2 * 3600, ge=600)
    staff_session_seconds: int = Field(default=12 * 3600, ge=600)
    revocation_refresh_seconds: float = Field(default=2.0, gt=0, le=60)

    sms_provider: Literal["development", "http"]
    #: Where the development provider also writes its codes, as JSON lines.
    development_outbox: Path | None = None
    sms_url: str = ""
    sms_secret: SecretStr = SecretStr("")

    code_resend_seconds: int = Field(default=60, ge=0)
    codes_per_phone_hour: int = Field(default=5, ge=1)
    codes_per_phone_day: int = Field(default=10, ge=1)
    #: An address may be a whole service hall.
    codes_per_address_hour: int = Field(default=100, ge=1)

    oidc_issuer: str
    oidc_client_id: str
    oidc_client_secret: SecretStr
    oidc_redirect_uri: str

    #: Load balancers whose X-Forwarded-For is believed.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    #: JSON: {"read": "50/200"} is 50 a second with bursts of 200; others keep their default.
    rate_limits: dict[RateClass, Rate] = Field(default_factory=dict)

    @field_validator("rate_limits", mode="before")
    @classmethod
    def _read_rates(cls, value: object) -> object:
        if isinstance(value, dict):
            return {name: _rate(given) for name, given in value.items()}
        return value

    @model_validator(mode="after")
    def _has_its_secrets(self) -> Self:
        if not (self.data_keys and self.data_key_id and self.blind_index_key.get_secret_value()):
            raise ValueError("data_keys, data_key_id and blind_index_key are required")
        return self

    @model_validator(mode="after")
    def _is_fit_for_production(self) -> Self:
        if self.sms_provider == "http" and not (
            self.sms_url and self.sms_secret.get_secret_value()
        ):
            raise ValueError("sms_provider http needs sms_url and sms_secret")
        if not self.is_development:
            if self.sms_provider == "development":
                raise ValueError("the development SMS provider prints codes; not in production")
            if self.development_outbox is not None:
                raise ValueError("development_outbox writes codes to a file; not in production")
        return self

    @property
    def upstreams(self) -> dict[Service, str]:
        """Base address of every service."""
        return {
            Service.catalogue: self.catalogue_url,
            Service.requests: self.requests_url,
            Service.facilities: self.facilities_url,
            Service.evaluation: self.evaluation_url,
            Service.exchange: self.exchange_url,
        }

    @property
    def code_limits(self) -> CodeLimits:
        """How many sign-in codes may be sent."""
        return CodeLimits(
            resend_after=timedelta(seconds=self.code_resend_seconds),
            per_phone_hour=self.codes_per_phone_hour,
            per_phone_day=self.codes_per_phone_day,
            per_address_hour=self.codes_per_address_hour,
        )

    @property
    def lifetimes(self) -> dict[AccountKind, Lifetimes]:
        """How long sessions live."""
        return {
            AccountKind.resident: Lifetimes(
                idle=timedelta(seconds=self.resident_idle_seconds),
                whole=timedelta(seconds=self.resident_session_seconds),
            ),
            AccountKind.staff: Lifetimes(
                idle=timedelta(seconds=self.staff_idle_seconds),
                whole=timedelta(seconds=self.staff_session_seconds),
            ),
        }

    @property
    def is_public_https(self) -> bool:
        return self.public_url.startswith("https://")


def _rate(given: object) -> object:
    if not isinstance(given, str):
        return given
    per_second, _, burst = given.partition("/")
    rate = Rate(float(per_second), int(burst))
    if rate.per_second <= 0 or rate.burst < 1:
        raise ValueError("a rate is <per second>/<burst>, both positive")
    return rate
