"""The outbox as operators see it, on real databases."""

import os

import asyncpg
import pytest

from servicekit.process import load_service
from tests.yichuang.conftest import variables

FILL = """
INSERT INTO outbox_message (id, topic, key, type, payload, time)
SELECT gen_random_uuid(), 'yichuang.requests.v1', 'k', 't', '{}', now() - make_interval(secs => 10 * n)
FROM generate_series(1, $1) AS n
"""


async def fill(dsn: str, count: int) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(FILL, count)
    await connection.close()


async def rows(yichuang) -> tuple[int, dict[str, list[str]]]:
    outcome = await yichuang("outbox", "status")
    lines = [line.split() for line in outcome.said.splitlines()[1:]]
    return outcome.code, {service: rest for service, *rest in lines}


async def test_depth_and_age_of_each_service(yichuang, databases, requests_database):
    exchange = await databases.clone(load_service("exchange"))
    os.environ |= variables("requests", requests_database.dsn)
    os.environ |= variables("exchange", exchange.dsn)
    await fill(requests_database.dsn, 7)
    code, found = await rows(yichuang)
    assert code == 0
    assert found.keys() == {"requests", "exchange"}
    assert found["exchange"] == ["0", "-"]
    depth, seconds, _ = found["requests"]
    assert depth == "7"
    assert 70 <= int(seconds) < 100


@pytest.mark.parametrize("address", ["postgresql://nobody:no@127.0.0.1:1/none", "wrong password"])
async def test_a_database_that_does_not_answer_fails_the_command(
    yichuang, address, requests_database
):
    wrong_password = requests_database.dsn.replace(":test@", ":no@")
    os.environ |= variables("requests", wrong_password if " " in address else address)
    outcome = await yichuang("outbox", "status")
    assert outcome.code == 1
    assert "requests" in outcome.said
    assert "Traceback" not in outcome.said
