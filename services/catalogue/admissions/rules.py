"""Pure rules of admission: the path, what is forbidden, and when a county's total is reached."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.catalogue.admissions.content import AdmissionContent, Nature
from services.catalogue.items.violation import Violation
from services.catalogue.models import AdmissionKind
from services.catalogue.models import AdmissionState as State

#: 《关于规范村级组织工作事务、机制牌子和证明事项的意见》二（一）1.
FORBIDDEN_SENTENCE = (
    "不得将村级组织作为行政执法、拆迁拆违、招商引资、安全生产等事务的责任主体。"
    "——《关于规范村级组织工作事务、机制牌子和证明事项的意见》二（一）1"
)
FORBIDDEN_NATURES = {
    Nature.law_enforcement: "行政执法",
    Nature.demolition: "拆迁拆违",
    Nature.investment_promotion: "招商引资",
    Nature.work_safety: "安全生产",
}
#: Words that give such a matter away whatever nature is declared.
FORBIDDEN_WORDS = ("行政执法", "执法检查", "拆迁", "拆违", "招商", "安全生产")


class Action(StrEnum):
    """What can be done to a proposal beside writing it."""

    confirm_basis = "confirm-basis"
    consult = "consult"
    close_consultation = "close-consultation"
    admit = "admit"
    refuse = "refuse"
    withdraw = "withdraw"
    keep = "keep"
    end = "end"


class Hand(StrEnum):
    """Whose step it is."""

    department = "department"
    county = "county"
    clock = "clock"


@dataclass(frozen=True, slots=True)
class Step:
    """One permitted step, and the fields that must come with it."""

    to: State
    hand: Hand
    needs: tuple[str, ...] = ()
    #: Other services must know.
    told: bool = False


_REFUSE = Step(State.refused, Hand.county, needs=("reason",))
_WITHDRAW = Step(State.withdrawn, Hand.department, needs=("reason",))
IN_HAND = (State.proposed, State.funding, State.consulting, State.deciding)
#: State and action → step: 依据 → 经费和条件 → 乡镇意见 → 县级审批 → 一年一评 → 退出.
TRANSITIONS: dict[tuple[State, Action], Step] = {
    (State.proposed, Action.confirm_basis): Step(State.funding, Hand.county),
    (State.funding, Action.consult): Step(
        State.consulting, Hand.county, needs=("townships", "until")
    ),
    (State.consulting, Action.close_consultation): Step(State.deciding, Hand.clock),
    (State.deciding, Action.admit): Step(
        State.admitted,
        Hand.county,
        needs=("approval_number", "valid_from", "valid_until"),
        told=True,
    ),
    (State.admitted, Action.keep): Step(State.admitted, Hand.county, needs=("reason",), told=True),
    (State.admitted, Action.end): Step(State.ended, Hand.county, needs=("reason",), told=True),
    **{(state, Action.refuse): _REFUSE for state in IN_HAND},
    **{(state, Action.withdraw): _WITHDRAW for state in IN_HAND},
}


def hand_of(action: Action) -> Hand:
    """Whose step an action is, in whatever state."""
    return next(step.hand for (_, named), step in TRANSITIONS.items() if named is action)


def missing_fields(step: Step, given: Collection[str]) -> list[str]:
    """Fields that the step needs and that were not given."""
    return [name for name in step.needs if name not in given]


def violations(kind: AdmissionKind, content: AdmissionContent) -> list[Violation]:
    """Everything that is wrong with a proposal in itself."""
    return [*_forbidden(content), *_frequency(kind, content)]


def _forbidden(content: AdmissionContent) -> Iterator[Violation]:
    remedy = "由部门自己承担，不要交给村级组织"
    if content.nature in FORBIDDEN_NATURES:
        yield Violation("/nature", "forbidden-kind", FORBIDDEN_SENTENCE, remedy)
    elif any(word in content.name or word in content.duties for word in FORBIDDEN_WORDS):
        yield Violation("/name", "forbidden-kind", FORBIDDEN_SENTENCE, remedy)


def _frequency(kind: AdmissionKind, content: AdmissionContent) -> Iterator[Violation]:
    needed = kind in (AdmissionKind.form, AdmissionKind.assessment)
    if needed and content.times_per_year is None:
        yield Violation(
            "/times_per_year", "frequency-missing", "没有写明每年几次", "写明每年填报或考核几次"
        )
    if not needed and content.times_per_year is not None:
        yield Violation(
            "/times_per_year", "frequency-needless", "只有表格和考核有频次", "删去这一项"
        )


def period_violations(
    valid_from: date, valid_until: date, today: date, *, funds_until: date, basis_until: date | None
) -> list[Violation]:
    """What is wrong with the days an approval is to hold."""
    found = []
    if valid_until <= valid_from:
        found.append(
            Violation("/valid_until", "period-empty", "退出日期应晚于生效日期", "更正退出日期")
        )
    if valid_until < today:
        found.append(Violation("/valid_until", "period-over", "退出日期已经过去", "更正退出日期"))
    if valid_from > funds_until:
        found.append(
            Violation("/valid_from", "funds-missing", "生效时经费已经到期", "先落实生效以后的经费")
        )
    if basis_until is not None and valid_from > basis_until:
        found.append(
            Violation("/valid_from", "basis-lapsed", "生效时依据已经失效", "更新依据后再准入")
        )
    return found


def is_full(admitted: int, most: int) -> bool:
    """总量控制: whether one more would be too many."""
    return admitted >= most


def has_all_opinions(townships: Collection[str], given: Collection[str]) -> bool:
    """Whether every township that was asked has answered."""
    return set(townships) <= set(given)


def a_year_after(day: date) -> date:
    """The day of the next yearly review; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)
