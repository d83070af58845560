"""The AsyncAPI document: the parts the specification requires, and every reference resolved."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml

from contracts.generate import ASYNCAPI, ROOT
from contracts.registry import EVENTS
from contracts.topics import TOPICS

CLOUD_EVENT_HEADERS = {"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return yaml.safe_load((ROOT / ASYNCAPI).read_text("utf-8"))


def resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = document
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        # A property of an event may itself be called $ref only in an example; there are none.
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_required_parts_are_there(document):
    assert document["asyncapi"] == "3.0.0"
    assert document["info"]["title"]
    assert document["info"]["version"]
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"]["$ref"].startswith("#/channels/")


def test_every_reference_leads_somewhere(document):
    found = set(references(document))
    assert len(found) > len(EVENTS)
    for reference in found:
        assert resolve(document, reference)


def test_channels_are_the_topics(document):
    channels = {channel["address"]: channel for channel in document["channels"].values()}
    assert channels.pop("{topic}.dlq.{group}")["parameters"].keys() == {"topic", "group"}
    assert channels.keys() == {event.topic for event in EVENTS}
    for address, channel in channels.items():
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == TOPICS[address].partitions
        policy = "compact" if TOPICS[address].compacted else "delete"
        assert kafka["topicConfiguration"]["cleanup.policy"] == [policy]


def test_operations_name_messages_of_their_own_channel(document):
    for operation in document["operations"].values():
        prefix = operation["channel"]["$ref"] + "/messages/"
        assert operation["messages"]
        assert all(message["$ref"].startswith(prefix) for message in operation["messages"])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_a_message_carries_headers_key_payload_and_examples(document, event):
    message = document["components"]["messages"][event.__name__]
    assert message["name"] == event.event_type
    (trait,) = (resolve(document, trait["$ref"]) for trait in message["traits"])
    assert set(trait["headers"]["required"]) == CLOUD_EVENT_HEADERS | {"content-type"}
    assert message["headers"]["properties"]["ce_type"] == {"const": event.event_type}
    assert event.key_field in message["bindings"]["kafka"]["key"]["description"]
    payload = {**message["payload"], "components": document["components"]}
    validator = jsonschema_rs.validator_for(payload)
    assert message["examples"]
    assert all(validator.is_valid(example["payload"]) for example in message["examples"])
