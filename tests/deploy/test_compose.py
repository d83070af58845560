"""docker-compose.yml is whole, hardened and keeps its secrets outside."""

import pytest

from tests.deploy.checks import compose as check
from tests.deploy.composition import VariableMissing, fill_in, required_variables
from tests.deploy.paths import ROOT


def test_is_whole(compose):
    assert list(check.structure_problems(compose, ROOT)) == []


def test_images_are_pinned(compose):
    assert list(check.unpinned_images(compose)) == []


def test_only_the_gateway_is_open(compose):
    assert list(check.exposed_ports(compose)) == []


def test_services_are_hardened(compose):
    assert list(check.unhardened_services(compose)) == []


def test_no_secret_is_in_the_file(compose):
    assert list(check.literal_secrets(compose)) == []


def test_one_entry_builds_the_image(compose):
    builders = [name for name, entry in compose["services"].items() if "build" in entry]
    assert builders == ["gateway"]


def test_databases_cannot_reach_the_outside(compose):
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "kafka"):
        assert compose["services"][name]["networks"] == ["inside"]


def test_a_write_needs_no_other_service(compose):
    """An API waits for its own migration and for nothing else."""
    for name, entry in compose["services"].items():
        if "api" in entry.get("command", [])[3:]:
            assert set(entry["depends_on"]) == {f"migrate-{name}"}, name


class TestVariables:
    def test_are_all_written_by_new_secrets(self, compose_variables):
        text = (ROOT / "docker-compose.yml").read_text()
        assert required_variables(text) - set(compose_variables) == set()

    @pytest.mark.parametrize("missing", ["POSTGRES_PASSWORD", "REQUESTS_DATA_KEYS"])
    def test_missing_stops_the_start(self, compose, compose_variables, missing):
        rest = {name: value for name, value in compose_variables.items() if name != missing}
        with pytest.raises(VariableMissing, match=missing):
            fill_in(compose, rest)
