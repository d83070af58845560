import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.items import rules
from services.catalogue.items.rules import TRANSITIONS, Action
from services.catalogue.models import DraftState, Status
from services.catalogue.vocabulary import status_text
from tests.catalogue.factories import make_form, make_limits, make_material, parse_content

CODE = "512036007001"


def broken(**overrides) -> list[tuple[str, str]]:
    code = overrides.pop("item_code", CODE)
    found = rules.violations(code, parse_content(**overrides))
    return [(violation.path, violation.rule) for violation in found]


class TestViolations:
    def test_a_good_item_has_none(self):
        assert broken() == []

    @pytest.mark.parametrize(
        ("overrides", "path", "rule"),
        [
            ({"summary": "按规定执行"}, "/summary", "says-nothing"),
            ({"name": "其他"}, "/name", "says-nothing"),
            (
                {"questions": [{"question": "多久？", "answer": "详见办事指南"}]},
                "/questions/0/answer",
                "says-nothing",
            ),
            (
                {"materials": [make_material(note="相关材料")]},
                "/materials/0/note",
                "says-nothing",
            ),
            ({"aliases": ["残补", "残补"]}, "/aliases/1", "alias-repeated"),
            ({"aliases": ["困难残疾人生活补贴"]}, "/aliases/0", "alias-repeated"),
            ({"channels": ["portal", "portal", "agent"]}, "/channels/1", "value-repeated"),
            ({"provisional": True}, "/provisional", "provisional-code"),
            ({"item_code": "provisional:x"}, "/provisional", "provisional-code"),
            ({"triage_class": "village-public"}, "/triage_class", "triage-of-kind"),
            ({"task_type": "01", "questions": []}, "/questions", "licence-needs-question"),
            (
                {"limits": make_limits(statutory_days=500)},
                "/limits/statutory_days",
                "sentinel-days",
            ),
            (
                {
                    "limits": make_limits(
                        promised_days=500, statutory_days=None, statutory_unit=None
                    )
                },
                "/limits/promised_days",
                "sentinel-days",
            ),
            (
                {"limits": make_limits(statutory_unit=None)},
                "/limits/statutory_unit",
                "days-need-unit",
            ),
            (
                {"limits": make_limits(promised_days=0)},
                "/limits/project_kind",
                "immediate-is-zero-days",
            ),
            (
                {"limits": make_limits(project_kind="immediate")},
                "/limits/project_kind",
                "immediate-is-zero-days",
            ),
            (
                {"limits": make_limits(promised_days=31)},
                "/limits/promised_days",
                "promised-within-statutory",
            ),
            (
                {"limits": make_limits(promised_days=25, statutory_unit="calendar-days")},
                "/limits/promised_days",
                "promised-within-statutory",
            ),
            ({"visits": 1}, "/visit_reason", "visit-needs-reason"),
            ({"visit_reason": "要本人签字"}, "/visit_reason", "no-visit-no-reason"),
            (
                {"channels": ["window", "agent"], "around_the_clock": False},
                "/channels",
                "no-visit-needs-remote",
            ),
            (
                {"channels": ["window", "agent"], "visits": 1, "visit_reason": "要签字"},
                "/around_the_clock",
                "day-and-night-needs-remote",
            ),
            ({"agent_service": False}, "/agent_service", "agent-service-is-channel"),
            ({"fee": {"charged": False, "basis": "某文"}}, "/fee/charged", "free-has-no-fee"),
            (
                {"fee": {"charged": False, "online_payment": True}},
                "/fee/charged",
                "free-has-no-fee",
            ),
            ({"service_objects": ["enterprise"]}, "/audiences", "audience-is-people"),
            ({"forbidden_to_villages": True}, "/forbidden_to_villages", "forbidden-to-villages"),
            (
                {"materials": [make_material(), make_material(name="残疾证")]},
                "/materials/1/code",
                "material-repeated",
            ),
            (
                {"materials": [make_material(source="applicant")]},
                "/materials/0/source",
                "waivable-is-government",
            ),
            (
                {"result": {"kind": "other", "name": "残疾人证"}},
                "/result/kind",
                "result-kind-of-name",
            ),
            (
                {"result": {"kind": "other", "name": "准予行政许可决定书"}},
                "/result/kind",
                "result-kind-of-name",
            ),
            (
                {"result": {"kind": "certificate", "name": "同意设立养老机构的批文"}},
                "/result/kind",
                "result-kind-of-name",
            ),
            ({"form": make_form(**{"$schema": "x"})}, "/form/$schema", "form-dialect"),
            ({"form": make_form(type="objct")}, "/form/type", "form-is-schema"),
            ({"form": {}, "ui": {}}, "/form/type", "form-is-object"),
            (
                {"form": make_form(required=["grade", "age"])},
                "/form/required/1",
                "required-field-exists",
            ),
            ({"ui": {"order": ["grade"]}}, "/ui/order", "order-covers-form"),
            ({"ui": {"order": "grade"}}, "/ui/order", "order-covers-form"),
            ({"ui": {"widgets": {"age": "number"}}}, "/ui/widgets/age", "widget-of-field"),
        ],
    )
    def test_each_rule_is_told_with_its_place(self, overrides, path, rule):
        assert (path, rule) in broken(**overrides)

    def test_a_charge_needs_basis_and_entries(self):
        assert broken(fee={"charged": True}) == [
            ("/fee/basis", "charge-needs-basis"),
            ("/fee/entries", "charge-needs-basis"),
        ]
        fee = {
            "charged": True,
            "basis": "晋价费字〔2010〕1号",
            "entries": [{"name": "工本费", "standard": "每证10元"}],
            "online_payment": True,
        }
        assert broken(fee=fee) == []

    def test_every_violation_is_told_at_once_with_a_remedy(self):
        content = parse_content(
            summary="详见文件",
            visits=2,
            agent_service=False,
            limits=make_limits(statutory_days=500, statutory_unit=None),
            form=make_form(required=["nothing"]),
        )
        found = rules.violations(CODE, content)
        assert [violation.rule for violation in found] == [
            "says-nothing", "sentinel-days", "days-need-unit", "visit-needs-reason",
            "agent-service-is-channel", "required-field-exists",
        ]  # fmt: skip
        assert all(violation.remedy and violation.message for violation in found)

    @pytest.mark.parametrize(
        ("promised", "unit", "fits"),
        [(20, "working-days", True), (28, "calendar-days", True), (29, "calendar-days", False)],
    )
    def test_limits_of_different_units_are_compared_in_calendar_days(self, promised, unit, fits):
        limits = make_limits(statutory_days=20, promised_days=promised, promised_unit=unit)
        assert (broken(limits=limits) == []) is fits


