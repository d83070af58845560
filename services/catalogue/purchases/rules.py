"""Pure rules of purchases: the stages, who takes them, and what each must bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.catalogue.items.violation import Violation
from services.catalogue.models import Stage


@dataclass(frozen=True, slots=True)
class Step:
    """How a stage is reached."""

    after: Stage
    #: Figures that it brings; no other stage may bring them.
    brings: tuple[str, ...] = ()
    #: The county's hand, not the department's: nobody evaluates what they managed.
    county: bool = False


#: 立项 → 预算 → 发布 → 管理 → 绩效评估.
STEPS = {
    Stage.budgeted: Step(Stage.initiated, brings=("budget_cents",)),
    Stage.announced: Step(Stage.budgeted),
    Stage.managed: Step(Stage.announced, brings=("supplier", "contract_cents")),
    Stage.evaluated: Step(Stage.managed, brings=("evaluation_points",), county=True),
}
FIGURES = tuple(name for step in STEPS.values() for name in step.brings)
FINAL = (Stage.evaluated, Stage.cancelled)


def may_reach(before: Stage, after: Stage) -> bool:
    """Whether a project at one stage may go to another; any that is not over may be cancelled."""
    if after is Stage.cancelled:
        return before not in FINAL
    return after in STEPS and STEPS[after].after is before


def violations(
    stage: Stage,
    given: Mapping[str, Any],
    *,
    happened_on: date,
    last_on: date,
    today: date,
    budget_cents: int | None,
) -> list[Violation]:
    """Everything that is wrong with what a stage brings."""
    found = []
    needed = STEPS[stage].brings if stage in STEPS else ()
    for name in FIGURES:
        if name in needed and given.get(name) is None:
            found.append(Violation(f"/{name}", "field-missing", "这个阶段要填写这一项", "补上"))
        if name not in needed and given.get(name) is not None:
            found.append(Violation(f"/{name}", "field-needless", "这个阶段不填这一项", "删去"))
    if happened_on < last_on:
        found.append(
            Violation("/happened_on", "day-before-last", "早于上一个阶段的日期", "更正日期")
        )
    if happened_on > today:
        found.append(Violation("/happened_on", "day-ahead", "日期还没有到", "更正日期"))
    contract = given.get("contract_cents")
    if contract is not None and budget_cents is not None and contract > budget_cents:
        found.append(
            Violation("/contract_cents", "over-budget", "合同金额超过预算", "先调整预算或者金额")
        )
    return found
