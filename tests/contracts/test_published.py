"""What is committed equals what the code says, and takes nothing back that was ever published."""

import json
import re

import jsonschema_rs
import pytest

from contracts.envelope import Event
from contracts.generate import ROOT, SCHEMAS, generated_files, to_json, write
from contracts.json_schemas import event_schema
from contracts.registry import BY_TYPE, EVENTS
from contracts.samples import samples_of
from contracts.topics import TOPICS
from tests.contracts.additive import violations
from tests.contracts.history import committed_versions

#: Breaks that were decided on, with the reason nobody could be hurt: (event type, violation).
ACKNOWLEDGED: dict[tuple[str, str], str] = {}

SAMPLES = [
    pytest.param(event, body, id=f"{event.__name__}/{name}")
    for event in EVENTS
    for name, body in samples_of(event).items()
]


class TestRegistry:
    def test_every_event_class_is_listed_once(self):
        def leaves(base: type[Event]) -> set[type[Event]]:
            below = base.__subclasses__()
            return set().union(*map(leaves, below)) if below else {base}

        declared = {event for event in leaves(Event) if event.__module__.startswith("contracts.")}
        assert declared == set(EVENTS)
        assert len(BY_TYPE) == len(EVENTS)

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
    def test_names_topic_and_key_fit(self, event):
        service = event.__module__.rpartition(".")[2]
        assert re.fullmatch(rf"cn\.yichuang\.{service}\.[a-z][a-z-]*\.v\d+", event.event_type)
        assert event.topic.startswith(f"yichuang.{service}.")
        assert event.topic in TOPICS
        assert event.model_fields[event.key_field].is_required()
        assert (event.__doc__ or "").strip()


class TestGeneratedFiles:
    def test_committed_files_are_what_the_code_says(self):
        stale = [
            str(path)
            for path, content in generated_files().items()
            if not (ROOT / path).is_file() or (ROOT / path).read_text("utf-8") != content
        ]
        assert stale == [], "run `python -m contracts.generate`"

    def test_no_schema_is_left_over(self):
        assert {path.stem for path in (ROOT / SCHEMAS).glob("*.json")} == set(BY_TYPE)

    def test_writing_twice_changes_nothing_and_removes_leftovers(self, tmp_path):
        assert len(write(tmp_path)) == len(generated_files())
        assert write(tmp_path) == []
        leftover = tmp_path / SCHEMAS / "cn.yichuang.gone.v1.json"
        leftover.touch()
        assert write(tmp_path) == [leftover]

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
    def test_schemas_are_valid_json_schema(self, event):
        jsonschema_rs.meta.validate(event_schema(event))

    def test_comments_of_the_source_describe_the_fields(self):
        schema = event_schema(BY_TYPE["cn.yichuang.requests.case-accepted.v1"])
        assert "opaque" in schema["properties"]["applicant_id"]["description"]


class TestNoPersonalData:
    """Events stay in Kafka for weeks or for ever and are read by everybody: no resident is in one."""

    words = frozenset(
        {"applicant_name", "resident", "citizen", "identity", "mobile", "birth", "answers", "note"}
    )

    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
    def test_no_field_is_named_like_it(self, event):
        assert [name for name in field_names(event_schema(event)) if self.is_personal(name)] == []

    def test_it_can_fail(self):
        schema = {
            "properties": {"applicant_name": {}},
            "$defs": {"A": {"properties": {"note": {}}}},
        }
        assert list(filter(self.is_personal, field_names(schema))) == ["applicant_name", "note"]

    def is_personal(self, name: str) -> bool:
        return name in self.words or not self.words.isdisjoint(name.split("_"))


def field_names(schema: dict) -> list[str]:
    models = [schema, *schema.get("$defs", {}).values()]
    return [name for model in models for name in model.get("properties", {})]


class TestSamples:
    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
    def test_every_event_has_one(self, event):
        assert samples_of(event)

    def test_every_folder_is_an_events(self):
        folders = {path.name for path in (ROOT / "contracts/samples").glob("cn.*")}
        assert folders == set(BY_TYPE)

    @pytest.mark.parametrize(("event", "body"), SAMPLES)
    def test_it_parses_and_validates(self, event, body):
        parsed = event.model_validate(body)
        assert parsed.key == str(body[event.key_field])
        validator = jsonschema_rs.validator_for(event_schema(event), validate_formats=True)
        assert [str(error) for error in validator.iter_errors(body)] == []
        assert validator.is_valid(json.loads(parsed.model_dump_json()))

    @pytest.mark.parametrize(("event", "body"), SAMPLES)
    def test_a_reader_ignores_fields_it_does_not_know(self, event, body):
        assert event.model_validate(body | {"added_later": 1}) == event.model_validate(body)

    def test_files_are_kept_in_one_form(self):
        for path in (ROOT / "contracts/samples").glob("*/*.json"):
            text = path.read_text("utf-8")
            assert text == to_json(json.loads(text)), path.name


class TestNothingIsTakenBack:
    """Against every version in the history, so that a breaking edit cannot slip in by steps."""

    def test_schemas_only_grow(self):
        found = [
            (event_type, violation)
            for path, versions in committed_versions(ROOT, str(SCHEMAS)).items()
            for event_type in [path.rpartition("/")[2].removesuffix(".json")]
            for version in versions
            for violation in compare(event_type, json.loads(version))
        ]
        assert [each for each in found if each not in ACKNOWLEDGED] == []

    def test_every_sample_ever_published_still_parses(self):
        for path, versions in committed_versions(ROOT, "contracts/samples").items():
            if not path.endswith(".json"):
                continue
            event = BY_TYPE[path.split("/")[2]]
            for version in versions:
                event.model_validate_json(version)

    def test_a_retired_event_type_is_noticed(self):
        assert compare("cn.yichuang.requests.gone.v1", {}) == ["the event type was removed"]


def compare(event_type: str, old: dict) -> list[str]:
    event = BY_TYPE.get(event_type)
    return violations(old, event_schema(event)) if event else ["the event type was removed"]
