"""Traces: one request can be followed through HTTP, the outbox and Kafka."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from contracts.envelope import Envelope
from servicekit import tracing
from servicekit.http import create_client
from servicekit.logging import add_trace_id
from servicekit.outbox import record
from tests.servicekit.helpers import (
    consuming,
    fresh_event,
    outbox_is_empty,
    read,
    relaying,
    until,
    write_events,
)
from tests.servicekit.sample.events import NoteWritten
from tests.support.tokens import resident

ROOT = Path(__file__).parents[2]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch):
    """What is traced in this test, without a provider for the whole process."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter.get_finished_spans
    provider.shutdown()


def ids(span) -> tuple[str, str]:
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


class TestHttp:
    async def test_a_request_goes_on_with_the_callers_trace(self, sample, spans):
        await sample.client.get("/livez", headers={"traceparent": PARENT})
        [span] = spans()
        assert ids(span)[0] == TRACE
        assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
        assert span.kind is SpanKind.SERVER

    async def test_a_span_is_named_by_the_route_and_not_by_the_path(self, sample, spans):
        await sample.client.get(f"/v1/notes/{uuid4()}")
        await sample.client.get("/v1/mobile/13712349050")
        assert [span.name for span in spans()] == ["GET /v1/notes/{note_id}", "GET unmatched"]

    @pytest.mark.parametrize("parent", ["", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01"])
    async def test_a_malformed_parent_begins_a_new_trace(self, sample, spans, parent):
        await sample.client.get("/livez", headers={"traceparent": parent})
        [span] = spans()
        assert span.parent is None

    async def test_our_own_calls_carry_it_on(self, spans):
        async def answer(request):
            return httpx.Response(200, json=dict(request.headers))

        async with create_client(transport=httpx.MockTransport(answer)) as client:
            with tracing.span("work", SpanKind.INTERNAL, PARENT):
                said = (await client.get("http://province/")).json()
            silent = (await client.get("http://province/")).json()
        [span] = spans()
        assert said["traceparent"] == "00-{}-{}-01".format(*ids(span))
        assert "traceparent" not in silent


class TestEvents:
    async def test_untraced_events_have_no_parent(self, sample, database):
        await write_events(database, NoteWritten(note_id=uuid4(), title="一"))
        [row] = await sample.fetch("SELECT traceparent FROM outbox_message")
        assert row["traceparent"] is None

    @pytest.mark.kafka
    async def test_the_trace_of_a_request_reaches_the_events_of_its_consumers(
        self, sample, database, broker, producer, sample_topics, spans
    ):
        group = f"sample.{uuid4().hex[:8]}"
        answer_event = await fresh_event(broker, NoteWritten)
        note = (
            await sample.client.post(
                "/v1/notes", json={"title": "一"}, headers=resident() | {"traceparent": PARENT}
            )
        ).json()

        async def answer(session, event, envelope):
            if str(event.note_id) == note["id"]:
                await record(session, answer_event(note_id=event.note_id, title="answer"))

        async with (
            relaying(database, producer),
            consuming(database, broker, group, {NoteWritten: [answer]}),
        ):
            [last] = await read(broker, answer_event.topic, 1)
            await until(lambda: outbox_is_empty(sample))
        request = next(span for span in spans() if span.kind is SpanKind.SERVER)
        consumed = next(
            span for span in spans() if span.kind is SpanKind.CONSUMER and ids(span)[0] == TRACE
        )
        assert consumed.name == f"consume {NoteWritten.event_type}"
        assert consumed.parent.span_id == request.context.span_id
        envelope = Envelope.from_headers(last.headers)
        assert envelope.traceparent == "00-{}-{}-01".format(*ids(consumed))
        assert ids(consumed)[0] == TRACE


SCRIPT = """
import sys
from opentelemetry.trace import SpanKind
from servicekit import tracing
from servicekit.settings import ServiceSettings

tracing.configure_tracing(
    ServiceSettings(
        environment="development", database_url="postgresql://x", jwks_url="http://x",
        otlp_endpoint=sys.argv[1], trace_sample_ratio=sys.argv[2],
    ),
    service="sample", process="api",
)
with tracing.span("work", SpanKind.INTERNAL, None):
    print(tracing.traceparent())
"""


class Collector(BaseHTTPRequestHandler):
    """Takes spans, as a collector does."""

    bodies: ClassVar[list[bytes]] = []

    def do_POST(self):
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """No access log."""


@pytest.fixture
def collector():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Collector.bodies.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    server.shutdown()
    thread.join()
    server.server_close()


def traced(endpoint: str, ratio: str) -> str:
    """The traceparent inside a span of a process of its own, or None."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, endpoint, ratio],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert ended.stderr == ""
    return ended.stdout.strip()


class TestExport:
    def test_sampled_spans_reach_the_collector(self, collector):
        parent = traced(collector, "1")
        [body] = Collector.bodies
        assert bytes.fromhex(parent.split("-")[1]) in body
        assert b"sample" in body

    def test_the_others_are_only_passed_on_as_not_sampled(self, collector):
        flags = traced(collector, "0").rpartition("-")[2]
        assert int(flags, 16) & 1 == 0
        assert Collector.bodies == []

    def test_nothing_is_traced_without_an_endpoint(self):
        assert traced("", "1") == "None"


async def test_a_log_line_names_its_trace(sample, spans):
    seen: list[dict[str, object]] = []

    with tracing.span("GET /v1/notes", SpanKind.SERVER, PARENT):
        seen.append(dict(add_trace_id(None, "info", {"event": "x"})))
    seen.append(dict(add_trace_id(None, "info", {"event": "x"})))
    assert seen == [{"event": "x", "trace_id": TRACE}, {"event": "x"}]
