"""The command line of a service: every command does what its help says."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from contracts.exchange import NoticeDelivered
from contracts.topics import EXCHANGE, REQUESTS
from devstack.ports import pick_free_port
from servicekit import process as service_process
from servicekit.bus import Subscription, create_topics
from servicekit.migration_head import migration_head
from servicekit.personal_data import Cipher
from servicekit.process import _topics as topics_of
from servicekit.process import command_line, load_service
from servicekit.worker import WorkerParts
from tests.servicekit.helpers import effects, fresh_event, outgoing, send, until
from tests.servicekit.processes import ROOT, ended, environment, is_up, process
from tests.servicekit.sample.definition import SECRET, SERVICE
from tests.servicekit.sample.events import NoteRecorded
from tests.support.service import DATA_KEY, INDEX_KEY, PASSWORD

NEW_KEY = base64.b64encode(b"n" * 32).decode()


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as production starts it."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.servicekit.sample", *arguments],
        check=False, capture_output=True, text=True, cwd=ROOT, env=env,
    )  # fmt: skip


@pytest.fixture
def invoke(sample, monkeypatch):
    """A command in this process, whose logging stays the tests'."""
    monkeypatch.setattr(service_process, "configure_logging", lambda **_: None)

    async def invoke(*arguments: str, service=SERVICE, **values: str):
        for name, value in environment(sample, **values).items():
            if name.startswith("SAMPLE_"):
                monkeypatch.setenv(name, value)
        runner = CliRunner()
        return await asyncio.to_thread(runner.invoke, command_line(service), list(arguments))

    return invoke


class TestHelp:
    def test_lists_every_command_with_what_it_does(self):
        said = run(dict(os.environ), "--help").stdout
        for name in ("api", "worker", "migrate", "seed", "rebuild", "rotate-keys"):
            assert f" {name} " in said
        assert "Relay events, consume events, fire timers." in said

    def test_a_service_without_a_worker_has_no_commands_for_it(self):
        bare = replace(SERVICE, create_worker=None, encrypted=())
        said = CliRunner().invoke(command_line(bare), ["--help"]).output
        assert " api " in said
        assert " worker " not in said
        assert " rotate-keys " not in said

    def test_services_are_found_by_name(self):
        assert load_service("exchange").name == "exchange"
        with pytest.raises(ModuleNotFoundError):
            load_service("nothing")


class TestStart:
    async def test_a_missing_setting_is_named_and_nothing_else(self, sample):
        env = environment(sample)
        del env["SAMPLE_JWKS_URL"]
        ended = await asyncio.to_thread(run, env, "migrate")
        assert ended.returncode == 1
        assert ended.stderr.strip() == "SAMPLE_JWKS_URL: Field required"
        assert DATA_KEY not in ended.stdout + ended.stderr


class TestApi:
    async def test_serves_and_ends_by_a_signal(self, sample):
        port, metrics_port = pick_free_port(), pick_free_port()
        env = environment(sample, HTTP_PORT=str(port), METRICS_PORT=str(metrics_port))
        async with process("api", env) as child:
            answer = await until(is_up(port))
            assert answer.json() == {"status": "ok"}
            assert "server" not in answer.headers
            metrics = await until(is_up(metrics_port, "/metrics"))
            assert 'http_requests_total{method="GET",route="/readyz"' in metrics.text
            child.send_signal(signal.SIGTERM)
            status, out, err = await ended(child)
        # The server hands the signal on when it has answered everybody.
        assert (status, err) == (-signal.SIGTERM, "")
        assert "exception" not in out


