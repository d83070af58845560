import os

import pytest

from servicekit.process import load_service
from tests.architecture.tree import deployable_names
from tests.yichuang.conftest import variables
from yichuang import environment
from yichuang.environment import NotConfigured, bootstrap_servers, load_environment, settings_of

pytestmark = pytest.mark.usefixtures("alone")
STACK = 'REQUESTS_DATA_KEYS={"a": "b=="}\n\n# a remark\nREQUESTS_DATABASE_URL=postgresql://stack\n'


@pytest.fixture
def stack() -> None:
    environment.STACK_FILE.write_text(STACK)


def test_every_service_is_known():
    assert set(environment.service_names()) >= set(deployable_names())


class TestWhereSettingsComeFrom:
    def test_a_running_stack_is_found(self, stack):
        assert load_environment() == f"settings: {environment.STACK_FILE}"
        assert os.environ["REQUESTS_DATA_KEYS"] == '{"a": "b=="}'
        assert os.environ["REQUESTS_DATABASE_URL"] == "postgresql://stack"

    def test_the_environment_is_never_mixed_with_the_stack(self, stack):
        os.environ["CATALOGUE_DATABASE_URL"] = "postgresql://production"
        assert load_environment() is None
        assert "REQUESTS_DATABASE_URL" not in os.environ

    def test_the_stack_is_found_beside_a_broker_in_the_environment(self, stack):
        os.environ["KAFKA_BOOTSTRAP_SERVERS"] = "broker:9092"
        assert load_environment() is not None
        assert bootstrap_servers() == "broker:9092"

    def test_a_file_that_is_named_wins(self, stack, tmp_path):
        named = tmp_path / "named.env"
        named.write_text("REQUESTS_DATABASE_URL=postgresql://named\n")
        os.environ["REQUESTS_DATABASE_URL"] = "postgresql://environment"
        load_environment(named)
        assert os.environ["REQUESTS_DATABASE_URL"] == "postgresql://named"

    def test_a_named_file_that_is_not_there_is_said(self, tmp_path):
        with pytest.raises(NotConfigured, match="No such file"):
            load_environment(tmp_path / "missing.env")

    def test_without_anything_nothing_is_read(self):
        assert load_environment() is None


class TestWhatIsMissing:
    def test_each_setting_is_named(self):
        with pytest.raises(NotConfigured, match="REQUESTS_DATABASE_URL: Field required"):
            settings_of(load_service("requests"))

    def test_a_broker_is_asked_for(self):
        with pytest.raises(NotConfigured, match="make run"):
            bootstrap_servers()

    def test_a_services_broker_is_enough(self):
        os.environ |= variables("exchange", "postgresql://x", "kafka:9092")
        assert bootstrap_servers() == "kafka:9092"

    async def test_commands_say_it_in_one_line_and_fail(self, yichuang):
        for command in (("outbox", "status"), ("dlq", "list"), ("keys", "rotate")):
            outcome = await yichuang(*command)
            assert outcome.code == 1, command
            assert "make run" in outcome.said
            assert "Traceback" not in outcome.said

    async def test_an_unknown_service_is_told_the_known_ones(self, yichuang):
        outcome = await yichuang("rebuild", "nobody")
        assert outcome.code == 1
        assert "requests" in outcome.said
