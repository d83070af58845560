"""Rule sets: drafted, checked, put into force at a time, and taken back."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_covers, division_level
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.timers import cancel_timers, set_timer
from services.requests.reference.repository import bump
from services.requests.reference.service import Reference
from services.requests.routing import repository
from services.requests.routing.checking import (
    LISTED,
    find_conflicts,
    find_uncovered,
    find_unreachable,
)
from services.requests.routing.matcher import Matcher, compile_rules
from services.requests.routing.rules import Matter, Queue, Rule
from services.requests.routing.schemas import (
    CheckReport,
    Pair,
    RuleSetRead,
    RuleSetWrite,
    Uncovered,
)
from services.requests.routing.service import matter_of

RULES = "routing-rules"
ACTIVATE = "activate-routing-rules"


class RuleSetNotFound(NotFound):
    code, title = "rule-set-not-found", "没有这一版派单规则"


class NotADraft(Conflict):
    code, title = "not-a-draft", "这一版规则已经生效或已经停用，不能再改"


class NamesRepeated(Invalid):
    code, title = "rule-names-repeated", "有两条规则同名"


class RulesConflict(Conflict):
    code, title = "rules-conflict", "规则互相冲突，不能生效"


class TimeIsPast(Invalid):
    code, title = "time-is-past", "生效时间已经过去"


class NothingBefore(Conflict):
    code, title = "nothing-before", "没有可以退回的上一版"


async def get(session: AsyncSession, version: int) -> RuleSetRead:
    """A version with its rules.

    Raises:
        RuleSetNotFound.
    """
    row = await repository.find_rule_set(session, version)
    if row is None:
        raise RuleSetNotFound
    return RuleSetRead.model_validate(row, from_attributes=True)


async def draft(session: AsyncSession, body: RuleSetWrite) -> RuleSetRead:
    """Make the next version, as a draft.

    Raises:
        NamesRepeated.
    """
    _ensure_names_differ(body)
    await repository.lock_rule_sets(session)
    version = await repository.insert_draft(session, body.note, _stored(body.rules))
    return await get(session, version)


async def change(
    session: AsyncSession, version: int, body: RuleSetWrite, *, expected_edit: int
) -> RuleSetRead:
    """Replace the rules of a draft.

    Raises:
        RuleSetNotFound, NotADraft, StaleVersion, NamesRepeated.
    """
    _ensure_names_differ(body)
    await repository.lock_rule_sets(session)
    found = await get(session, version)
    if found.state != "draft":
        raise NotADraft
    if found.edit != expected_edit:
        raise StaleVersion
    await repository.change(
        session, version, note=body.note, rules=_stored(body.rules), edit=found.edit + 1
    )
    return await get(session, version)


async def check(session: AsyncSession, reference: Reference, version: int) -> CheckReport:
    """Look a version over before it rules; a thread does the work.

    Raises:
        RuleSetNotFound.
    """
    matcher = compile_rules((await get(session, version)).rules, version)
    return await asyncio.to_thread(report, matcher, reference)


def report(matcher: Matcher, reference: Reference) -> CheckReport:
    """Conflicts, dead rules, and combinations of the published items that nothing covers."""
    conflicts, unreachable = find_conflicts(matcher), find_unreachable(matcher)
    matters = list(combinations(reference, _objects(matcher)))

    queues = {rule.name for rule in matcher.rules if isinstance(rule.target, Queue)}
    by_channel = bool(matcher.masks["channels"].by_value)

    @lru_cache(maxsize=1)
    def fired(matter: Matter) -> str | None:
        decision = matcher.route(matter, reference.units)
        return decision.rule if decision.unit_code or decision.rule in queues else None

    def decide(matter: Matter) -> str | None:
        """Where no rule looks at it, the channels of an item, one after another, go one way."""
        return fired(matter if by_channel else replace(matter, channel=""))

    uncovered = find_uncovered(matters, decide)
    return CheckReport(
        conflicts=[Pair(rule=a, other=b) for a, b in conflicts[:LISTED]],
        conflict_count=len(conflicts),
        unreachable=[Pair(rule=a, other=b) for a, b in unreachable[:LISTED]],
        unreachable_count=len(unreachable),
        uncovered=[
            Uncovered.model_validate(each, from_attributes=True) for each in uncovered[:LISTED]
        ],
        uncovered_count=len(uncovered),
        combinations=len(matters),
    )


def _objects(matcher: Matcher) -> tuple[bool, ...]:
    """Whether the applicant is an organisation: both, where any rule looks at it."""
    return (False, True) if matcher.masks["objects"].by_value else (False,)


def combinations(reference: Reference, organisations: Iterable[bool]) -> Iterator[Matter]:
    """Every published item in one village of every township that it is offered to.

    By channel and by who applies.
    """
    villages: dict[str, str] = {}
    for code in sorted(reference.divisions):
        if division_level(code) is DivisionLevel.community:
            villages.setdefault(code[:9], code)
    for item in reference.items.values():
        if not item.is_open:
            continue
        for village in villages.values():
            if division_covers(item.state.division_code, village):
                for is_organisation, channel in product(organisations, item.state.channels):
                    yield matter_of(
                        item.state, village, channel=channel, is_organisation=is_organisation
                    )


async def activate(
    session: AsyncSession, version: int, *, at: datetime | None, note: str, caller: Caller
) -> RuleSetRead:
    """Put a draft into force now, or at a time.

    Raises:
        RuleSetNotFound, NotADraft, RulesConflict, TimeIsPast.
    """
    await repository.lock_rule_sets(session)
    found = await get(session, version)
    if found.state not in ("draft", "scheduled"):
        raise NotADraft
    conflicts = await asyncio.to_thread(find_conflicts, compile_rules(found.rules, version))
    if conflicts:
        raise RulesConflict(conflicts=[{"rule": a, "other": b} for a, b in conflicts[:LISTED]])
    if at is None:
        await cancel_timers(session, _timer(version), ACTIVATE)
        await _take_over(session, version, note=note, actor_name=caller.name)
    else:
        if at <= datetime.now(UTC):
            raise TimeIsPast
        await repository.schedule(session, version, at)
        await set_timer(session, ACTIVATE, _timer(version), at)
    return await get(session, version)


async def activate_scheduled(session: AsyncSession, subject_id: UUID) -> None:
    """The time of a scheduled version has come."""
    await repository.lock_rule_sets(session)
    version = subject_id.int
    found = await repository.find_rule_set(session, version)
    if found is not None and found.state == "scheduled":
        await _take_over(session, version, note="按时生效", actor_name=None)


async def roll_back(session: AsyncSession, *, note: str, caller: Caller) -> RuleSetRead:
    """Let the version before the active one rule again.

    Raises:
        NothingBefore.
    """
    await repository.lock_rule_sets(session)
    version = await repository.find_replaced(session)
    if version is None:
        raise NothingBefore
    await _take_over(session, version, note=note, actor_name=caller.name)
    return await get(session, version)


async def _take_over(
    session: AsyncSession, version: int, *, note: str, actor_name: str | None
) -> None:
    await repository.activate(session, version, note=note, actor_name=actor_name, id_=new_id())
    await bump(session, RULES)


def _timer(version: int) -> UUID:
    """Timers have UUIDs for subjects: the version's number is one."""
    return UUID(int=version)


def _ensure_names_differ(body: RuleSetWrite) -> None:
    names = [rule.name for rule in body.rules]
    if len(names) != len(set(names)):
        raise NamesRepeated


def _stored(rules: list[Rule]) -> list[dict[str, Any]]:
    return [rule.model_dump(mode="json", exclude_defaults=True) | _kept(rule) for rule in rules]


def _kept(rule: Rule) -> dict[str, Any]:
    return {"target": rule.target.model_dump(mode="json")}