class TestMigrate:
    async def test_brings_an_empty_database_to_the_head(self, sample, postgres):
        name = f"migrated_{uuid4().hex[:8]}"
        await asyncio.to_thread(postgres.create_database, "sample", name, PASSWORD)
        dsn = postgres.dsn(name, "sample", PASSWORD)
        ended = await asyncio.to_thread(run, environment(sample, DATABASE_URL=dsn), "migrate")
        assert (ended.returncode, ended.stderr) == (0, "")
        connection = await asyncpg.connect(dsn)
        head = await connection.fetchval("SELECT version_num FROM alembic_version")
        await connection.close()
        assert head == migration_head(SERVICE.migrations)

    @pytest.mark.kafka
    async def test_creates_its_topics_and_those_of_its_dead_letters(self, apache, invoke):
        group = f"sample.{uuid4().hex[:8]}"
        subscription = Subscription(group, {NoticeDelivered: []})
        service = replace(
            SERVICE, publishes=[REQUESTS], create_worker=lambda _: WorkerParts([subscription])
        )
        for _ in range(2):
            ended = await invoke(
                "migrate", service=service, KAFKA_BOOTSTRAP_SERVERS=apache.bootstrap_servers
            )
            assert ended.exit_code == 0, ended.exception
        admin = AIOKafkaAdminClient(bootstrap_servers=apache.bootstrap_servers)
        await admin.start()
        described = await admin.describe_topics(
            [REQUESTS, EXCHANGE, dead := f"{EXCHANGE}.dlq.{group}"]
        )
        await admin.close()
        sizes = {topic["topic"]: len(topic["partitions"]) for topic in described}
        assert sizes == {REQUESTS: 6, EXCHANGE: 3, dead: 1}

    @pytest.mark.kafka
    async def test_two_services_may_create_a_topic_at_once(self, apache, sample):
        service = replace(SERVICE, publishes=[REQUESTS, EXCHANGE], create_worker=None)
        topics = [
            replace(topic, name=f"test.{uuid4().hex[:8]}.v1")
            for topic in topics_of(service, sample.settings)
        ]
        await asyncio.gather(*(create_topics(apache.bootstrap_servers, topics) for _ in range(4)))


class TestOtherCommands:
    async def test_seed_loads_what_lies_in_the_directory(self, sample, invoke, tmp_path):
        ended = await invoke("seed", "--data", str(tmp_path))
        assert (ended.exit_code, ended.output) == (0, "1 row\n")
        assert await effects(sample) == [tmp_path.name]

    async def test_rotate_keys_renews_every_value(self, sample, invoke):
        old = Cipher({"test": base64.b64decode(DATA_KEY)}, "test", base64.b64decode(INDEX_KEY))
        await sample.fetch(
            "INSERT INTO note (id, title, secret, version) VALUES (gen_random_uuid(), 'a', $1, 1)",
            old.encrypt("王大友", SECRET.context),
        )
        keys = f'{{"test": "{DATA_KEY}", "new": "{NEW_KEY}"}}'
        ended = await invoke("rotate-keys", DATA_KEYS=keys, DATA_KEY_ID="new")
        assert ended.output == "sample: 1 values re-encrypted under new\n"
        [row] = await sample.fetch("SELECT secret FROM note")
        new = Cipher({"new": base64.b64decode(NEW_KEY)}, "new", base64.b64decode(INDEX_KEY))
        assert new.decrypt(row["secret"], SECRET.context) == "王大友"

    @pytest.mark.kafka
    async def test_rebuild_reports_what_it_did(self, sample, broker, invoke):
        event = await fresh_event(broker, NoteRecorded)
        await send(broker, outgoing(event(note_id=uuid4(), title="一", revision=1)))
        copies = SERVICE.projections()["copies"]
        [handlers] = copies.handlers.values()
        service = replace(
            SERVICE,
            projections=lambda: {
                "copies": replace(copies, topic=event.topic, handlers={event: handlers})
            },
        )
        servers = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers}
        ended = await invoke("rebuild", "copies", service=service, **servers)
        assert ended.output == f"{event.topic}: 1 events applied, differed: note_copy\n"
        assert await sample.count("note_copy") == 1
        unknown = await invoke("rebuild", "nothing", service=service, **servers)
        assert unknown.exit_code == 2
        assert "one of copies" in unknown.output
