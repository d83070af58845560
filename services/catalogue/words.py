"""Chinese words as search compares them: folded, and spelled in pinyin."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

#: Between texts that must not match across their border; no text and no query holds it.
BORDER = "\n"
_SYLLABLE = re.compile(r"[A-Z][a-z]*|[^A-Za-z]")


def fold(text: str) -> str:
    """Full-width to half-width, upper to lower case; one character stays one character.

    So a position in the folded text is the same position in the text.
    """
    return "".join(map(_fold_character, text))


@lru_cache(maxsize=16_384)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


def spell(text: str) -> str:
    """Pinyin without tones, a capital for each character that has letters: 残补 → CanBu.

    Characters without a reading stay as they are, so that the n-th of its `syllables` is the
    n-th character of the text. ü is v, as on a keyboard.
    """
    # Its dictionaries take 55 MB and half a second: for the process that spells, when it does.
    from pypinyin import lazy_pinyin

    parts = lazy_pinyin(fold(text), errors=list)  # type: ignore[arg-type]
    return "".join(
        part.capitalize() if part.isascii() and part.isalpha() else part[:1] for part in parts
    )


def spell_all(texts: Iterable[str]) -> str:
    """Texts spelled, with a border between them."""
    return BORDER.join(map(spell, texts))


def syllables(spelled: str) -> list[str]:
    """One part for each character of the text that was spelled."""
    return _SYLLABLE.findall(spelled)


def initials(spelled: str) -> str:
    """The first letter of each syllable: CanBu → cb; borders and figures stay."""
    return "".join(part[0] for part in syllables(spelled)).lower()
