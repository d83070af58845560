"""Logs: one line each, and never what a resident entrusted to us."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

ROOT = Path(__file__).parents[2]
PERSONAL = "13712349050"
SCRIPT = """
import logging, sys
from uuid import UUID
import structlog
from servicekit.logging import REDACTED, configure_logging, logger

configure_logging(service="sample", process="api", level="info", log_format=sys.argv[1])
personal = "13712349050"
for name in sorted(REDACTED):
    logger.warning("plain_field", **{name: personal})
    logger.warning("nested_field", given={"inside": [{name: personal}]})
structlog.contextvars.bind_contextvars(mobile=personal, request_id="r-1")
logger.warning("bound_field", some_id=UUID(int=7))
structlog.contextvars.unbind_contextvars("mobile")

def fail(mobile):
    answers = {"phone": mobile}
    raise RuntimeError("it broke") from ValueError("the first cause")

for report in (logger.error, logging.getLogger("foreign").error):
    try:
        fail(personal)
    except RuntimeError as error:
        report("it_failed", exc_info=error)

class Refused(Exception):
    pass

try:
    raise Refused("duplicate key\\nDETAIL:  Key (mobile)=(13712349050) already exists.\\nHINT: none")
except Refused as error:
    logger.error("row_refused", exc_info=error)
logging.getLogger("foreign").warning("a foreign %s", "warning")
logging.getLogger("foreign").info("too quiet")
logger.debug("too quiet")
"""


@cache
def output_of(log_format: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, log_format],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert ended.stderr == ""
    return ended.stdout


@pytest.fixture(params=["json", "console"])
def output(request):
    return output_of(request.param)


class TestPersonalData:
    def test_never_reaches_the_output(self, output):
        assert "plain_field" in output
        assert "nested_field" in output
        assert "bound_field" in output
        assert PERSONAL not in output

    def test_tracebacks_are_there_without_local_variables(self, output):
        assert output.count("RuntimeError: it broke") == 2
        assert output.count("ValueError: the first cause") == 2
        assert PERSONAL not in output

    def test_postgresql_does_not_repeat_the_row(self, output):
        assert "duplicate key" in output
        assert "DETAIL: ***" in output
        assert "HINT: none" in output


class TestLines:
    def test_every_line_is_json_in_production(self):
        lines = [json.loads(line) for line in output_of("json").splitlines()]
        assert {line["service"] for line in lines} == {"sample"}
        assert {line["process"] for line in lines} == {"api"}
        bound = next(line for line in lines if line["event"] == "bound_field")
        assert bound["request_id"] == "r-1"
        assert bound["some_id"] == "00000000-0000-0000-0000-000000000007"
        assert bound["timestamp"].endswith("Z")
        assert lines[-1]["event"] == "a foreign warning"
        assert lines[-1]["level"] == "warning"

    def test_what_is_below_the_level_is_left_out(self, output):
        assert "too quiet" not in output


class TestFailedStatements:
    async def test_do_not_show_their_parameters(self, sample, database):
        async def insert_twice():
            async with database.transaction() as session:
                for _ in range(2):
                    await session.execute(
                        text("INSERT INTO note (id, title, secret, version) "
                             "VALUES (gen_random_uuid(), 'one', :secret, 1)"),
                        {"secret": PERSONAL},
                    )  # fmt: skip

        with pytest.raises(IntegrityError) as refused:
            await insert_twice()
        assert PERSONAL not in str(refused.value)

    async def test_tell_what_they_were(self, sample, database):
        async def divide():
            async with database.transaction() as session:
                await session.execute(text("SELECT 1 / :n"), {"n": 0})

        with pytest.raises(DBAPIError, match="division by zero"):
            await divide()
