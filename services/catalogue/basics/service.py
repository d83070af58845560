"""Use cases of the basic catalogue: keep entries, and find the one an item is based on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from services.catalogue.basics import repository
from services.catalogue.basics.content import BasicContent
from services.catalogue.basics.schemas import BasicCreate, BasicUpdate
from services.catalogue.codes import schemes
from services.catalogue.codes.tables import Unknown, decode
from services.catalogue.editing import changeable
from services.catalogue.models import BasicState


class BasicNotFound(NotFound):
    code, title = "basic-item-not-found", "基本目录里没有这一项"


class BasicCodeTaken(Conflict):
    code, title = "basic-code-taken", "本区域的基本目录已有这个编码"


class BasicCodeWrong(Invalid):
    code, title = "basic-code-wrong", "基本编码有误"


def code_problem(
    basic_code: str, division_code: str, content: BasicContent
) -> tuple[str, str] | None:
    """What is wrong with a code and what would put it right, or None."""
    readings = schemes.read("basic", basic_code, division_code[:2])
    if not readings:
        allowed = schemes.describe("basic", division_code[:2])
        return "编码不符合本省在用的任何一种编码方式", f"核对每一位；可以是：{allowed}"
    kinds = [each.parts["type"] for each in readings if "type" in each.parts]
    known = [decode("task-type", kind) for kind in kinds]
    if known and not isinstance(known[0], Unknown) and content.task_type not in known:
        return f"编码里的事项类型是 {kinds[0]}，写的是 {content.task_type}", "更正编码或事项类型"
    return None


async def create(session: AsyncSession, caller: Caller, body: BasicCreate) -> Any:
    """Add an entry.

    Raises:
        WrongDivision: outside the editor's division.
        BasicCodeWrong: the code is of no scheme in use, or says another type.
    """
    caller.ensure_covers(body.division_code)
    content = body.content()
    _ensure_code(body.basic_code, body.division_code, content)
    row = new_row(body.basic_code, body.division_code, content, now())
    await repository.add(session, [row])
    await repository.add_history(
        session, [history_row(row, "create", str(caller.account_id), caller.name, None)]
    )
    return await repository.find(session, row["id"])


async def change(
    session: AsyncSession, caller: Caller, basic_id: UUID, *, expected: int, body: BasicUpdate
) -> Any:
    """Change an entry, or cancel it.

    Raises:
        BasicNotFound: there is no such entry.
        WrongDivision: outside the editor's division.
        StaleVersion: somebody else changed it since it was read.
        BasicCodeWrong: the code says another type.

    Concurrency: locks the entry's row.
    """
    row = await repository.find(session, basic_id, lock=True)
    row = changeable(caller, row, expected, BasicNotFound)
    content = body.content()
    _ensure_code(row.basic_code, row.division_code, content)
    values = changed_values(row.version, content, body.state, now())
    await repository.change(session, basic_id, **values)
    history = history_row(
        {"id": basic_id, **values}, "change", str(caller.account_id), caller.name, body.reason
    )
    await repository.add_history(session, [history])
    return await repository.find(session, basic_id)


async def find_in_use(
    session: AsyncSession, codes: Collection[str], division_code: str
) -> dict[str, BasicContent]:
    """The entries a division's items are based on, by code: its own, else the nearest above."""
    rows = await repository.list_by_codes(session, codes, division_code)
    return {
        row.basic_code: BasicContent.model_validate(row.content)
        for row in rows
        if row.state == BasicState.in_use
    }


async def get(session: AsyncSession, basic_id: UUID) -> Any:
    """An entry.

    Raises:
        BasicNotFound: there is no such entry.
    """
    row = await repository.find(session, basic_id)
    if row is None:
        raise BasicNotFound
    return row


async def list_history(session: AsyncSession, caller: Caller, basic_id: UUID) -> Sequence[Any]:
    """Changes of an entry, newest first.

    Raises:
        BasicNotFound: there is no such entry.
        WrongDivision: outside the caller's division.
    """
    row = await get(session, basic_id)
    caller.ensure_covers(row.division_code)
    return await repository.list_history(session, basic_id)


def new_row(
    basic_code: str, division_code: str, content: BasicContent, at: datetime
) -> dict[str, Any]:
    """A row of a new entry."""
    return {
        "id": new_id(),
        "division_code": division_code,
        "basic_code": basic_code,
        "created_at": at,
        **changed_values(0, content, BasicState.in_use, at),
    }


def changed_values(version: int, content: BasicContent, state: str, at: datetime) -> dict[str, Any]:
    """The columns of an entry that a change writes."""
    return {
        "state": state,
        "version": version + 1,
        "name": content.name,
        "content": content.model_dump(mode="json"),
        "changed_at": at,
    }


def history_row(
    row: dict[str, Any], action: str, actor: str, actor_name: str | None, reason: str | None
) -> dict[str, Any]:
    """The history of what a row says now."""
    return {
        "id": new_id(),
        "basic_item_id": row["id"],
        "action": action,
        "version": row["version"],
        "state": row["state"],
        "content": row["content"],
        "actor": actor,
        "actor_name": actor_name,
        "reason": reason,
        "happened_at": row["changed_at"],
    }


def _ensure_code(basic_code: str, division_code: str, content: BasicContent) -> None:
    problem = code_problem(basic_code, division_code, content)
    if problem is not None:
        message, remedy = problem
        error = {"path": "/basic_code", "in": "body", "type": "code-of-scheme"}
        raise BasicCodeWrong(errors=[{**error, "message": message, "remedy": remedy}])
