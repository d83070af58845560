"""The copies of the catalogue that others keep, made anew from the topic, equal the source."""

import asyncio
import json
import time

import pytest

from contracts.catalogue import ItemRevised
from contracts.topics import CATALOGUE, TOPICS
from servicekit.outbox import now
from servicekit.producer import Producer
from servicekit.rebuild import rebuild
from servicekit.relay import Relay
from services.catalogue.definition import SERVICE as CATALOGUE_SERVICE
from services.catalogue.items import publishing, repository
from services.evaluation.definition import SERVICE as EVALUATION_SERVICE
from services.facilities.definition import SERVICE as FACILITIES_SERVICE
from services.requests.definition import SERVICE as REQUESTS_SERVICE
from tests.catalogue.people import People
from tests.servicekit.helpers import make_topics, running_task
from tests.support.service import running

pytestmark = pytest.mark.kafka


async def relayed(service, broker) -> None:
    """Send everything in the outbox."""
    producer = Producer(broker.bootstrap_servers)
    deadline = time.monotonic() + 60
    try:
        async with running_task(Relay(service.database, producer).run()):
            while await service.count("outbox_message"):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
    finally:
        await producer.stop()


async def source_of(service) -> dict[str, tuple[str, int, dict]]:
    """How the catalogue's items stand, as their newest event would tell."""
    found = {}
    async with service.database.reading() as session:
        for row in await service.fetch("SELECT id FROM item WHERE current_version IS NOT NULL"):
            item = await repository.get_item(session, row["id"])
            state = publishing.event_of(item, now()).model_dump(mode="json")
            found[str(item.id)] = (item.status, item.revision, state)
    return found


async def copy_of(service, ids) -> dict[str, tuple[str, int, dict]]:
    """What requests and facilities keep: the whole state."""
    rows = await service.fetch(
        "SELECT item_id, status, revision, state FROM catalogue_item WHERE item_id = ANY($1)",
        list(ids),
    )
    return {
        str(row["item_id"]): (row["status"], row["revision"], json.loads(row["state"]))
        for row in rows
    }


async def columns_of(service, ids) -> dict[str, tuple[str, int, dict]]:
    """What evaluation keeps: some columns."""
    rows = await service.fetch("SELECT * FROM item_copy WHERE item_id = ANY($1)", list(ids))
    return {
        str(row["item_id"]): (
            row["status"],
            row["revision"],
            {name: str(value) for name, value in row.items() if name != "status"},
        )
        for row in rows
    }


def without_time(copies):
    return {
        item_id: (status, revision, {k: v for k, v in state.items() if k != "recorded_at"})
        for item_id, (status, revision, state) in copies.items()
    }


def some_of(source, columns):
    """As much of each state as a copy of columns keeps."""
    return {
        item_id: (status, revision, {name: str(state[name]) for name in columns[item_id][2]})
        for item_id, (status, revision, state) in source.items()
    }


async def test_published_revised_paused_and_retired_items_are_copied_as_they_are(databases, broker):
    await make_topics(broker, TOPICS[CATALOGUE])
    async with (
        running(CATALOGUE_SERVICE, await databases.clone(CATALOGUE_SERVICE)) as catalogue,
        running(REQUESTS_SERVICE, await databases.clone(REQUESTS_SERVICE)) as requests,
        running(FACILITIES_SERVICE, await databases.clone(FACILITIES_SERVICE)) as facilities,
        running(EVALUATION_SERVICE, await databases.clone(EVALUATION_SERVICE)) as evaluation,
    ):
        people = People(catalogue)
        published, revised, paused, retired = [await people.publish() for _ in range(4)]
        await people.save(revised, name="改过的名称")
        await people.approve(revised)
        for item_id, action in ((paused, "pause"), (retired, "retire")):
            assert (await people.act(item_id, action, reason="县里决定")).status_code == 200
        await people.draft()  # what was never published is nobody's copy
        told = [event_type for event_type, _ in await catalogue.events()]
        assert told.count(ItemRevised.event_type) == 1
        await relayed(catalogue, broker)
        source = await source_of(catalogue)
        assert source.keys() == {published, revised, paused, retired}
        assert {status for status, *_ in source.values()} == {"published", "paused", "retired"}

        async def rebuilt(service, definition) -> str:
            projection = definition.projections()["catalogue-items"]
            return await rebuild(projection, service.database, broker.bootstrap_servers)

        for service, definition in ((requests, REQUESTS_SERVICE), (facilities, FACILITIES_SERVICE)):
            assert "differed: catalogue_item" in await rebuilt(service, definition)
            assert without_time(await copy_of(service, source)) == without_time(source)
            assert "identical" in await rebuilt(service, definition)

        assert "differed: item_copy" in await rebuilt(evaluation, EVALUATION_SERVICE)
        columns = without_time(await columns_of(evaluation, source))
        assert columns == some_of(source, columns)
        assert columns[revised][2]["name"] == "改过的名称"
        assert "identical" in await rebuilt(evaluation, EVALUATION_SERVICE)
