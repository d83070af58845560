"""Brokers: Apache Kafka and the stand-in, started, frozen, killed; and which one is chosen."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from devstack import jars, kafka
from devstack.apache_kafka import ApacheKafka
from devstack.broker import Broker, BrokerFailed, BrokerUnavailable
from devstack.java import find_java, parse_java_version
from devstack.kafka import External, NotOurs, choose_broker, start_broker
from devstack.ports import PortTaken, pick_free_ports
from devstack.stand_in import StandIn

# One module's broker, started once wherever the suite runs in several processes.
pytestmark = pytest.mark.xdist_group("broker")


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    directory = tmp_path_factory.mktemp("kafka") / "kafka"
    try:
        broker = start_broker(directory, pick_free_ports(), allow_stand_in=False)
    except BrokerUnavailable as reason:
        pytest.skip(str(reason))
    yield broker
    broker.stop()


async def send(broker: Broker, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, acks="all", enable_idempotence=True
    )
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key=b"key", headers=[("ce_id", b"1")])
    finally:
        await producer.stop()


async def receive(broker: Broker, topic: str, group: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap_servers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        records = [await asyncio.wait_for(consumer.getone(), 20) for _ in range(count)]
        await consumer.commit()
        return [record.value for record in records]
    finally:
        await consumer.stop()


async def create_topic(broker: Broker, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


@pytest.mark.kafka
class TestApacheKafka:
    async def test_events_survive_kill_minus_9(self, apache):
        await create_topic(apache, "survives")
        await send(apache, "survives", b"before")
        apache.kill()
        assert not apache.running
        apache.start()
        await send(apache, "survives", b"after")
        assert await receive(apache, "survives", "group", 2) == [b"before", b"after"]

    async def test_a_frozen_broker_answers_once_it_is_thawed(self, apache):
        await create_topic(apache, "frozen")
        apache.suspend()
        waiting = asyncio.create_task(send(apache, "frozen", b"patience"))
        await asyncio.wait({waiting}, timeout=0.3)
        assert not waiting.done()
        apache.resume()
        await asyncio.wait_for(waiting, 20)
        assert await receive(apache, "frozen", "group", 1) == [b"patience"]

    async def test_topics_come_from_migrations_only(self, apache):
        admin = AIOKafkaAdminClient(bootstrap_servers=apache.bootstrap_servers)
        await admin.start()
        described = await admin.describe_topics(["never-declared"])
        assert described[0]["error_code"] != 0
        await admin.close()

    def test_a_frozen_broker_is_stopped_in_bounded_time(self, apache):
        apache.suspend()
        started = time.monotonic()
        apache.stop()
        assert not apache.running
        assert time.monotonic() - started < 20
        apache.start()

    def test_one_that_outlived_its_parent_is_replaced(self, apache):
        successor = ApacheKafka(
            apache._directory, apache._ports, java=apache._java, jars=apache._jars
        )
        successor.start()
        assert successor.running
        assert not apache.running
        apache._child.reap()
        apache._child = successor._child

    def test_a_taken_port_is_named(self, apache, tmp_path):
        second = ApacheKafka(
            tmp_path / "second", apache._ports, java=apache._java, jars=apache._jars
        )
        with pytest.raises(PortTaken, match=str(apache._ports.kafka)):
            second.start()

    def test_a_start_that_fails_says_why(self, apache, tmp_path):
        broken = ApacheKafka(tmp_path, pick_free_ports(), java=apache._java, jars=apache._jars)
        broken._configure()
        (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=other\n")
        with pytest.raises(BrokerFailed, match=r"meta\.properties"):
            broken.start()


@pytest.mark.kafka
class TestStandIn:
    async def test_it_passes_events_on(self, tmp_path):
        broker = StandIn(tmp_path)
        broker.start()
        await send(broker, "passed", b"on")
        assert await receive(broker, "passed", "group", 1) == [b"on"]
        broker.stop()
        assert not broker.running

    async def test_it_forgets_when_it_ends(self, tmp_path):
        broker = StandIn(tmp_path)
        broker.start()
        await send(broker, "forgotten", b"gone")
        broker.kill()
        broker.start()
        await send(broker, "forgotten", b"new")
        assert await receive(broker, "forgotten", "group", 1) == [b"new"]
        broker.stop()


class TestChoice:
    def test_a_given_broker_comes_first_and_is_left_alone(self, tmp_path, monkeypatch):
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker:9092")
        broker = choose_broker(tmp_path, pick_free_ports())
        assert isinstance(broker, External)
        assert broker.bootstrap_servers == "broker:9092"
        assert not broker.owned
        broker.stop()
        with pytest.raises(NotOurs):
            broker.kill()

    def test_without_java_a_warning_names_what_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        monkeypatch.setattr(kafka, "find_java", lambda: None)
        said: list[str] = []
        broker = choose_broker(tmp_path, pick_free_ports(), progress=said.append)
        assert isinstance(broker, StandIn)
        assert "Java 17" in said[0]
        assert "do not survive a restart" in said[0]
        with pytest.raises(BrokerUnavailable, match="Java 17"):
            choose_broker(tmp_path, pick_free_ports(), allow_stand_in=False)

    def test_jars_that_are_cached_need_no_maven(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(jars, "find_maven", lambda: None)
        with pytest.raises(jars.JarsUnavailable):
            jars.KAFKA.fetch(tmp_path, print)
        cached = jars.KAFKA.cache_directory(tmp_path)
        cached.mkdir(parents=True)
        (cached / jars.COMPLETE).touch()
        assert jars.KAFKA.fetch(tmp_path, print) == cached

    def test_a_cache_that_cannot_be_written_falls_back(self, tmp_path, monkeypatch):
        blocked = tmp_path / "file"
        blocked.touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
        assert jars.KAFKA.cache_directory(tmp_path / "local").parent == tmp_path / "local"


class TestJava:
    @pytest.mark.parametrize(
        ("text", "major"),
        [
            ('openjdk version "17.0.15" 2025-04-15', 17),
            ('openjdk version "25" 2025-09-16', 25),
            ('java version "1.8.0_402"', 8),
            ("command not found", None),
        ],
    )
    def test_versions_are_read(self, text, major):
        assert parse_java_version(text) == major

    def test_java_home_is_asked_first(self, tmp_path, monkeypatch):
        program = tmp_path / "bin" / "java"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        assert find_java() == program
