"""Rows of local copies: in whichever order states arrive, the newest one stays."""

import asyncio
from itertools import permutations
from uuid import uuid4

import pytest

from servicekit.copies import keep_newest
from tests.servicekit.sample.models import NoteCopy

COPY = NoteCopy.metadata.tables["note_copy"]
#: (revision, title), oldest first: of two with one revision, the title decides.
STATES = [(0, "a"), (0, "b"), (1, "a")]


async def keep(database, note_id, state, by=("revision", "title")):
    revision, title = state
    async with database.transaction() as session:
        values = {"note_id": note_id, "revision": revision, "title": title}
        return await keep_newest(session, COPY, values, by=by)


async def kept(sample, note_id):
    [row] = await sample.fetch("SELECT revision, title FROM note_copy WHERE note_id = $1", note_id)
    return tuple(row)


@pytest.mark.parametrize("states", list(permutations(STATES)), ids=str)
async def test_the_newest_stays_in_whichever_order_and_however_often(sample, database, states):
    note_id, other = uuid4(), uuid4()
    await keep(database, other, STATES[0])
    for state in (*states, *states):
        await keep(database, note_id, state)
    assert await kept(sample, note_id) == STATES[-1]
    assert await kept(sample, other) == STATES[0]


async def test_as_new_as_what_is_there_changes_nothing(sample, database):
    note_id = uuid4()
    assert await keep(database, note_id, (1, "first"), by=("revision",))
    assert not await keep(database, note_id, (1, "second"), by=("revision",))
    assert await kept(sample, note_id) == (1, "first")


async def test_at_once_the_newest_stays(sample, database):
    note_id = uuid4()
    states = [(number, "at once") for number in (3, 1, 4, 2)]
    await asyncio.gather(*(keep(database, note_id, state) for state in states))
    assert await kept(sample, note_id) == (4, "at once")
