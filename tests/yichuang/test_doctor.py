"""What the doctor says: of the machine, and of the processes of a stack."""

import os
import sys

import httpx
import pytest

from devstack.ports import pick_free_port
from servicekit.health import MetricsServer
from servicekit.process import load_service
from tests.support.service import settings_for
from tests.yichuang.conftest import variables
from yichuang.health import addresses, readiness_of


async def test_the_machine_is_examined_without_a_stack(yichuang):
    outcome = await yichuang("doctor")
    assert "Python: 3." in outcome.said
    assert "PostgreSQL" in outcome.said
    assert "make run" in outcome.said


async def test_processes_of_a_stack_that_does_not_run_are_down(yichuang):
    os.environ |= variables("requests", "postgresql://nobody:no@127.0.0.1:1/none")
    os.environ["REQUESTS_HTTP_PORT"] = str(pick_free_port())
    os.environ["REQUESTS_WORKER_METRICS_PORT"] = str(pick_free_port())
    outcome = await yichuang("doctor")
    assert outcome.code == 1
    assert "down     requests.api: is not running" in outcome.said
    assert "down     requests.worker: is not running" in outcome.said


async def test_an_image_without_the_development_stack_is_no_reason_to_fail(yichuang, monkeypatch):
    monkeypatch.setitem(sys.modules, "devstack.doctor", None)
    outcome = await yichuang("doctor")
    assert outcome.code == 0
    assert "not part of this installation" in outcome.said


@pytest.fixture
def worker():
    """A worker's health server, of a worker that has just started."""
    server = MetricsServer("127.0.0.1", port := pick_free_port())
    server.start()
    yield server, f"http://127.0.0.1:{port}/readyz"
    server.stop()


async def test_a_process_that_is_not_ready_says_why(worker):
    _, address = worker
    [found] = await readiness_of([("requests.worker", address)])
    assert found.reason is not None
    assert "starting" in found.reason


async def test_ready_and_silent_processes_are_told_apart():
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.port == 2:
            raise httpx.ReadTimeout("slow")
        return httpx.Response(200 if request.url.port == 1 else 503)

    processes = [(str(port), f"http://host:{port}/readyz") for port in (1, 2, 3)]
    found = await readiness_of(processes, transport=httpx.MockTransport(answer))
    assert [each.reason for each in found] == [
        None,
        "does not answer: ReadTimeout",
        "answers 503",
    ]


def test_a_service_answers_on_its_http_port_and_its_worker_on_its_metrics_port():
    settings = settings_for(load_service("requests").settings, "postgresql://x")
    assert addresses("requests", settings, has_worker=True) == [
        ("requests.api", "http://127.0.0.1:8020/readyz"),
        ("requests.worker", "http://127.0.0.1:9021/readyz"),
    ]
    assert len(addresses("requests", settings, has_worker=False)) == 1
