"""The AsyncAPI 3.0 document of every topic and event; the committed one is docs/events/asyncapi.yaml."""

from typing import Any

from contracts.envelope import CONTENT_TYPE, SPEC_VERSION, Event
from contracts.json_schemas import component_schemas
from contracts.registry import EVENTS
from contracts.samples import samples_of
from contracts.topics import TOPICS, Topic, dead_letter_topic

#: Source: AsyncAPI Kafka bindings 0.5.0.
KAFKA_BINDING = "0.5.0"
_DESCRIPTION = """\
The events of 一窗 as they travel on Kafka.

Each is a CloudEvent 1.0 in binary content mode: attributes in `ce_` headers, the JSON body in the
value. The key is the id of the aggregate, so that everything about one aggregate stays in order on
one partition. Delivery is at least once: a reader remembers `ce_id`, ignores event types and fields
it does not know, and keeps of a state topic only the newest state of each key.

Types and topics carry a version. Within it they only grow: no field is removed, made required,
narrowed or retyped. Anything else is a new type that is published beside the old one until every
reader has moved."""


def document() -> dict[str, Any]:
    """Build the document from the registry, the topics and the samples."""
    schemas, references = component_schemas(EVENTS, "#/components/schemas/{model}")
    published = [topic for topic in TOPICS.values() if _events_of(topic)]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "一窗 events", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": CONTENT_TYPE,
        "channels": {_channel_id(topic): _channel(topic) for topic in published}
        | {"dead-letters": _dead_letters()},
        "operations": {f"publish-{_channel_id(topic)}": _operation(topic) for topic in published},
        "components": {
            "messages": {event.__name__: _message(event, references[event]) for event in EVENTS},
            "messageTraits": {"CloudEvent": _cloud_event()},
            "schemas": schemas,
        },
    }


def _events_of(topic: Topic) -> list[type[Event]]:
    return [event for event in EVENTS if event.topic == topic.name]


def _channel_id(topic: Topic) -> str:
    return topic.name.removeprefix("yichuang.").replace(".", "-")


def _channel(topic: Topic) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": [topic.config()["cleanup.policy"]]}
    if not topic.compacted:
        configuration["retention.ms"] = int(topic.config()["retention.ms"])
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in _events_of(topic)
        },
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _dead_letters() -> dict[str, Any]:
    example = dead_letter_topic("{topic}", "{group}")
    return {
        "address": example.name,
        "description": (
            "Events a consumer group could not handle, as they came; the headers `dlq_reason` and "
            f"`dlq_origin` (topic/partition/offset) are added. Kept for {example.retention_days} days."
        ),
        "parameters": {
            "topic": {"description": "Where the event came from.", "enum": sorted(TOPICS)},
            "group": {"description": "The consumer group, `<service>.<purpose>`."},
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{_channel_id(topic)}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "summary": f"The {_events_of(topic)[0].event_type.split('.')[2]} service publishes.",
        "messages": [
            {"$ref": f"{channel}/messages/{event.__name__}"} for event in _events_of(topic)
        ],
    }


def _message(event: type[Event], reference: dict[str, Any]) -> dict[str, Any]:
    source = "/" + event.event_type.split(".")[2]
    return {
        "name": event.event_type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "contentType": CONTENT_TYPE,
        "traits": [{"$ref": "#/components/messageTraits/CloudEvent"}],
        "headers": {
            "type": "object",
            "properties": {"ce_type": {"const": event.event_type}, "ce_source": {"const": source}},
        },
        "payload": reference,
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"The body's `{event.key_field}`."},
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "examples": [
            {"name": name, "payload": sample} for name, sample in samples_of(event).items()
        ],
    }


def _cloud_event() -> dict[str, Any]:
    """Headers every event has. Source: CloudEvents Kafka protocol binding 1.0 §3.2."""
    text = {"type": "string"}
    return {
        "name": "CloudEvent",
        "headers": {
            "type": "object",
            "required": [
                "ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time",
                "content-type",
            ],
            "properties": {
                "ce_specversion": {"const": SPEC_VERSION},
                "ce_id": {**text, "format": "uuid", "description": "Equal for every re-delivery."},
                "ce_type": text,
                "ce_source": text,
                "ce_subject": {**text, "description": "The key."},
                "ce_time": {**text, "format": "date-time", "description": "When it was recorded."},
                "content-type": {"const": CONTENT_TYPE},
                "traceparent": {**text, "description": "W3C trace context, when traced."},
            },
        },
    }  # fmt: skip
