"""Rules of an item's codes: of a scheme in use, of one generation, and parts that agree."""

from collections.abc import Iterator

from stdnum.cn import uscc

from contracts.values import DivisionLevel
from services.catalogue.codes import schemes
from services.catalogue.codes.tables import Unknown, decode
from services.catalogue.items.content import ItemContent
from services.catalogue.items.elements import Codes
from services.catalogue.items.violation import Violation

_CODES = "/elements/codes"


def code_violations(item_code: str, content: ItemContent, province: str) -> Iterator[Violation]:
    """Everything that is wrong with an item's codes and the number of its body.

    `province` is the first two digits of the item's division.
    """
    if content.elements is None:
        return
    codes, body = content.elements.codes, content.elements.body
    if body is not None and body.uscc is not None:
        yield from uscc_violations(body.uscc, "/elements/body/uscc")
    lowest = codes.handling or codes.implementation
    if lowest is not None and lowest != item_code:
        yield Violation(
            f"{_CODES}/{'handling' if codes.handling else 'implementation'}",
            "item-code-is-lowest",
            "事项编码应是业务办理项编码；事项本身就是最小单元的，是实施编码",
            f"把事项编码改为 {lowest}，或更正这个编码",
        )
    if codes.handling and not codes.implementation:
        yield Violation(
            f"{_CODES}/implementation",
            "handling-needs-implementation",
            "业务办理项没有写明属于哪个实施清单事项",
            "补上实施编码",
        )
    readings = {
        kind: schemes.read(kind, code, province)
        for kind in schemes.KINDS
        if (code := getattr(codes, kind)) is not None
    }
    malformed = [kind for kind, found in readings.items() if not found]
    for kind in malformed:
        yield Violation(
            f"{_CODES}/{kind}",
            "code-of-scheme",
            "编码不符合本省在用的任何一种编码方式",
            f"核对每一位；可以是：{schemes.describe(kind, province)}",
        )
    if readings and not malformed:
        yield from _agreement(content, codes, readings, province)


def uscc_violations(code: str, path: str) -> Iterator[Violation]:
    """What is wrong with a unified social credit code as it was written."""
    if code != code.upper():
        yield Violation(
            path, "uscc-upper-case", "统一社会信用代码有小写字母", f"改为 {code.upper()}"
        )
    if not uscc.is_valid(code.upper()):
        yield Violation(
            path, "uscc-check-digit", "统一社会信用代码的长度或校验码不对", "核对每一位"
        )


def _agreement(
    content: ItemContent, codes: Codes, readings: dict[str, list[schemes.Reading]], province: str
) -> Iterator[Violation]:
    common = set.intersection(*({each.scheme for each in found} for found in readings.values()))
    if not common:
        yield Violation(
            _CODES,
            "code-generations-mixed",
            "几个编码不是同一种编码方式，新旧编码混用",
            "都改为同一种编码方式的编码",
        )
        return
    parts: dict[str, tuple[str, str]] = {}
    for kind, found in readings.items():
        for reading in found:
            if reading.scheme in common:
                for name, text in reading.parts.items():
                    parts.setdefault(name, (kind, text))
    expected = {
        "basic": codes.basic,
        "implementation": codes.implementation,
        "uscc": None if content.elements is None or content.elements.body is None
        else content.elements.body.uscc,
    }  # fmt: skip
    names = {"basic": "基本编码", "implementation": "实施编码", "uscc": "实施主体代码"}
    for name, wanted in expected.items():
        kind, text = parts.get(name, ("", ""))
        if wanted is not None and text and text != wanted.upper():
            yield Violation(
                f"{_CODES}/{kind}",
                "code-parts-agree",
                f"编码里的{names[name]}是 {text}，另处写的是 {wanted}",
                "核对两处，改成一致",
            )
    yield from _meaning(content, parts, province)


def _meaning(
    content: ItemContent, parts: dict[str, tuple[str, str]], province: str
) -> Iterator[Violation]:
    kind, text = parts.get("type", ("", ""))
    known = decode("task-type", text) if text else content.task_type
    if not isinstance(known, Unknown) and known != content.task_type:
        yield Violation(
            f"{_CODES}/{kind}",
            "code-says-type",
            f"编码里的事项类型是 {text}，事项写的是 {content.task_type}",
            "更正编码或事项类型",
        )
    kind, text = parts.get("level", ("", ""))
    level = decode("use-level", text) if text else content.level
    if not isinstance(level, Unknown) and DivisionLevel(level) is not content.level:
        yield Violation(
            f"{_CODES}/{kind}",
            "code-says-level",
            f"编码里的行使层级是 {text}，事项写的是 {content.level}",
            "更正编码或办理层级",
        )
    kind, text = parts.get("province", ("", ""))
    if text not in ("", "00", province) and province:
        yield Violation(
            f"{_CODES}/{kind}",
            "code-says-province",
            f"编码开头的区划是 {text}，不是本省 {province}，也不是国家 00",
            "核对编码开头两位",
        )
