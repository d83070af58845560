"""Free text of residents and staff: which columns are sealed, and what is screened out of it.

Screening happens before anybody but the writer sees a text. It hides numbers that point to a
person; it cannot know a name that stands alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from servicekit.personal_data import EncryptedColumn, mask_identity_number, mask_mobile

RATING_TEXT = EncryptedColumn("rating", "text")
REVISION_TEXT = EncryptedColumn("rating_revision", "text_before")
REVISION_REASON = EncryptedColumn("rating_revision", "reason")
STEP_NOTE = EncryptedColumn("rectification_step", "note")
DISPUTE_STATEMENT = EncryptedColumn("dispute", "statement")
DISPUTE_RULING = EncryptedColumn("dispute", "ruling")
DISPUTE_REVERSAL = EncryptedColumn("dispute", "reversal")
FLAG_REASON = EncryptedColumn("integrity_flag", "reason")
WISH_DETAIL = EncryptedColumn("wish", "detail")
ATTACHMENT = EncryptedColumn("attachment", "content")
#: What a rotation of keys must renew.
ENCRYPTED = (
    RATING_TEXT,
    REVISION_TEXT,
    REVISION_REASON,
    STEP_NOTE,
    DISPUTE_STATEMENT,
    DISPUTE_RULING,
    DISPUTE_REVERSAL,
    FLAG_REASON,
    WISH_DETAIL,
    ATTACHMENT,
)

IDENTITY_NUMBER = "identity-number"
BANK_CARD = "bank-card"
MOBILE = "mobile"
LANDLINE = "landline"
EMAIL = "email"
NAME = "name"
HOME = "home"
LONG_NUMBER = "long-number"

#: Ways to write digits that a plain \d would let through: full-width, and as Chinese words.
_FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ＠．－＋", "0123456789Xx@.-+")
_WORDS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_GAP = r"[\s\-·.,、]?"
#: Not in the midst of a longer number, however it is grouped.
_BEFORE, _AFTER = r"(?<![0-9])(?<![0-9][\s\-·.,、])", rf"(?!{_GAP}[0-9])"


def _spaced(count: int, digit: str = "[0-9]") -> str:
    return rf"(?:{digit}{_GAP}){{{count}}}"


def _stars(found: str) -> str:
    return "*" * len(found)


def _bare(found: str) -> str:
    return re.sub(r"[^0-9Xx]", "", found)


def _mask_mobile(found: str) -> str:
    return mask_mobile(_bare(found)[-11:])


def _mask_identity(found: str) -> str:
    return mask_identity_number(_bare(found))


def _mask_card(found: str) -> str:
    digits = _bare(found)
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"


def _mask_landline(found: str) -> str:
    digits = _bare(found)
    return f"{digits[:4]}****{digits[-4:]}"


def _mask_email(found: str) -> str:
    name, _, host = found.partition("@")
    return f"{name[:3]}***@{host}"


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    pattern: re.Pattern[str]
    mask: Callable[[str], str]


_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
#: Numbers of houses: 3号楼2单元501室.
_HOME = re.compile(
    r"[0-9]{1,4}\s*(?:号楼|栋|幢|座)\s*(?:[0-9]{1,2}\s*单元)?\s*[0-9]{1,5}(?:室|号|户)?"
    r"|[0-9]{1,2}单元[0-9]{1,5}(?:室|号|户)?"
)
_NAME = re.compile(
    r"(?<=姓名[是为：:])[一-龥·]{2,6}|(?<=我的名字[是叫])[一-龥·]{2,4}|(?<=我名叫)[一-龥·]{2,4}"
)
#: In this order: what a longer pattern took is no longer there for a shorter one.
#: Masks: 浙里办's published rules; names and home numbers are hidden whole.
_KINDS = (
    _Kind(EMAIL, _EMAIL, _mask_email),
    _Kind(
        IDENTITY_NUMBER,
        re.compile(rf"{_BEFORE}(?:{_spaced(17)}[0-9Xx]|{_spaced(14)}[0-9]){_AFTER}"),
        _mask_identity,
    ),
    _Kind(
        BANK_CARD,
        re.compile(rf"{_BEFORE}[0-9]{_GAP}(?:[0-9]{_GAP}){{14,17}}[0-9]{_AFTER}"),
        _mask_card,
    ),
    _Kind(
        MOBILE,
        re.compile(rf"{_BEFORE}(?:\+?86{_GAP})?1{_GAP}[3-9]{_GAP}{_spaced(8)}[0-9]{_AFTER}"),
        _mask_mobile,
    ),
    _Kind(
        LANDLINE,
        re.compile(
            rf"{_BEFORE}0[0-9]{{2,3}}{_GAP}[2-9]{_GAP}{_spaced(5)}[0-9](?:{_GAP}[0-9])?{_AFTER}"
        ),
        _mask_landline,
    ),
    # Whatever the patterns above could not tell apart: two numbers run together, a case number.
    _Kind(LONG_NUMBER, re.compile(rf"[0-9](?:{_GAP}[0-9]){{10,}}"), _stars),
    _Kind(NAME, _NAME, _stars),
    _Kind(HOME, _HOME, _stars),
)


@dataclass(frozen=True, slots=True)
class Screened:
    """A text that may be shown, and the kinds of personal data that were hidden in it."""

    text: str
    findings: tuple[str, ...]


def screen(text: str) -> Screened:
    """Hide identity, card, mobile and telephone numbers, addresses of mail and home, stated names.

    Digits count in whatever way they are written; the rest of the text stays as it is.
    """
    findings: list[str] = []
    for kind in _KINDS:
        text, found = _hide(text, kind)
        if found:
            findings.append(kind.name)
    return Screened(text, tuple(findings))


def _hide(text: str, kind: _Kind) -> tuple[str, bool]:
    found = False
    # Each reading replaces one character by one, so its positions are the text's own. The plain
    # one comes first: 一13700000000 read as words would be one digit too long for a mobile.
    for reading in (_FULL_WIDTH, _FULL_WIDTH | _WORDS):
        for match in reversed(list(kind.pattern.finditer(text.translate(reading)))):
            text = text[: match.start()] + kind.mask(match[0]) + text[match.end() :]
            found = True
    return text, found
