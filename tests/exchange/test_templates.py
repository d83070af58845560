import pytest
import yaml

from contracts.evaluation import EvaluationOpened, RectificationReplied
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseDecided,
    CaseRefused,
    CorrectionRequested,
    RequestSubmitted,
)
from contracts.samples import samples_of
from services.exchange.notices.consumers import TOLD
from services.exchange.notices.rules import FREE_TEXT
from services.exchange.notices.templates import (
    FILE,
    Template,
    Templates,
    TemplatesInvalid,
    load_templates,
)
from tests.exchange.factories import DATA, happened

SHIPPED = load_templates(DATA, TOLD)
EVENTS = [
    pytest.param(event_class, body, id=f"{event_class.__name__}-{name}")
    for event_class in TOLD
    for name, body in samples_of(event_class).items()
]


def faults(*templates, events=(CaseDecided,)) -> list[str]:
    with pytest.raises(TemplatesInvalid) as raised:
        Templates([Template.model_validate(one) for one in templates], events)
    return list(raised.value.reasons)


def decided(**changes):
    values = {
        "code": "case-decided",
        "event": CaseDecided.event_type,
        "title": "有了决定",
        "body": "“{item_name}”已作出决定。",
    }
    return values | changes


class TestShippedTemplates:
    def test_every_event_has_samples_to_try(self):
        assert {type_ for type_ in TOLD if not samples_of(type_)} == set()

    @pytest.mark.parametrize(("event_class", "body"), EVENTS)
    def test_every_published_event_finds_its_words(self, event_class, body):
        event = event_class.model_validate(body)
        title, text = SHIPPED.find(event).words(event)
        assert title
        assert not {"{", "}", "None"} & {*title, *text}
        assert "None" not in text
        names = ("case_number", "request_number", "facility_name")
        assert next(getattr(event, name) for name in names if hasattr(event, name)) in text

    @pytest.mark.parametrize(("event_class", "body"), EVENTS)
    def test_absent_values_leave_no_hole(self, event_class, body):
        event = event_class.model_validate(body)
        bare = event.model_copy(
            update={
                name: None
                for name in ("unit_code", "unit_name", "due_on", "right_organ", "handler_name")
                if name in event_class.model_fields
            }
        )
        _, text = SHIPPED.find(bare).words(bare)
        assert "None" not in text
        for hole in ("，。", "、。", "。。", "“”", "（）", "前前"):
            assert hole not in text

    @pytest.mark.parametrize(("event_class", "body"), EVENTS)
    def test_nothing_of_the_person_is_in_the_text(self, event_class, body):
        secrets = {
            "applicant_id": "019aab00-0000-7000-8000-00000000cafe",
            "handler_name": "王大友",
        }
        event = event_class.model_validate(
            body
            | {name: value for name, value in secrets.items() if name in event_class.model_fields}
        )
        title, text = SHIPPED.find(event).words(event)
        for secret in secrets.values():
            assert secret not in title + text

    @pytest.mark.parametrize(
        ("event_class", "field"),
        [
            (CorrectionRequested, "missing"),
            (CaseRefused, "reason"),
            (CaseRefused, "right_organ"),
            (RectificationReplied, "reply"),
        ],
    )
    def test_numbers_in_free_text_are_masked(self, event_class, field):
        told = "经办人王某13812345678核对140802199001011234有误"
        event = happened(event_class, **{field: (told,) if field == "missing" else told})
        _, text = SHIPPED.find(event).words(event)
        assert "13812345678" not in text
        assert "140802199001011234" not in text
        assert "138****5678" in text

    def test_free_text_is_what_no_other_field_can_be(self):
        """A text field that comes to an event must be sorted: free, or from a list of ours."""
        ours = {"request_number", "case_number", "item_code", "item_name", "unit_code",
                "unit_name", "division_code", "service_name", "handler_name", "window_code", "channel",
                "booking_code", "resource_name", "facility_name", "address", "from_time", "until_time",
                "confirm_by_time"}  # fmt: skip
        texts = {
            name
            for event_class in TOLD
            for name, field in event_class.model_fields.items()
            if field.annotation in (str, str | None, tuple[str, ...])
        }
        assert texts - ours == FREE_TEXT

    def test_each_outcome_has_its_own_words(self):
        def code(event):
            return SHIPPED.find(event).code

        assert code(happened(CaseDecided, granted=True)) == "case-granted"
        assert code(happened(CaseDecided, granted=False)) == "case-not-granted"
        assert code(happened(CaseAccepted, deemed=True)) == "case-accepted-by-law"
        assert code(happened(CaseAccepted, deemed=False)) == "case-accepted"

    def test_dates_are_written_for_people(self):
        event = happened(EvaluationOpened, open_until="2026-12-21")
        assert "2026年12月21日" in SHIPPED.find(event).words(event)[1]

    def test_texts_are_for_residents(self):
        content = yaml.safe_load((DATA / FILE).read_text(encoding="utf-8"))
        for template in content["templates"]:
            assert len(template["title"]) <= 16
            assert len(template["body"]) <= 200


