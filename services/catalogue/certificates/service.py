"""Use cases of certificate lists: what a village may certify, and new versions of a list."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_level
from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.catalogue.certificates import repository, rules
from services.catalogue.certificates.rules import Outcome
from services.catalogue.certificates.schemas import ListCreate
from services.catalogue.items.publishing import CHINA
from services.catalogue.items.violation import Violation
from services.catalogue.models import ListKind


class ListNotFound(NotFound):
    code, title = "certificate-list-not-found", "没有找到这个清单"


class ListInconsistent(Invalid):
    code, title = "certificate-list-inconsistent", "清单内容有误，请按提示逐条修改"


class ListOutdated(Conflict):
    code, title = "certificate-list-outdated", "新版本的生效日期应晚于现有版本"


async def check(
    session: AsyncSession, *, name: str, division: str, on: date | None
) -> dict[str, Any]:
    """May a village certify something? As `CheckRead` describes it."""
    day = on or now().astimezone(CHINA).date()
    known: list[Any] = []
    for each in rules.in_force(await repository.lists(session), division, day):
        entries = await repository.entries(session, each.id)
        entry = rules.find(name, entries)
        if entry is not None:
            outcome: Outcome = "no" if each.kind == ListKind.not_issued else "yes"
            return _verdict(outcome, entry, head(each), similar=[])
        known += entries
    return _verdict("verify-first", None, None, similar=rules.alike(name, known))


async def find_not_issued(
    session: AsyncSession, *, name: str, division: str
) -> tuple[UUID, str] | None:
    """The list of what is not issued that has a certificate today, and its name there."""
    day = now().astimezone(CHINA).date()
    for each in rules.in_force(await repository.lists(session), division, day):
        if each.kind == ListKind.not_issued:
            entry = rules.find(name, await repository.entries(session, each.id))
            if entry is not None:
                return each.id, entry.name
    return None


def _verdict(
    outcome: Outcome, entry: Any | None, listed: dict[str, Any] | None, *, similar: list[str]
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "text": rules.TEXTS[outcome],
        "certificate": entry.name if entry else None,
        "listed_in": listed,
        "instead": entry.instead if entry else None,
        "template": entry.template if entry else None,
        "procedure": entry.procedure if entry else None,
        "similar": similar,
    }


async def list_in_force(
    session: AsyncSession, *, division: str, on: date | None
) -> list[dict[str, Any]]:
    """The lists that speak for a division on a day, with their entries."""
    day = on or now().astimezone(CHINA).date()
    found = rules.in_force(await repository.lists(session), division, day)
    return [await whole(session, each) for each in found]


async def get(session: AsyncSession, list_id: UUID) -> dict[str, Any]:
    """One version of a list, also an old one.

    Raises:
        ListNotFound: there is none.
    """
    found = await repository.find_list(session, list_id)
    if found is None:
        raise ListNotFound
    return await whole(session, found)


async def add_version(session: AsyncSession, caller: Caller, body: ListCreate) -> dict[str, Any]:
    """Record a new version of a province's list; the versions before it stay readable.

    Raises:
        WrongDivision: not the caller's own province, or the list is another division's.
        ListInconsistent: everything that is wrong with it.
        ListOutdated: it would be in force before a version that is there.

    Concurrency: locks the list's code.
    """
    if (
        division_level(body.division_code) is not DivisionLevel.province
        or caller.division != body.division_code
    ):
        raise WrongDivision
    found = [violation.as_error() for violation in violations(body)]
    if found:
        raise ListInconsistent(errors=found)
    newest = await repository.lock_newest(session, body.code)
    if newest is not None and newest.division_code != body.division_code:
        raise WrongDivision
    if newest is not None and newest.effective_from >= body.effective_from:
        raise ListOutdated
    list_id = new_id()
    values = body.model_dump(mode="python", exclude={"entries"})
    await repository.add_list(
        session,
        {
            **values,
            "id": list_id,
            "version": newest.version + 1 if newest else 1,
            "recorded_by": str(caller.account_id),
            "recorded_by_name": caller.name,
        },
        [entry.model_dump(mode="json") for entry in body.entries],
    )
    return await get(session, list_id)


def violations(body: ListCreate) -> list[Violation]:
    """Everything that is wrong with a list."""
    found = []
    names = [rules.key_of(name) for e in body.entries for name in (e.name, *e.also_known_as)]
    for name, count in Counter(names).items():
        if count > 1:
            found.append(Violation("/entries", "name-twice", f"“{name}”列了两次", "只列一次"))
    for n, entry in enumerate(body.entries):
        path = f"/entries/{n}"
        issued = body.kind is ListKind.issued
        if entry.instead is not None and issued:
            found.append(
                Violation(f"{path}/instead", "instead-needless", "可以出具的不必另找", "删去")
            )
        if (entry.template or entry.procedure) and not issued:
            found.append(
                Violation(f"{path}/template", "template-needless", "不出具的没有式样", "删去")
            )
        if entry.template is not None:
            declared = {blank.code for blank in entry.template.blanks}
            if declared != rules.blanks(entry.template.text):
                found.append(
                    Violation(
                        f"{path}/template/blanks",
                        "blanks-differ",
                        "式样里的空格和所列的空格不一致",
                        "每个空格在式样里写作 {编码}，并逐个列出",
                    )
                )
    return found


async def whole(session: AsyncSession, row: Any) -> dict[str, Any]:
    """A list with its entries, as `ListRead` describes it."""
    kept = ("name", "also_known_as", "instead", "template", "procedure")
    return {
        **head(row),
        "entries": [
            {name: getattr(entry, name) for name in kept}
            for entry in await repository.entries(session, row.id)
        ],
    }


def head(row: Any) -> dict[str, Any]:
    """A list as `ListHead` describes it."""
    kept = (
        "id", "code", "kind", "division_code", "name", "version", "document", "source",
        "provisional", "effective_from",
    )  # fmt: skip
    return {name: getattr(row, name) for name in kept}