class TestForms:
    @pytest.mark.parametrize(
        "form",
        [
            make_form(properties={"a": {"$ref": "http://127.0.0.1:9/schema"}}, required=[]),
            make_form(properties={"a": {"anyOf": [{"$ref": "other.json"}]}}, required=[]),
        ],
    )
    def test_nothing_outside_is_referred_to_or_fetched(self, form):
        assert [rule for _, rule in broken(form=form, ui={})] == ["form-refers-outside"]

    @pytest.mark.parametrize(
        "field",
        [
            {"type": "string", "pattern": "("},
            {"$ref": "#/$defs/missing"},
            {"$id": "http://127.0.0.1:9/x", "$ref": "#/missing"},
            {"minLength": -1},
        ],
    )
    def test_a_schema_that_cannot_be_used_is_refused(self, field):
        form = make_form(properties={"a": field}, required=[])
        assert [rule for _, rule in broken(form=form, ui={})] == ["form-is-schema"]

    def test_definitions_of_its_own_may_be_used(self):
        form = make_form(
            properties={"a": {"$ref": "#/$defs/b"}},
            required=["a"],
            **{"$defs": {"b": {"type": "string"}}},
        )
        assert broken(form=form, ui={}) == []

    def test_a_form_without_fields_is_a_form(self):
        assert broken(form={"type": "object", "properties": {}}, ui={}) == []


states = st.sampled_from(list(Status))
drafts = st.none() | st.sampled_from(list(DraftState))
actions = st.sampled_from(list(Action))


class TestTransitions:
    @given(states, drafts, actions)
    def test_only_what_was_submitted_is_published_and_by_another_hand(self, status, draft, action):
        step = rules.find_transition(status, draft, action)
        if step is not None and action is Action.publish:
            assert draft in rules.HANDED_OVER
            assert step.two_hands
            assert step.role == rules.APPROVER

    @given(drafts, actions)
    def test_nothing_leads_out_of_retired(self, draft, action):
        assert rules.find_transition(Status.retired, draft, action) is None

    @given(states, drafts, actions)
    def test_what_residents_see_changes_only_by_public_steps(self, status, draft, action):
        step = rules.find_transition(status, draft, action)
        if step is not None and (step.to in rules.PUBLIC) != (status in rules.PUBLIC):
            assert step.public

    def test_every_action_has_a_step_and_one_role(self):
        assert {action for _, action in TRANSITIONS} == set(Action)
        for action in Action:
            assert len(rules.roles_for(action)) == 1

    def test_a_published_item_stays_published_while_its_next_text_is_reviewed(self):
        for action in (Action.submit, Action.reject, Action.publish):
            assert TRANSITIONS[Status.published, action].to is Status.published
            assert TRANSITIONS[Status.paused, action].to is Status.paused

    @pytest.mark.parametrize(
        ("status", "draft", "may"),
        [
            (Status.draft, DraftState.draft, True),
            (Status.in_review, DraftState.in_review, False),
            (Status.published, None, True),
            (Status.published, DraftState.in_review, False),
            (Status.published, DraftState.scheduled, False),
            (Status.paused, DraftState.draft, True),
            (Status.retired, None, False),
        ],
    )
    def test_a_text_under_review_is_not_written_in(self, status, draft, may):
        assert rules.may_write_draft(status, draft) is may


def test_a_pause_is_told_in_plain_words():
    assert status_text(Status.paused, "系统升级，5月8日恢复") == "暂停办理：系统升级，5月8日恢复"
    assert status_text(Status.published, None) == "可以办理"