class TestChecks:
    def test_an_event_without_words(self):
        assert faults() == [f"{CaseDecided.event_type}: no template without conditions at the end"]

    def test_an_outcome_without_words(self):
        [reason] = faults(decided(when={"granted": True}))
        assert "no template without conditions" in reason

    def test_words_that_are_never_reached(self):
        reasons = faults(decided(), decided(code="never-said"))
        assert reasons == ["case-decided: leaves nothing to the next"]

    def test_a_code_twice(self):
        reasons = faults(decided(when={"granted": True}), decided())
        assert reasons == ["case-decided: the code stands twice"]

    def test_an_event_nobody_sends(self):
        assert "case-won: nobody sends a.b.c" in faults(
            decided(), decided(code="case-won", event="a.b.c")
        )

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"body": "“{item}”已作出决定。"}, "no field item to show"),
            ({"title": "给{name}的"}, "no field name to show"),
            ({"body": "由{unit_name}决定。"}, "unit_name may be absent"),
            ({"body": "{applicant_id}，有了决定"}, "no field applicant_id to show"),
            ({"body": "{case_id}，有了决定"}, "case_id cannot be shown"),
            ({"body": "{occurred_at}作出决定"}, "occurred_at cannot be shown"),
            ({"body": "{item_name:>9}"}, "not a plain name"),
            ({"body": "{item_name"}, "expected '}'"),
            ({"when": {"won": True}}, "no field won"),
            ({"parts": {"unit": {"given": "bureau", "text": "由局决定"}}}, "no field bureau"),
            (
                {"parts": {"unit": {"given": "due_on", "text": "{unit_name}"}}},
                "unit_name may be absent",
            ),
            (
                {"parts": {"unit": {"given": "unit_name", "text": "", "otherwise": "{unit_name}"}}},
                "unit_name may be absent",
            ),
            (
                {"parts": {"item_name": {"given": "unit_name", "text": "x"}}},
                "hides a field",
            ),
            ({"each": {"cases": {"text": "x"}}}, "cases is no list"),
            ({"each": {"item_name": {"text": "x"}}}, "item_name is no list"),
        ],
    )
    def test_what_an_event_cannot_give(self, changes, reason):
        assert any(reason in told for told in faults(decided(**changes)))

    def test_what_an_entry_of_a_list_cannot_give(self):
        template = {
            "code": "request-submitted",
            "event": RequestSubmitted.event_type,
            "title": "已收到",
            "body": "已收到：{cases}",
            "each": {"cases": {"text": "{item_name}{unit_name}{price}"}},
        }
        assert faults(template, events=(RequestSubmitted,)) == [
            "request-submitted: the field unit_name may be absent: write it in a part",
            "request-submitted: no field price to show",
        ]

    def test_a_list_cannot_stand_by_itself(self):
        template = {
            "code": "request-submitted",
            "event": RequestSubmitted.event_type,
            "title": "已收到",
            "body": "已收到：{cases}",
        }
        [reason] = faults(template, events=(RequestSubmitted,))
        assert "cases cannot be shown" in reason

    def test_names_of_handlers_stay_out(self):
        template = {
            "code": "case-completed",
            "event": CaseCompleted.event_type,
            "title": "办结",
            "body": "已办结{by}",
            "parts": {"by": {"given": "handler_name", "text": "，经办人{handler_name}"}},
        }
        assert faults(template, events=(CaseCompleted,)) == [
            "case-completed: no field handler_name to show"
        ]
