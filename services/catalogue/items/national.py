"""Rules between the national elements of an item.

Source: rules used in audits of implementation lists (实施清单) in 温州; required elements from the
columns that the national exchange tables do not allow to be empty. Those audits want a sample of
every result; it is asked for here where a certificate or an approval is handed out.

What is required by kind of item: for 行政许可 (01) the five steps and a question, as those audits
ask. A second kind of audit is known to count 14 required fields of 行政许可, 10 of 行政确认 and 9 of
行政给付, but not which fields they are: nothing is required by kind beyond what is named here.
Provisional: that the exchange tables' columns are asked of every item with an 实施编码 alike, of
公共服务 too, which has tables of its own (`up_task_public_*`) whose columns were not seen.
"""

import re
from collections.abc import Iterator

from contracts.values import ProjectKind
from services.catalogue.items.content import ItemContent
from services.catalogue.items.elements import Elements
from services.catalogue.items.violation import Violation
from services.catalogue.vocabulary import ResultKind, ServiceObject

LICENSING = "01"
LICENCE_STEPS = ("受理", "审核", "审批", "办结", "送达")
#: Element → its name, where the exchange tables want it filled (`by_law`, `power_source`,
#: `dept_name`, `accept_condition`, `handle_flow`, `transact_addr` and `transact_time`, `link_way`,
#: `supervise_way`: all NOT NULL there). Not asked for, although NOT NULL there as well: 特别程序 and
#: 法定办结时限, which many items do not have, and flags, which are no where they are not written.
REQUIRED = {
    "basis": "设定依据",
    "power_source": "权力来源",
    "body": "实施主体",
    "accept_conditions": "受理条件",
    "steps": "办理流程",
    "places": "办理地点和时间",
    "consult_telephones": "咨询方式",
    "complaint_telephones": "监督投诉方式",
}
#: With area code; or a mobile number, a service number, a national short number.
_TELEPHONE = re.compile(
    r"0[0-9]{2,3}[0-9]{7,8}([ -][0-9]{1,6})?|1[3-9][0-9]{9}|[48]00[0-9]{7}|1[0-9]{4}|9[0-9]{4,5}"
)
_ONLINE_FORMS = {"computer", "mobile"}


def national_violations(content: ItemContent) -> Iterator[Violation]:
    """Every violation among the national elements; an item without any has none."""
    yield from _situations(content)
    if content.task_type == LICENSING:
        yield from _licence(content.elements)
    if content.elements is None:
        return
    if content.elements.codes.implementation is not None:
        yield from _required(content, content.elements)
    yield from _examination(content, content.elements)
    yield from _online(content, content.elements)
    yield from _telephones(content.elements)
    yield from _topics(content, content.elements)


def _situations(content: ItemContent) -> Iterator[Violation]:
    seen: set[str] = set()
    for n, situation in enumerate(content.situations):
        for m, choice in enumerate(situation.choices):
            if choice.key in seen:
                yield Violation(
                    f"/situations/{n}/choices/{m}/key",
                    "choice-repeated",
                    "两个情形选项用了同一个键",
                    "换一个键",
                )
            seen.add(choice.key)
    for n, material in enumerate(content.materials):
        for m, key in enumerate(material.when):
            if key not in seen:
                yield Violation(
                    f"/materials/{n}/when/{m}",
                    "when-of-choice",
                    f"材料对应的情形选项 {key} 不存在",
                    "更正选项的键，或在情形里补上这个选项",
                )


def _licence(elements: Elements | None) -> Iterator[Violation]:
    names = " ".join(step.name for step in elements.steps) if elements else ""
    missing = [step for step in LICENCE_STEPS if step not in names]
    if missing:
        yield Violation(
            "/elements/steps",
            "licence-needs-steps",
            f"行政许可的办理流程缺少：{'、'.join(missing)}",
            "写全受理、审核、审批、办结、送达五个环节",
        )


def _required(content: ItemContent, elements: Elements) -> Iterator[Violation]:
    for field, name in REQUIRED.items():
        if not getattr(elements, field):
            yield Violation(
                f"/elements/{field}",
                "national-element-required",
                f"列入实施清单的事项要写明{name}",
                f"补上{name}",
            )
    body = elements.body
    for field, name in (("uscc", "实施主体代码"), ("kind", "实施主体性质")):
        if body is not None and getattr(body, field) is None:
            yield Violation(
                f"/elements/body/{field}",
                "national-element-required",
                f"列入实施清单的事项要写明{name}",
                f"补上{name}",
            )
    wants_sample = content.result.kind in (ResultKind.certificate, ResultKind.approval)
    if wants_sample and elements.result_sample is None:
        yield Violation(
            "/elements/result_sample",
            "result-needs-sample",
            "有证照或批文的事项要有结果样本",
            "补上结果样本的名称或地址",
        )


def _examination(content: ItemContent, elements: Elements) -> Iterator[Violation]:
    if elements.examination is None:
        return
    is_immediate = content.limits.project_kind is ProjectKind.immediate
    if is_immediate != (elements.examination == "on-the-spot"):
        yield Violation(
            "/elements/examination",
            "examination-of-kind",
            "即办件应为即审即办，承诺件应为前审后批",
            "更正审查类型或办件类型",
        )


def _online(content: ItemContent, elements: Elements) -> Iterator[Violation]:
    if elements.online is not None and elements.online.entirely and content.visits != 0:
        yield Violation(
            "/visits",
            "online-needs-no-visit",
            "全程网办的事项，到现场次数应为 0",
            "把到现场次数改为 0，或更正全程网办",
        )
    forms = set(elements.handling_forms)
    if forms and content.visits == 0 and not forms & {*_ONLINE_FORMS, "express"}:
        yield Violation(
            "/elements/handling_forms",
            "no-visit-needs-form",
            "不用到现场又不能网办的事项，办理形式要有快递申请",
            "加上快递申请，或更正到现场次数",
        )
    if elements.online is not None and forms and not forms & _ONLINE_FORMS:
        yield Violation(
            "/elements/handling_forms",
            "online-is-form",
            "能网上办理，办理形式里却没有网上",
            "加上电脑端或移动端，或删去网上办理",
        )


def _telephones(elements: Elements) -> Iterator[Violation]:
    for field in ("consult_telephones", "complaint_telephones"):
        for n, number in enumerate(getattr(elements, field)):
            compact = number.replace("-", "", 1).replace(" ", "")
            if not _TELEPHONE.fullmatch(compact):
                yield Violation(
                    f"/elements/{field}/{n}",
                    "telephone-needs-area-code",
                    "固定电话没有写区号，或号码不完整",
                    "写成 0359-1234567 这样",
                )
    for n, number in enumerate(elements.complaint_telephones):
        if number in elements.consult_telephones:
            yield Violation(
                f"/elements/complaint_telephones/{n}",
                "complaint-is-not-consult",
                "投诉电话与咨询电话相同",
                "另写一个投诉电话",
            )


def _topics(content: ItemContent, elements: Elements) -> Iterator[Violation]:
    people = ServiceObject.natural_person in content.service_objects
    others = bool(set(content.service_objects) - {ServiceObject.natural_person})
    for field, fits, word in (
        ("person_topics", people, "自然人"),
        ("legal_person_topics", others, "法人"),
    ):
        if getattr(elements, field) and not fits:
            yield Violation(
                f"/elements/{field}",
                "topics-of-objects",
                f"写了{word}主题，服务对象里却没有{word}",
                f"在服务对象里加上{word}，或删去这些主题",
            )
