"""The envelope: what goes into Kafka headers comes out again."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Envelope
from contracts.registry import EVENTS
from contracts.samples import samples_of

envelopes = st.builds(
    Envelope,
    id=st.uuids(),
    type=st.sampled_from([event.event_type for event in EVENTS]),
    source=st.just("/requests"),
    subject=st.text(max_size=60),
    time=st.datetimes(timezones=st.just(UTC)),
    traceparent=st.none() | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


@given(envelope=envelopes)
def test_headers_carry_all_of_it(envelope):
    assert Envelope.from_headers(envelope.headers()) == envelope


def test_headers_of_others_are_ignored():
    envelope = Envelope(uuid4(), EVENTS[0].event_type, "/catalogue", "key", datetime.now(UTC))
    headers = [("dlq_reason", b"Poison()"), *envelope.headers(), ("x", b"\x01")]
    assert Envelope.from_headers(headers) == envelope


@pytest.mark.parametrize("missing", ["ce_id", "ce_type", "ce_source", "ce_time"])
def test_a_missing_attribute_is_named(missing):
    envelope = Envelope(uuid4(), EVENTS[0].event_type, "/catalogue", "key", datetime.now(UTC))
    headers = [header for header in envelope.headers() if header[0] != missing]
    with pytest.raises(ValueError, match=missing):
        Envelope.from_headers(headers)


@pytest.mark.parametrize("header", [("ce_id", b"no uuid"), ("ce_time", b"yesterday")])
def test_a_malformed_attribute_is_a_value_error(header):
    envelope = Envelope(uuid4(), EVENTS[0].event_type, "/catalogue", "key", datetime.now(UTC))
    with pytest.raises(ValueError, match=r"\w"):
        Envelope.from_headers([*envelope.headers(), header])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_key_and_source_follow_from_the_event(event):
    body = next(iter(samples_of(event).values()))
    parsed = event.model_validate(body)
    assert parsed.key == body[event.key_field]
    assert parsed.source == "/" + event.__module__.rpartition(".")[2]
