"""Wording of the documents of a case: templates as data, filled in by pure functions.

Provisional: the wording is ours, after what 行政许可法 art. 32, 38, 42, 44 and 45 ask of a notice;
no official form is known to us. A template that changes gets a higher version, and the old one stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Template:
    """A title, the word in its number, and paragraphs with {names} of facts."""

    title: str
    #: 字: as in “…受字〔2026〕第 1 号”.
    word: str
    paragraphs: tuple[str, ...]


_ABOUT = (
    "{applicant}：你（单位）于{submitted_on}提出的“{item_name}”申请（办件编号 {case_number}），"
)
#: Kind → version → template.
TEMPLATES: Mapping[str, Mapping[int, Template]] = {
    "correction": {
        1: Template(
            "补正材料通知书",
            "补",
            (
                _ABOUT + "材料不齐全或者不符合规定形式。需要补正的全部内容一次告知如下：",
                "{missing}",
                "请于{answer_by}前补正。逾期未补正的，视为放弃申请。",
            ),
        )
    },
    "acceptance": {
        1: Template(
            "受理通知书",
            "受",
            (_ABOUT + "经审查，现予受理。", "承诺办结日期：{due_on}。", "{follow_ups}"),
        )
    },
    "refusal": {
        1: Template(
            "不予受理通知书",
            "不受",
            (
                _ABOUT + "经审查，不予受理。理由：{reason}",
                "{right_organ}",
                "如对本决定不服，可以依法申请行政复议或者提起行政诉讼。",
            ),
        )
    },
    "special-procedure": {
        1: Template(
            "特别程序告知书",
            "特",
            (
                _ABOUT + "办理过程中依法需要{procedure}。理由：{reason}",
                "预计需要{expected_days}个工作日，至{expected_until}，所需时间不计算在办理时限内。",
            ),
        )
    },
    "resumption": {
        1: Template(
            "恢复办理告知书",
            "恢",
            (
                _ABOUT + "特别程序已经结束：{outcome}",
                "不计入时限的天数：{days}。调整后的承诺办结日期：{due_on}。",
            ),
        )
    },
    "extension": {
        1: Template(
            "延长办理期限告知书",
            "延",
            (
                _ABOUT + "不能在规定期限内作出决定，经负责人批准，延长{days}日。理由：{reason}",
                "延长后的承诺办结日期：{due_on}。",
            ),
        )
    },
    "transfer": {1: Template("转报告知书", "转", (_ABOUT + "现转报{to}办理。理由：{reason}",))},
    "grant": {
        1: Template(
            "准予决定书",
            "准",
            (_ABOUT + "经审查，符合规定条件，决定准予。", "{opinions}", "{note}"),
        )
    },
    "denial": {
        1: Template(
            "不予准予决定书",
            "驳",
            (
                _ABOUT + "经审查，不符合规定条件，决定不予准予。",
                "{opinions}",
                "{note}",
                "如对本决定不服，可以依法申请行政复议或者提起行政诉讼。",
            ),
        )
    },
    "termination": {1: Template("终止办理告知书", "终", (_ABOUT + "现终止办理。原因：{reason}",))},
    "delivery": {
        1: Template(
            "送达回证",
            "达",
            (_ABOUT + "决定文书已送达。方式：{way}", "{tracking_number}", "收件人签名："),
        )
    },
}
#: Source: 行政许可法 art. 45.
_PROCEDURES = {
    "hearing": "听证",
    "tender": "招标",
    "auction": "拍卖",
    "inspection": "检验",
    "testing": "检测",
    "quarantine": "检疫",
    "appraisal": "鉴定",
    "expert-review": "专家评审",
}
_DATES = ("due_on", "answer_by", "expected_until", "submitted_on")
_UNKNOWN_DATE = "待当年工作日历公布后确定"


def newest(kind: str) -> int:
    """The version of a template that documents are issued by now."""
    return max(TEMPLATES[kind])


def document_number(issuer: str, kind: str, year: int, serial: int) -> str:
    """文号, provisional: issuer, word, year and serial."""
    return f"{issuer}{TEMPLATES[kind][newest(kind)].word}字〔{year}〕第{serial}号"


def in_words(day: str | date | None) -> str:
    """A date as documents write it."""
    if not day:
        return _UNKNOWN_DATE
    if isinstance(day, str):
        day = date.fromisoformat(day)
    return f"{day.year}年{day.month}月{day.day}日"


def paragraphs(kind: str, version: int, facts: Mapping[str, Any]) -> list[str]:
    """The text of a document; a paragraph that would say nothing is left out."""
    template = TEMPLATES[kind][version]
    words = {name: _word(name, value) for name, value in facts.items()}
    filled = (paragraph.format_map(words) for paragraph in template.paragraphs)
    return [text for text in filled if text.strip()]


def _word(name: str, value: Any) -> str:
    if name in _DATES:
        return in_words(value)
    if isinstance(value, list):
        return "\n".join(f"{number}. {each}" for number, each in enumerate(value, start=1))
    if name == "procedure":
        return _PROCEDURES[value]
    if name == "right_organ":
        return f"请向{value}申请。" if value else ""
    return str(value)
