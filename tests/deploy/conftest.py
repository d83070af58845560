"""Rendered once, read by every test of this folder."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from deploy import new_secrets
from tests.deploy.composition import Compose, fill_in, read_compose, read_environment_file
from tests.deploy.paths import K8S, OVERLAYS, ROOT
from tests.deploy.rendering import Docs, kustomize

TODAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="session")
def render() -> Callable[[str], Docs]:
    """An overlay by its name, rendered at most once."""
    known: dict[str, Docs] = {}

    def rendered(overlay: str) -> Docs:
        if overlay not in known:
            known[overlay] = kustomize(K8S / "overlays" / overlay)
        return known[overlay]

    return rendered


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest, render: Callable[[str], Docs]) -> Docs:
    """Every overlay in turn."""
    return render(request.param)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Docs:
    """The Secret objects that an operator makes beside the manifests."""
    for name in new_secrets.SECRETS_FROM_PEOPLE:
        monkeypatch.setenv(name, "given-by-people")
    items: Docs = new_secrets.kubernetes_secrets(ROOT, TODAY)["items"]
    return items


@pytest.fixture(scope="session")
def compose() -> Compose:
    """docker-compose.yml with its variables unfilled."""
    return read_compose(ROOT / "docker-compose.yml")


@pytest.fixture(scope="session")
def compose_variables() -> dict[str, str]:
    """What an operator's `.env` holds after it was written and filled in."""
    variables = read_environment_file(new_secrets.compose_environment(ROOT, TODAY))
    for name in new_secrets.FROM_PEOPLE:
        variables[name] = f"https://{name.lower().replace('_', '-')}.example"
    return variables


@pytest.fixture(scope="session")
def filled_compose(compose: Compose, compose_variables: dict[str, str]) -> Compose:
    """docker-compose.yml as it runs."""
    filled: Compose = fill_in(compose, compose_variables)
    return filled
