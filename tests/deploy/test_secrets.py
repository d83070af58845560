"""deploy/new_secrets.py makes everything that an installation needs, new each time, and once."""

import base64
import json
import stat
import subprocess
import sys

import pytest
from joserfc.jwk import KeySet

from deploy import new_secrets
from gateway.keys import KeyRing
from tests.deploy.conftest import TODAY
from tests.deploy.deployables import deployable_names
from tests.deploy.paths import ROOT
from tests.deploy.rendering import containers


@pytest.fixture
def installation(tmp_path):
    for name in ("catalogue", "requests"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "__main__.py").touch()
    return tmp_path


class TestCompose:
    def test_writes_the_files_once(self, installation):
        new_secrets.write_compose_files(installation, TODAY)
        before = (installation / ".env").read_text()
        with pytest.raises(FileExistsError):
            new_secrets.write_compose_files(installation, TODAY)
        assert (installation / ".env").read_text() == before

    def test_only_the_owner_reads_them(self, installation):
        new_secrets.write_compose_files(installation, TODAY)
        assert stat.S_IMODE((installation / ".env").stat().st_mode) == 0o600
        assert stat.S_IMODE((installation / ".secrets").stat().st_mode) == 0o700
        assert (installation / ".secrets" / ".gitignore").read_text() == "*\n"

    def test_the_gateway_reads_the_signing_keys(self, installation):
        new_secrets.write_compose_files(installation, TODAY)
        ring = KeyRing(installation / ".secrets" / "signing-keys.json")
        (published,) = ring.published["keys"]
        assert published["kid"].startswith("20261122-")
        assert "d" not in published

    def test_runs_as_a_command(self, installation):
        script = str(ROOT / "deploy" / "new_secrets.py")
        done = subprocess.run([sys.executable, script, "compose"], cwd=installation, check=False)
        assert done.returncode == 0
        assert "REQUESTS_DATABASE_PASSWORD=" in (installation / ".env").read_text()


class TestKeys:
    def test_are_new_each_time_and_32_bytes(self):
        first, second = (new_secrets.personal_data_keys(TODAY) for _ in range(2))
        assert first["DATA_KEYS"] != second["DATA_KEYS"]
        keys = json.loads(first["DATA_KEYS"])
        assert list(keys) == [first["DATA_KEY_ID"]]
        for key in (*keys.values(), first["BLIND_INDEX_KEY"]):
            assert len(base64.b64decode(key)) == 32

    def test_a_password_fits_into_an_address(self):
        assert new_secrets.password().isalnum()
        assert len(new_secrets.password()) >= 40

    def test_the_signing_key_is_private(self):
        (key,) = KeySet.import_key_set(json.loads(new_secrets.signing_keys(TODAY))).keys
        assert key.is_private


class TestKubernetes:
    def test_are_those_the_manifests_name(self, manifests, secrets):
        made = {doc["metadata"]["name"]: set(doc["stringData"]) for doc in secrets}
        for container in containers(manifests):
            for entry in container.spec.get("env", []):
                reference = entry.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    assert reference["key"] in made[reference["name"]], container.title
            for volume in container.pod.get("volumes", []):
                if "secret" in volume:
                    assert volume["secret"]["secretName"] in made, container.title

    def test_each_service_has_its_own(self, secrets):
        names = {doc["metadata"]["name"] for doc in secrets}
        for name in deployable_names():
            assert {f"{name}-database", f"{name}-keys"} <= names

    def test_ask_for_what_only_people_know(self, monkeypatch):
        monkeypatch.delenv("GATEWAY_SMS_SECRET", raising=False)
        with pytest.raises(SystemExit, match="GATEWAY_SMS_SECRET"):
            new_secrets.kubernetes_secrets(ROOT, TODAY)
