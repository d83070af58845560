"""What a bundle must not say, all violations at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from services.catalogue.bundles.content import BundleContent
from services.catalogue.bundles.rules import ItemFacts, contradictions
from services.catalogue.divisions import division_chain
from services.catalogue.items.violation import Violation


def violations(
    division_code: str, content: BundleContent, items: Mapping[UUID, ItemFacts]
) -> list[Violation]:
    """Everything that is wrong with a bundle; `items` are those that the public sees."""
    return [
        *_about_items(division_code, content, items),
        *_about_materials(content, items),
        *_about_questions(content),
        *_about_rules(content),
    ]


def _twice(values: Iterable[object]) -> list[object]:
    return [value for value, count in Counter(values).items() if count > 1]


def _about_items(
    division_code: str, content: BundleContent, items: Mapping[UUID, ItemFacts]
) -> Iterator[Violation]:
    for item_id in _twice(member.item_id for member in content.items):
        yield Violation("/items", "item-twice", f"事项 {item_id} 列了两次", "每个事项只列一次")
    chain = set(division_chain(division_code))
    for n, member in enumerate(content.items):
        path, item = f"/items/{n}/item_id", items.get(member.item_id)
        if item is None:
            yield Violation(path, "item-not-public", "没有这个已公布的事项", "先公布这个事项再组合")
            continue
        if item.division_code not in chain:
            yield Violation(
                path,
                "item-elsewhere",
                f"“{item.name}”不在本区域办理",
                "只组合本区域及其上级区域的事项",
            )
        if missing := [each for each in content.channels if each not in item.channels]:
            yield Violation(
                "/channels",
                "channel-not-offered",
                f"“{item.name}”不能通过 {'、'.join(missing)} 办理",
                "一件事的渠道应当是每个事项都有的渠道",
            )
    stages = {member.stage for member in content.items}
    if stages != set(range(1, len(stages) + 1)):
        yield Violation("/items", "stage-gap", "办理阶段不连续", "阶段从 1 起连续编号")


def _about_materials(
    content: BundleContent, items: Mapping[UUID, ItemFacts]
) -> Iterator[Violation]:
    known = {
        (item.item_id, material["code"]) for item in items.values() for material in item.materials
    }
    pairs = [
        (each.item_id, each.material_code)
        for same in content.same_materials
        for each in same.members
    ]
    for pair in _twice(pairs):
        yield Violation(
            "/same_materials", "material-twice", f"材料 {pair} 合并了两次", "一份材料只合并一次"
        )
    for code in _twice(same.code for same in content.same_materials):
        yield Violation("/same_materials", "code-twice", f"合并编码 {code} 重复", "换一个编码")
    for n, same in enumerate(content.same_materials):
        for m, each in enumerate(same.members):
            if (each.item_id, each.material_code) not in known:
                yield Violation(
                    f"/same_materials/{n}/members/{m}",
                    "material-unknown",
                    f"事项没有材料 {each.material_code}",
                    "只合并事项材料清单里有的材料",
                )


def _about_questions(content: BundleContent) -> Iterator[Violation]:
    for code in _twice(question.code for question in content.questions):
        yield Violation("/questions", "question-twice", f"问题编码 {code} 重复", "换一个编码")
    used = {condition.question for rule in content.rules for condition in rule.when}
    for n, question in enumerate(content.questions):
        if _twice(option.code for option in question.options):
            yield Violation(f"/questions/{n}/options", "option-twice", "选项编码重复", "换一个编码")
        if question.code not in used:
            yield Violation(
                f"/questions/{n}",
                "question-unused",
                f"问题“{question.text}”不影响任何事项",
                "删去这个问题，或者在判定表里用到它",
            )


def _about_rules(content: BundleContent) -> Iterator[Violation]:
    members = {member.item_id for member in content.items}
    options = {
        question.code: {option.code for option in question.options}
        for question in content.questions
    }
    for n, rule in enumerate(content.rules):
        if rule.item_id not in members:
            yield Violation(
                f"/rules/{n}/item_id", "item-unknown", "判定的事项不在一件事里", "先列入事项"
            )
        for m, condition in enumerate(rule.when):
            for option in sorted(set(condition.any_of) - options.get(condition.question, set())):
                yield Violation(
                    f"/rules/{n}/when/{m}",
                    "option-unknown",
                    f"问题 {condition.question} 没有选项 {option}",
                    "只用问题里有的选项",
                )
        for question in contradictions(rule):
            yield Violation(
                f"/rules/{n}/when",
                "never-true",
                f"对问题 {question} 的两个条件不能同时成立",
                "同一问题只写一个条件",
            )
