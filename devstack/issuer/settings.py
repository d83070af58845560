"""Settings of the development issuer, read from variables `ISSUER_…`."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class NotForProduction(SystemExit):
    """Somebody tried to run the issuer, whose staff have no passwords, in production."""


class IssuerSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ISSUER_", frozen=True)

    environment: Literal["development"]
    #: The `iss` of every token, and where the issuer is reached.
    url: str
    host: str = "127.0.0.1"
    port: int = 8090
    client_id: str
    client_secret: SecretStr
    redirect_uri: str
    #: JWKS with the private ES256 key that signs identity tokens.
    keys_file: Path
    staff_file: Path = Path(__file__).parents[1] / "staff.yaml"

    @classmethod
    def load(cls) -> "IssuerSettings":
        """Read the environment.

        Raises:
            NotForProduction: ISSUER_ENVIRONMENT is not development.
        """
        try:
            return cls()
        except ValidationError as error:
            if any(part["loc"] == ("environment",) for part in error.errors()):
                raise NotForProduction(
                    "the development issuer signs anybody in without a password; "
                    "it runs only with ISSUER_ENVIRONMENT=development"
                ) from error
            raise
