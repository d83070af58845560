"""The merged material list and the decision table, as pure functions."""

from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalogue.bundles import rules
from services.catalogue.bundles.content import Condition, Rule
from services.catalogue.bundles.rules import NECESSITIES, ItemFacts

A, B, C = (UUID(int=n) for n in (1, 2, 3))


def facts(item_id: UUID, *materials: dict, form: dict | None = None) -> ItemFacts:
    return ItemFacts(
        item_id=item_id,
        item_code=f"x:{item_id.int}",
        name=f"事项{item_id.int}",
        division_code="140802000000",
        channels=frozenset({"portal"}),
        materials=materials,
        form=form or {},
    )


def material(code: str, necessity: str = "required", copies: int = 1) -> dict:
    return {"code": code, "name": code, "necessity": necessity, "copies": copies, "note": None}


def rule(item_id: UUID, because: str, **when: list[str]) -> Rule:
    conditions = tuple(Condition(question=name, any_of=tuple(of)) for name, of in when.items())
    return Rule(item_id=item_id, when=conditions, because=because)


class TestMergeMaterials:
    def test_each_is_asked_once_as_strictly_as_for_the_strictest(self):
        merged = rules.merge_materials(
            [
                facts(A, material("id", "waivable", 0), material("photo")),
                facts(B, material("id", "required", 2), material("id-copy")),
            ],
            {(A, "photo"): ("picture", "照片"), (B, "id-copy"): ("picture", "照片")},
        )
        assert [(each.code, each.necessity, each.copies) for each in merged] == [
            ("id", "required", 2),
            ("picture", "required", 1),
        ]
        assert merged[0].needed_by == ((A, "id"), (B, "id"))
        assert merged[1].needed_by == ((A, "photo"), (B, "id-copy"))

    @settings(max_examples=40)
    @given(
        st.lists(
            st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(NECESSITIES)), max_size=5),
            max_size=4,
        )
    )
    def test_nothing_is_lost_doubled_or_made_milder(self, lists):
        items = [
            facts(uuid4(), *(material(code, need) for code, need in dict(each).items()))
            for each in lists
        ]
        merged = rules.merge_materials(items, {})
        wanted = {(item.item_id, each["code"]) for item in items for each in item.materials}
        assert len({each.code for each in merged}) == len(merged)
        assert sorted(pair for each in merged for pair in each.needed_by) == sorted(wanted)
        for each in merged:
            asked = [m["necessity"] for i in items for m in i.materials if m["code"] == each.code]
            assert each.necessity == min(asked, key=NECESSITIES.index)


class TestDecide:
    table = (
        rule(B, "低保家庭", family=["poor"], grade=["one", "two"]),
        rule(B, "一级残疾", grade=["one"]),
        rule(C, "没有上过保险", insured=["no"]),
    )

    def verdicts(self, **chosen: str) -> list[bool | None]:
        return [each.applies for each in rules.decide([A, B, C], self.table, chosen)]

    def test_says_what_applies_and_why(self):
        assert self.verdicts() == [True, None, None]
        assert self.verdicts(grade="one") == [True, True, None]
        assert self.verdicts(grade="three", insured="yes") == [True, False, False]
        [_, by_grade, by_insurance] = rules.decide([A, B, C], self.table, {"grade": "one"})
        assert by_grade.because == "一级残疾"
        assert "再回答" in by_insurance.because
        [_, refused, _] = rules.decide([A, B, C], self.table, {"grade": "three"})
        assert "低保家庭" in refused.because
        assert "一级残疾" in refused.because

    def test_asks_only_what_still_decides_something(self):
        order = ["family", "grade", "insured"]
        assert rules.next_question(order, self.table, {}) == "family"
        # With the first grade nothing depends on the family any more.
        assert rules.next_question(order, self.table, {"grade": "one"}) == "insured"
        done = {"grade": "three", "insured": "no"}
        assert rules.next_question(order, self.table, done) is None

    @settings(max_examples=60)
    @given(st.permutations([("family", "poor"), ("grade", "two"), ("insured", "no")]))
    def test_an_answer_never_takes_a_verdict_back(self, answers):
        known: dict[UUID, bool] = {}
        chosen: dict[str, str] = {}
        for question, option in answers:
            chosen[question] = option
            for each in rules.decide([A, B, C], self.table, chosen):
                assert known.get(each.item_id) in (None, each.applies)
                if each.applies is not None:
                    known[each.item_id] = each.applies
        assert known == {A: True, B: True, C: True}


class TestSharedFields:
    def test_only_what_is_asked_in_exactly_the_same_way(self):
        bank = {"type": "string", "title": "银行"}
        forms = [
            {"properties": {"bank": bank, "why": {"title": "原因"}}},
            {"properties": {"bank": dict(bank), "why": {"title": "理由"}, "own": {}}},
        ]
        assert rules.shared_fields(forms) == ["bank"]


def test_a_line_that_can_never_hold_is_found():
    never = Rule(
        item_id=A,
        when=(Condition(question="q", any_of=("a",)), Condition(question="q", any_of=("b",))),
        because="x",
    )
    assert list(rules.contradictions(never)) == ["q"]
