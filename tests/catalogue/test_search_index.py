"""The search index by itself: nothing is missed, nothing wrong is shown, the better comes first."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.values import Channel
from services.catalogue.divisions import division_chain
from services.catalogue.search.documents import AROUND_THE_CLOCK, Scope, flags_of
from services.catalogue.search.highlights import highlight, occurrences
from services.catalogue.search.index import DocumentReader
from services.catalogue.search.queries import Query
from services.catalogue.search.segment import Tier
from services.catalogue.search.snapshot import MERGE_DOCUMENTS, Snapshot
from services.catalogue.vocabulary import Audience
from services.catalogue.words import fold, spell, syllables
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE, make_document

# Few characters, so that names share parts; some that fold, some without a reading.
CHARACTERS = "残疾人老年补贴申请办证城乡登记医保ＡＥＤaed（）1－"
words = st.text(st.sampled_from(CHARACTERS), min_size=1, max_size=8)
documents = st.builds(
    lambda name, aliases, summary: make_document(name, aliases=aliases, summary=summary),
    words,
    st.lists(words, max_size=3),
    words,
)
catalogues = st.lists(documents, min_size=1, max_size=20)


def no_weight(_item_id) -> float:
    return 0.0


def build(*given_documents, weight_of=no_weight) -> Snapshot:
    return Snapshot.build(given_documents, revision=1, weight_of=weight_of)


def find(snapshot: Snapshot, typed: str, *, limit: int = 50, **scope):
    return snapshot.search(Query.parse(typed), scope=Scope(**scope), limit=limit)


def names(matches) -> list[str]:
    return [match.document.name for match in matches]


class TestNothingIsMissed:
    @given(catalogues, st.data())
    def test_every_name_is_found_by_any_two_characters_of_it(self, catalogue, data):
        document = data.draw(st.sampled_from(catalogue))
        assume(len(document.name) > 1)
        start = data.draw(st.integers(0, len(document.name) - 2))
        found = find(build(*catalogue), document.name[start : start + 2])
        assert document in [match.document for match in found]

    @given(catalogues, st.data())
    def test_every_text_is_found_by_any_part_of_it(self, catalogue, data):
        document = data.draw(st.sampled_from(catalogue))
        text = data.draw(st.sampled_from([document.name, *document.aliases, document.summary]))
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        found = find(build(*catalogue), text[start:end])
        assert document in [match.document for match in found]

    @given(catalogues, st.data())
    def test_every_name_is_found_by_the_pinyin_of_any_part_of_it(self, catalogue, data):
        document = data.draw(st.sampled_from(catalogue))
        text = data.draw(st.sampled_from([document.name, *document.aliases]))
        start = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        # The reading of a character may depend on its neighbours: take it from the whole text.
        parts = [spell(text)[a:b] for a, b in _syllable_places(spell(text))][start:end]
        assume(all(part.isalpha() and part.isascii() for part in parts))
        for typed in ("".join(parts), "".join(part[0] for part in parts)):
            found = find(build(*catalogue), typed.lower())
            assert document in [match.document for match in found]


def _syllable_places(spelled: str):
    at = 0
    for part in syllables(spelled):
        yield at, at + len(part)
        at += len(part)


class TestNothingWrongIsShown:
    @given(catalogues, words)
    def test_what_matches_as_typed_has_it(self, catalogue, typed):
        query = Query.parse(typed)
        for match in find(build(*catalogue), typed):
            document = match.document
            texts = {
                Tier.alias: document.aliases,
                Tier.summary: [document.summary],
            }.get(match.tier, [document.name])
            if match.tier not in (Tier.pinyin, Tier.initials) and not match.is_similar:
                assert any(query.text in fold(text) for text in texts)

    @given(catalogues, words)
    def test_each_is_shown_once_and_in_order(self, catalogue, typed):
        matches = find(build(*catalogue), typed)
        found = [match.document.item_id for match in matches]
        assert len(found) == len(set(found))
        assert [match.order for match in matches] == sorted(match.order for match in matches)

    @given(catalogues, words, st.integers(1, 5))
    def test_a_limit_keeps_the_best(self, catalogue, typed, limit):
        everything = find(build(*catalogue), typed)
        assert find(build(*catalogue), typed, limit=limit) == everything[:limit]

    def test_pinyin_begins_with_a_syllable(self):
        snapshot = build(make_document("残疾人补贴"))
        assert names(find(snapshot, "canji")) == ["残疾人补贴"]
        assert names(find(snapshot, "ji")) == ["残疾人补贴"]
        assert names(find(snapshot, "jire")) == ["残疾人补贴"]
        assert names(find(snapshot, "anji")) == []
        assert names(find(snapshot, "an")) == []

    def test_an_alias_does_not_run_into_the_next(self):
        snapshot = build(make_document("事项", aliases=["老年", "补贴"]))
        assert find(snapshot, "年补") == []
        assert find(snapshot, "nianbu") == []
        assert find(snapshot, "nb") == []


class TestOrder:
    def test_name_then_alias_then_pinyin_then_summary(self):
        snapshot = build(
            make_document("办医保卡", summary="老人卡。"),
            make_document("老人卡"),
            make_document("补办老人卡"),
            make_document("老人卡年审"),
            make_document("乘车证", aliases=["老人卡"]),
        )
        assert names(find(snapshot, "老人卡")) == [
            "老人卡", "老人卡年审", "补办老人卡", "乘车证", "办医保卡",
        ]  # fmt: skip

    def test_letters_of_a_name_come_before_pinyin(self):
        snapshot = build(make_document("阿尔德"), make_document("AED借用"))
        assert names(find(snapshot, "aed")) == ["AED借用", "阿尔德"]

    def test_the_better_rated_of_equals_comes_first_then_the_name(self):
        rated = make_document("补贴丙")
        snapshot = build(
            make_document("补贴乙"),
            make_document("补贴甲"),
            rated,
            weight_of=lambda item_id: float(item_id == rated.item_id),
        )
        assert names(find(snapshot, "补贴")) == ["补贴丙", "补贴乙", "补贴甲"]


class TestEverydayWords:
    subsidy = make_document(
        "困难残疾人生活补贴", aliases=["残补", "两项补贴"], summary="家里困难的残疾人可以领。"
    )
    birth = make_document(
        "生育登记", aliases=["准生证", "生娃登记"], summary="生孩子前后都可以办。"
    )

    @pytest.mark.parametrize(
        "typed",
        [
            "残疾",
            "残补",
            "贴",
            "生活补贴",
            "canji",
            "kncjr",
            "cb",
            "残 补",
            " 残疾 ",
            "ＣＡＮＪＩ",
            "can ji",
        ],
    )
    def test_find_the_subsidy(self, typed):
        assert names(find(build(self.subsidy, self.birth), typed)) == ["困难残疾人生活补贴"]

    @pytest.mark.parametrize("typed", ["生娃", "准生", "孩子", "shengwa", "sydj"])
    def test_find_the_registration_of_a_birth(self, typed):
        assert names(find(build(self.subsidy, self.birth), typed)) == ["生育登记"]

    @pytest.mark.parametrize("typed", ["残疾 补贴", "残废生活补贴", "生活补贴申请", "困难残疾补贴"])
    def test_something_similar_when_nothing_has_the_words_as_typed(self, typed):
        [match] = find(build(self.subsidy, self.birth), typed)
        assert match.document is self.subsidy
        assert match.is_similar

    @pytest.mark.parametrize("typed", ["潜水艇", "？", "", " \t", "zzzz"])
    def test_nothing(self, typed):
        assert find(build(self.subsidy, self.birth), typed) == []

    def test_words_run_together_come_before_slips_when_they_fill_the_page(self):
        whole = [make_document(f"城乡{n}居民登记") for n in "一二三"]
        slip = make_document("城多登记")
        for limit, expected in ((3, {each.name for each in whole}), (4, {slip.name})):
            found = build(*whole, slip).search(Query.parse("城乡登记"), limit=limit)
            assert expected <= {match.document.name for match in found}
            assert len(found) == limit

    def test_the_more_alike_comes_first(self):
        other = make_document("老年人生活照料")
        found = find(build(other, self.subsidy), "残疾生活补助")
        assert names(found)[0] == "困难残疾人生活补贴"

    def test_nothing_has_everything_then_what_has_most_of_it(self):
        snapshot = build(
            make_document("补贴发放"), make_document("生活补贴"), make_document("开户申请")
        )
        assert names(find(snapshot, "生活补贴发")) == ["生活补贴", "补贴发放"]
        assert names(find(snapshot, "生活补贴发放申请")) == []


class TestScope:
    def test_a_village_is_shown_its_own_and_what_lies_above(self):
        places = {"村": VILLAGE, "县": COUNTY, "市": CITY, "邻县": OTHER_COUNTY}
        snapshot = build(
            *(make_document(f"{name}补贴", division_code=code) for name, code in places.items())
        )
        chain = frozenset(division_chain(VILLAGE))
        assert sorted(names(find(snapshot, "补贴", divisions=chain))) == [
            "县补贴",
            "市补贴",
            "村补贴",
        ]
        assert len(find(snapshot, "补贴")) == 4

    def test_channel_audience_and_night_must_all_hold(self):
        snapshot = build(
            make_document("一补贴", channels=["portal"], audiences=["elderly"]),
            make_document("二补贴", channels=["portal", "telephone"], around_the_clock=True),
        )
        for values, expected in (
            ([Channel.telephone], ["二补贴"]),
            ([Audience.elderly], ["一补贴"]),
            ([AROUND_THE_CLOCK], ["二补贴"]),
            ([Channel.portal, Audience.elderly], ["一补贴"]),
            ([Channel.telephone, Audience.elderly], []),
        ):
            assert names(find(snapshot, "补贴", flags=flags_of(values))) == expected

    def test_a_limit_counts_only_what_is_shown(self):
        others = [make_document(f"甲{n}补贴", division_code=OTHER_COUNTY) for n in range(30)]
        snapshot = build(*others, make_document("乙补贴"))
        chain = frozenset(division_chain(COUNTY))
        assert names(find(snapshot, "补贴", limit=1, divisions=chain)) == ["乙补贴"]


class TestChanges:
    def test_what_is_a_slip_away_comes_before_what_is_merely_similar(self):
        similar, meant = make_document("1", aliases=["年a"]), make_document("1年1")
        updated = build().updated([similar, meant], set(), revision=2, weight_of=no_weight)
        for snapshot in (updated, build(similar, meant)):
            assert names(find(snapshot, "1年a")) == ["1年1", "1"]

    @settings(max_examples=60)
    @given(catalogues, catalogues, st.data(), words)
    def test_an_updated_snapshot_answers_like_one_built_anew(self, before, new, data, typed):
        renamed = data.draw(st.lists(st.sampled_from(before), unique_by=lambda d: d.item_id))
        gone = data.draw(st.lists(st.sampled_from(before), unique_by=lambda d: d.item_id))
        changed = [
            make_document(data.draw(words), item_id=document.item_id) for document in renamed
        ]
        removed = {document.item_id for document in gone}
        changed = [document for document in changed if document.item_id not in removed]
        updated = build(*before).updated([*new, *changed], removed, revision=2, weight_of=no_weight)
        now = {document.item_id: document for document in [*before, *new, *changed]}
        expected = build(*(now[each] for each in now.keys() - removed))
        assert len(updated) == len(expected)
        assert find(updated, typed) == find(expected, typed)
        assert updated.revision == 2

    def test_many_changes_are_merged(self):
        snapshot = build(make_document("老事项"))
        documents = [make_document(f"新事项{n}") for n in range(MERGE_DOCUMENTS + 1)]
        merged = snapshot.updated(documents, (), revision=2, weight_of=no_weight)
        assert len(merged.base.documents) == len(documents) + 1
        assert len(merged.changed.documents) == 0

    def test_what_is_gone_and_comes_back_is_shown_once(self):
        document = make_document("事项")
        snapshot = build(document).updated((), [document.item_id], revision=2, weight_of=no_weight)
        assert (len(snapshot), find(snapshot, "事项")) == (0, [])
        snapshot = snapshot.updated([document], (), revision=3, weight_of=no_weight)
        assert names(find(snapshot, "事项")) == ["事项"]

    def test_gone_without_ever_having_been_there(self):
        assert len(build().updated((), [uuid4()], revision=2, weight_of=no_weight)) == 0

    def test_likeness_is_not_mixed_with_what_matches_as_typed(self):
        snapshot = build(make_document("残疾人生活照料"))
        snapshot = snapshot.updated(
            [make_document("残疾人补贴")], (), revision=2, weight_of=no_weight
        )
        assert names(find(snapshot, "残疾人补")) == ["残疾人补贴"]


class TestHighlights:
    @pytest.mark.parametrize(
        ("typed", "field", "text", "ranges"),
        [
            ("残疾", "name", "困难残疾人生活补贴", [(2, 4)]),
            ("困难残疾人生活补贴", "name", "困难残疾人生活补贴", [(0, 9)]),
            ("残补", "alias", "残补", [(0, 2)]),
            ("canji", "name", "困难残疾人生活补贴", [(2, 4)]),
            ("canjir", "name", "困难残疾人生活补贴", [(2, 5)]),
            ("cjr", "name", "困难残疾人生活补贴", [(2, 5)]),
            ("canbu", "alias", "残补", [(0, 2)]),
            ("lxbt", "alias", "两项补贴", [(0, 4)]),
            ("每月", "summary", "每月一笔，每月发。", [(0, 2), (5, 7)]),
            ("残疾 补贴", "name", "困难残疾人生活补贴", [(2, 4), (7, 9)]),
            ("两个项补贴", "alias", "两项补贴", [(1, 4)]),
        ],
    )
    def test_tells_where(self, typed, field, text, ranges):
        document = make_document(
            "困难残疾人生活补贴", aliases=["残补", "两项补贴"], summary="每月一笔，每月发。"
        )
        [match] = find(build(document), typed)
        found = highlight(match, Query.parse(typed))
        assert found is not None
        assert (found.field, found.text, found.ranges) == (field, text, ranges)

    @given(catalogues, words)
    def test_ranges_lie_in_the_text_in_order(self, catalogue, typed):
        query = Query.parse(typed)
        for match in find(build(*catalogue), typed):
            found = highlight(match, query)
            assert found is not None
            assert found.ranges
            flat = [place for each in found.ranges for place in each]
            assert flat == sorted(flat)
            assert 0 <= flat[0] < flat[-1] <= len(found.text)

    def test_full_width_letters_are_found_where_they_are(self):
        assert occurrences("借用ＡＥＤ", "aed") == [(2, 5)]


def test_what_items_show_alike_is_kept_once():
    """Documents of 100 000 items took 328 MiB with a copy each, and take 118 MiB without."""

    def row(code: str, **shown: object) -> SimpleNamespace:
        return SimpleNamespace(
            id=uuid4(), item_code=code, division_code=str(COUNTY), name="津贴", aliases=[],
            summary="一句简介。", spelling="JinTie", status="published", status_reason=None,
            audiences=[], service_objects=[],
            shown={"channels": ["portal"], "around_the_clock": True, **shown},
        )  # fmt: skip

    read = DocumentReader()
    first, second = read(row("a:1")), read(row("a:2"))
    other = read(row("a:3", level="county"))
    assert first.shown is second.shown
    assert dict(other.shown) == {**first.shown, "level": "county"}
    assert (first.item_code, second.item_code) == ("a:1", "a:2")
