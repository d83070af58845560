"""Secrets, environments and the table of processes."""

import base64
import json
import stat
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, KeySet

from devstack.environment import Surroundings, environment_file, machine_environment, program_table
from devstack.fingerprint import fingerprint
from devstack.layout import DATABASES, SERVICES
from devstack.ports import Ports
from devstack.stack_secrets import StackSecrets
from gateway.settings import GatewaySettings
from servicekit.process import load_service
from servicekit.settings import ServiceSettings


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    secrets = StackSecrets(tmp_path)
    secrets.load()
    return Surroundings(
        directory=tmp_path,
        ports=Ports(offset=300),
        secrets=secrets,
        database_url={name: f"postgresql://{name}:x@127.0.0.1:5739/{name}" for name in DATABASES},
        bootstrap_servers="127.0.0.1:9592",
        overrides={"requests": {"INTAKE_CONNECTIONS": "7"}},
    )


class TestSecrets:
    def test_they_are_made_once(self, tmp_path):
        first, second = StackSecrets(tmp_path), StackSecrets(tmp_path)
        first.load()
        second.load()
        assert first.password("requests") == second.password("requests")
        assert first.password("requests") != first.password("gateway")
        assert len(base64.b64decode(first.data_key("requests"))) == 32

    def test_only_their_owner_may_read_them(self, tmp_path):
        StackSecrets(tmp_path).load()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert set(modes.values()) == {0o600}
        assert set(modes) == {"secrets.json", "signing-keys.json", "issuer-keys.json"}

    def test_a_new_service_gets_its_own_without_changing_the_others(self, tmp_path):
        secrets = StackSecrets(tmp_path)
        secrets.load()
        kept = json.loads((tmp_path / "secrets.json").read_text())
        before = kept.pop("exchange.password")
        (tmp_path / "secrets.json").write_text(json.dumps(kept))
        again = StackSecrets(tmp_path)
        again.load()
        assert again.password("exchange") != before
        assert again.password("requests") == secrets.password("requests")

    def test_signing_keys_are_a_private_jwks(self, tmp_path):
        secrets = StackSecrets(tmp_path)
        secrets.load()
        keys = KeySet.import_key_set(json.loads(secrets.signing_keys_file.read_text()))
        key = keys.keys[0]
        assert isinstance(key, ECKey)
        assert key.is_private
        assert key.kid


class TestEnvironment:
    @pytest.mark.parametrize("name", SERVICES)
    def test_settings_of_a_service_accept_it(self, around, name, monkeypatch):
        for key, value in around.settings(name).items():
            monkeypatch.setenv(key, value)
        settings: ServiceSettings = load_service(name).settings.load()
        assert settings.is_development
        assert settings.http_port == Ports(offset=300).http(name)
        assert settings.worker_metrics_port == Ports(offset=300).worker_metrics(name)
        assert settings.data_key_id in settings.data_key_bytes

    def test_settings_of_the_gateway_accept_it(self, around, monkeypatch):
        for key, value in around.settings("gateway").items():
            monkeypatch.setenv(key, value)
        settings = GatewaySettings.load()
        assert isinstance(settings, GatewaySettings)
        assert settings.oidc_issuer == "http://127.0.0.1:8390"
        assert settings.oidc_redirect_uri == around.issuer_environment()["ISSUER_REDIRECT_URI"]

    def test_overrides_win(self, around):
        assert around.settings("requests")["REQUESTS_INTAKE_CONNECTIONS"] == "7"

    def test_settings_left_in_the_shell_do_not_leak_in(self, around, monkeypatch):
        monkeypatch.setenv("REQUESTS_LOG_LEVL", "typo")
        assert "REQUESTS_LOG_LEVL" not in machine_environment()
        assert "REQUESTS_LOG_LEVL" not in around.environment("requests")

    def test_a_service_sees_no_secret_of_another(self, around):
        mine = around.environment("catalogue")
        for other in set(DATABASES) - {"catalogue"}:
            assert around.secrets.data_key(other) not in mine["CATALOGUE_DATA_KEYS"]
            assert not any(key.startswith(f"{other.upper()}_") for key in mine)

    def test_the_file_for_the_command_line_names_every_service(self, around):
        lines = environment_file(around).splitlines()
        assert all(any(line.startswith(f"{name.upper()}_") for line in lines) for name in DATABASES)


class TestProgramTable:
    def test_every_process_is_there_once(self, around):
        names = [program.name for program in program_table(around)]
        wanted = ["issuer", "gateway.api"]
        wanted += [f"{name}.{kind}" for name in SERVICES for kind in ("api", "worker")]
        assert sorted(names) == sorted(wanted)

    def test_every_process_can_say_that_it_is_ready(self, around):
        urls = [program.ready_url for program in program_table(around)]
        assert all(urls)
        assert len(set(urls)) == len(urls)


class TestFingerprint:
    def test_it_changes_with_any_source_or_data(self, tmp_path):
        data = tmp_path / "data"
        data.mkdir()
        (data / "tags.yaml").write_text("a")
        (data / "__pycache__").mkdir()
        before = fingerprint("", tmp_path)
        (data / "__pycache__" / "x.pyc").write_text("b")
        assert fingerprint("", tmp_path) == before
        assert fingerprint("ApacheKafka", tmp_path) != before
        (data / "tags.yaml").write_text("b")
        assert fingerprint("", tmp_path) != before
