from dataclasses import replace

import pytest

from services.facilities.divisions.rules import DivisionRow, numbering_warnings, refusals
from services.facilities.divisions.service import narrowest

PROVINCE = DivisionRow("140000000000", "山西省", "province", None, None)
CITY = DivisionRow("140800000000", "运城市", "city", "140000000000", None)
COUNTY = DivisionRow("140802000000", "盐湖区", "county", "140800000000", None)
TOWN = DivisionRow("140802100000", "解州镇", "township", "140802000000", None)
VILLAGE = DivisionRow("140802100201", "东村村委会", "community", "140802100000", "village")
TREE = [PROVINCE, CITY, COUNTY, TOWN, VILLAGE]


def test_a_whole_tree_is_accepted():
    assert refusals(TREE, known=()) == []


def test_a_branch_is_accepted_where_its_parent_is_known():
    assert refusals([TOWN, VILLAGE], known={"140802000000"}) == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (replace(VILLAGE, code="14080210020"), "not 12 digits"),
        (replace(VILLAGE, code="000000000001"), "not 12 digits"),
        (replace(VILLAGE, name=""), "no name"),
        (replace(VILLAGE, level="township"), "the code says community"),
        (replace(VILLAGE, level="hamlet"), "the code says community"),
        (replace(VILLAGE, community_kind=None), "community kind"),
        (replace(VILLAGE, community_kind="town"), "community kind"),
        (replace(TOWN, community_kind="village"), "above the lowest level"),
        (replace(VILLAGE, parent_code="140802101000"), "orphan"),
        (replace(VILLAGE, parent_code=None), "only provinces"),
        (replace(PROVINCE, parent_code="140800000000"), "only provinces"),
        (replace(VILLAGE, parent_code="140802100201"), "does not lie below"),
    ],
)
def test_what_breaks_the_tree_is_refused_and_named(row, reason):
    rows = [row if kept.name == row.name or kept.code == row.code else kept for kept in TREE]
    [told] = [told for told in refusals(rows, known=()) if reason in told]
    assert told.startswith(row.code)


def test_a_parent_in_another_branch_is_refused():
    other = replace(COUNTY, code="140821000000", name="临猗县")
    rows = [*TREE, other, replace(VILLAGE, code="140802100202", parent_code="140821000000")]
    assert refusals(rows, known=()) == ["140802100202: does not lie below its parent 140821000000"]


def test_a_code_listed_twice_is_refused():
    assert refusals([*TREE, TOWN], known=()) == ["140802100000: listed twice"]


def test_every_refusal_is_told_at_once():
    rows = [*TREE, replace(VILLAGE, code="1"), replace(VILLAGE, code="2")]
    assert len(refusals(rows, known=())) == 2


@pytest.mark.parametrize("row", TREE)
def test_usual_numbers_are_no_warning(row):
    assert numbering_warnings(row) == []


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (replace(TOWN, code="140802001000"), "街道"),
        (replace(TOWN, code="140802200000"), "numbered as 乡"),
        (replace(TOWN, code="140802100000", name="解州乡"), "镇"),
        (replace(TOWN, code="140802600000"), "outside 001–599"),
        (replace(VILLAGE, code="140802100001", community_kind="urban_community"), "居委会"),
        (replace(VILLAGE, code="140802100001", name="东社区"), "居委会"),
        (replace(VILLAGE, name="东居委会"), "村委会"),
        (replace(VILLAGE, code="140802100400"), "类似居委会"),
        (replace(VILLAGE, code="140802100500", community_kind="urban_community"), "类似村委会"),
        (replace(VILLAGE, code="140802100700"), "outside 001–599"),
    ],
)
def test_unusual_numbers_are_warnings(row, label):
    [warning] = numbering_warnings(row)
    assert label in warning
    assert row.code in warning


@pytest.mark.parametrize("name", ["运城经济技术开发区", "山西铝厂", "永济监狱"])
def test_any_name_may_stand_in_the_range_of_development_zones(name):
    assert numbering_warnings(replace(TOWN, code="140802400000", name=name)) == []


@pytest.mark.parametrize(
    ("within", "prefix", "codes"),
    [
        (None, None, None),
        ("140802000000", None, ("140802000000", "140802999999")),
        (None, "1408", ("140800000000", "140899999999")),
        ("140802000000", "1408", ("140802000000", "140802999999")),
        ("140800000000", "140802001", ("140802001000", "140802001999")),
    ],
)
def test_subtree_and_prefix_narrow_each_other(within, prefix, codes):
    assert narrowest(within, prefix) == codes


def test_a_subtree_and_a_prefix_apart_have_nothing_in_common():
    first, last = narrowest("140802000000", "22") or ("", "")
    assert first > last
