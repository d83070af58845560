import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.words import BORDER, fold, initials, spell, spell_all, syllables

texts = st.text(max_size=30)
chinese = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=20)


@given(texts)
def test_folding_keeps_every_position(text):
    assert len(fold(text)) == len(text)


@given(texts, st.integers(0, 30), st.integers(0, 30))
def test_a_part_folds_like_the_whole(text, start, end):
    assert fold(text)[start:end] == fold(text[start:end])


@pytest.mark.parametrize(
    ("text", "folded"), [("ＡＥＤ（急救）", "aed(急救)"), ("Etc 办理", "etc 办理"), ("①级", "1级")]
)
def test_folding(text, folded):
    assert fold(text) == folded


@given(chinese | st.text(st.characters(categories=("L", "N", "P")), max_size=20))
def test_a_spelling_has_one_syllable_for_each_character(text):
    assert len(syllables(spell(text))) == len(text)


@pytest.mark.parametrize(
    ("text", "spelled", "letters"),
    [
        ("残疾人补贴", "CanJiRenBuTie", "cjrbt"),
        ("重庆长者", "ChongQingZhangZhe", "cqzz"),
        ("女性", "NvXing", "nx"),
        ("60岁领ETC", "60SuiLingETC", "60sletc"),
        ("", "", ""),
    ],
)
def test_spelling(text, spelled, letters):
    assert spell(text) == spelled
    assert initials(spell(text)) == letters


def test_texts_do_not_run_into_each_other():
    assert spell_all(["残", "补"]) == f"Can{BORDER}Bu"
    assert initials(spell_all(["残", "补"])) == f"c{BORDER}b"
