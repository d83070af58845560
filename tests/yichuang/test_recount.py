"""Recounts by an operator at the command line, on a database of evaluation."""

import os

import asyncpg
import pytest

from servicekit.process import load_service
from tests.support.service import Databases, TestDatabase
from tests.yichuang.conftest import variables

LOST = """
INSERT INTO score_day (subject_kind, subject_id, day, first_satisfied)
VALUES ('unit', '140802000000:civil-affairs', '2026-10-01', 3)
"""
ASKED = """
INSERT INTO score_recount (id, requested_at, state, phase, services, services_corrected)
VALUES ($1, now(), 'running', 'days', 0, 0)
"""
UNDER_WAY = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
async def evaluation(alone, databases: Databases) -> TestDatabase:
    found = await databases.clone(load_service("evaluation"))
    os.environ |= variables("evaluation", found.dsn)
    return found


async def test_what_differs_is_put_right_and_told(yichuang, evaluation):
    connection = await asyncpg.connect(evaluation.dsn)
    await connection.execute(LOST)
    outcome = await yichuang("recount")
    assert (outcome.code, "scores of 1 subjects corrected" in outcome.said) == (1, True)
    assert "comparing days" in outcome.said
    assert await connection.fetchval("SELECT sum(first_satisfied) FROM score_day") == 0
    await connection.execute(ASKED, UNDER_WAY)
    outcome = await yichuang("recount")
    assert (outcome.code, f"0 subjects corrected (recount {UNDER_WAY})" in outcome.said) == (
        0,
        True,
    )
    assert await connection.fetchval("SELECT count(*) FROM score_recount") == 2
    await connection.close()


async def test_a_database_that_does_not_answer(yichuang, alone):
    os.environ |= variables("evaluation", "postgresql://nobody:no@127.0.0.1:1/none")
    outcome = await yichuang("recount")
    assert outcome.code == 1
    assert "Traceback" not in outcome.said
