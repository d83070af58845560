"""New secrets for an installation: `.env` for Docker Compose, or Secret objects for Kubernetes.

    python deploy/new_secrets.py compose                     writes .env and .secrets/, once
    python deploy/new_secrets.py k8s | kubectl apply -n yichuang -f -

Needs the product's packages; without them, run it in the image from the repository's root:

    docker run --rm --interactive yichuang:0.1.0 python - k8s < deploy/new_secrets.py
"""

import base64
import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

#: What only people know: who asks for it, and the variable it comes from.
FROM_PEOPLE = {
    "GATEWAY_PUBLIC_URL": "how callers reach the gateway, for example https://yichuang.example",
    "GATEWAY_OIDC_ISSUER": "the address of the staff sign-on",
    "GATEWAY_OIDC_CLIENT_ID": "as registered at the staff sign-on",
    "GATEWAY_OIDC_CLIENT_SECRET": "as registered at the staff sign-on",
    "GATEWAY_OIDC_REDIRECT_URI": "as registered at the staff sign-on",
    "GATEWAY_SMS_URL": "the address of the SMS gateway",
    "GATEWAY_SMS_SECRET": "the secret of the SMS gateway",
}
SECRETS_FROM_PEOPLE = ("GATEWAY_OIDC_CLIENT_SECRET", "GATEWAY_SMS_SECRET")


def services(root: Path) -> list[str]:
    """Names of everything that has a database: each service, and the gateway."""
    found = sorted(path.parent.name for path in (root / "services").glob("*/__main__.py"))
    return [*found, "gateway"]


def password() -> str:
    """Letters and digits only, because it becomes part of a database address as it is."""
    return secrets.token_hex(24)


def personal_data_keys(today: datetime) -> dict[str, str]:
    """A data key, its id and the key of the blind index, as a service reads them."""
    key_id = f"k{today:%Y%m%d}"
    return {
        "DATA_KEYS": json.dumps({key_id: _key_bytes()}),
        "DATA_KEY_ID": key_id,
        "BLIND_INDEX_KEY": _key_bytes(),
    }


def signing_keys(today: datetime) -> str:
    """A JWKS with one private key that signs access tokens."""
    key = ECKey.generate_key("P-256", {"kid": f"{today:%Y%m%d}-{secrets.token_hex(3)}"})
    return json.dumps({"keys": [key.as_dict(private=True)]})


def compose_environment(root: Path, today: datetime) -> str:
    """The text of `.env`; what only people know is left empty."""
    lines = ["# Keep it secret; without DATA_KEYS and BLIND_INDEX_KEY personal data is lost."]
    lines += [f"{name}={password()}" for name in ("POSTGRES_PASSWORD", "GRAFANA_ADMIN_PASSWORD")]
    for service in services(root):
        prefix = service.upper()
        lines += ["", f"{prefix}_DATABASE_PASSWORD={password()}"]
        lines += [f"{prefix}_{name}='{it}'" for name, it in personal_data_keys(today).items()]
    lines += ["", "# Fill these in."]
    for name, meaning in FROM_PEOPLE.items():
        lines += [f"# {meaning}", f"{name}="]
    return "\n".join(lines) + "\n"


def kubernetes_secrets(root: Path, today: datetime) -> dict[str, Any]:
    """Every Secret the manifests refer to.

    Raises:
        SystemExit: a secret that only people know is not in the environment.
    """
    missing = [name for name in SECRETS_FROM_PEOPLE if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"set first: {', '.join(missing)}")
    identity = {name.removeprefix("GATEWAY_"): os.environ[name] for name in SECRETS_FROM_PEOPLE}
    items = [
        _secret("postgresql-superuser", {"username": "postgres", "password": password()}),
        _secret("gateway-identity", identity),
        _secret("gateway-signing-keys", {"signing-keys.json": signing_keys(today)}),
    ]
    for service in services(root):
        login = {"username": service, "password": password()}
        items.append(_secret(f"{service}-database", login))
        items.append(_secret(f"{service}-keys", personal_data_keys(today)))
    return {"apiVersion": "v1", "kind": "List", "items": items}


def write_compose_files(root: Path, today: datetime) -> None:
    """Write `.env` and `.secrets/signing-keys.json`.

    The keys are read by the image's user, so the file is open and its directory is closed.

    Raises:
        FileExistsError: they are there already; new data keys would make personal data unreadable.
    """
    directory = root / ".secrets"
    _write_new(root / ".env", compose_environment(root, today), 0o600)
    directory.mkdir(mode=0o700, exist_ok=True)
    _write_new(directory / ".gitignore", "*\n", 0o600)
    _write_new(directory / "signing-keys.json", signing_keys(today), 0o444)


def main(arguments: list[str], root: Path) -> None:
    """Carry out one of the two commands."""
    today = datetime.now(UTC)
    if arguments == ["compose"]:
        write_compose_files(root, today)
        sys.stdout.write("wrote .env and .secrets/; now fill in the end of .env\n")
    elif arguments == ["k8s"]:
        json.dump(kubernetes_secrets(root, today), sys.stdout, indent=2)
    else:
        raise SystemExit(__doc__)


def _key_bytes() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    kind = "kubernetes.io/basic-auth" if "password" in values else "Opaque"
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "yichuang"}}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": kind,
        "metadata": metadata, "stringData": values,
    }  # fmt: skip


def _write_new(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:], Path.cwd())
