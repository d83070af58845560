"""评价公开: a county's divisions in a month or a year, small numbers withheld, published once."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionCode, DivisionLevel, division_level, division_prefix
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from servicekit.identifiers import new_id
from servicekit.outbox import now
from servicekit.paging import Page, cut, encode_cursor, id_cursor
from services.evaluation.calendar.rules import local_day
from services.evaluation.divisions import service as divisions
from services.evaluation.models import ScoreTable
from services.evaluation.scores.repository import tally_of
from services.evaluation.scores.rules import Grain, Tally
from services.evaluation.settings import EvaluationSettings
from services.evaluation.suppression import division_tree, reveals, withheld

_TABLES = {Grain.month: "score_month", Grain.year: "score_year"}
_ROWS = {
    grain: text(
        f"SELECT * FROM {name} WHERE subject_kind = 'division' AND day = :day "  # noqa: S608
        "AND subject_id LIKE :prefix AND length(subject_id) = 12 ORDER BY subject_id"
    )
    for grain, name in _TABLES.items()
}
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('score-table:' || :code, 0))")
_OF_YEAR = text(
    "SELECT grain, day, rows FROM score_table WHERE division_code = :code "
    "AND day >= :first AND day < :last"
)
_FIND = text("SELECT * FROM score_table WHERE id = :id")
_LIST = text(
    "SELECT * FROM score_table WHERE (CAST(:code AS text) IS NULL OR division_code = :code) "
    "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit"
)


class TableNotFound(NotFound):
    code, title = "score-table-not-found", "没有这张公开表"


class NotACounty(Invalid):
    code, title = "not-a-county", "评价按县（市、区）公开"


class PeriodNotOver(Conflict):
    code, title = "period-not-over", "这个期间还没有过完"


class PublishedAlready(Conflict):
    code, title = "published-already", "这个期间已经公开；再公开一次会由差额泄露个别评价"


class TableCreate(BaseModel):
    """What to publish."""

    model_config = ConfigDict(extra="forbid")

    division_code: DivisionCode
    grain: Literal[Grain.month, Grain.year]
    day: date = Field(description="该月或该年的任意一天")


class TableRow(BaseModel):
    """One division; what is withheld shows nothing but that it is."""

    division_code: str
    name: str | None
    is_withheld: bool
    rated: int | None
    satisfaction_ratio: float | None
    average_stars: float | None


class TableRead(BaseModel):
    """A published table."""

    id: UUID
    division_code: str
    grain: Grain
    day: date
    minimum: int = Field(description="评价数少于此数的不显示，连同可推出它的")
    published_at: datetime
    rows: list[TableRow]


async def publish(
    session: AsyncSession, body: TableCreate, caller: Caller, settings: EvaluationSettings
) -> TableRead:
    """Publish a county's table of a period that is over, once.

    Raises:
        WrongDivision: it lies outside the caller's.
        NotACounty: tables of overlapping divisions would tell each other's small numbers.
        PeriodNotOver: more may still be counted.
        PublishedAlready: it, or for a month its whole year, is published.
    """
    caller.ensure_covers(body.division_code)
    if division_level(body.division_code) is not DivisionLevel.county:
        raise NotACounty
    grain, day = Grain(body.grain), Grain(body.grain).first_day(body.day)
    if _end(grain, day) > local_day(now()):
        raise PeriodNotOver
    await session.execute(_TURN, {"code": body.division_code})
    months = await _published(session, body.division_code, grain, day)
    tallies = await _tallies(session, body.division_code, grain, day)
    hidden = _hidden(body.division_code, tallies, months, settings.publication_minimum)
    names = await divisions.names(session, [body.division_code, *tallies])
    rows = [
        _row(code, tally, names.get(code), is_withheld=code in hidden)
        for code, tally in tallies.items()
    ]
    values: dict[str, Any] = {
        "id": new_id(),
        "division_code": body.division_code,
        "grain": grain,
        "day": day,
        "minimum": settings.publication_minimum,
        "rows": [row.model_dump() for row in rows],
        "published_at": now(),
    }
    await session.execute(insert(ScoreTable).values(**values, published_by=caller.account_id))
    return TableRead(**values)


def _end(grain: Grain, day: date) -> date:
    return grain.first_day(day + timedelta(days=31 if grain is Grain.month else 366))


async def _published(
    session: AsyncSession, code: str, grain: Grain, day: date
) -> list[Mapping[str, int]]:
    """The months of the year that are published: division → ratings shown.

    Raises:
        PublishedAlready: the period itself is, or the year a month belongs to.
    """
    first = Grain.year.first_day(day)
    values = {"code": code, "first": first, "last": _end(Grain.year, first)}
    months: list[Mapping[str, int]] = []
    for row in await session.execute(_OF_YEAR, values):
        if row.grain == Grain.year or (row.grain == grain and row.day == day):
            raise PublishedAlready
        months.append({each["division_code"]: each["rated"] or 0 for each in row.rows})
    return months


async def _tallies(session: AsyncSession, code: str, grain: Grain, day: date) -> dict[str, Tally]:
    values = {"day": day, "prefix": f"{division_prefix(code)}%"}
    rows = await session.execute(_ROWS[grain], values)
    return {row.subject_id: tally_of(row) for row in rows}


def _hidden(
    county: str,
    tallies: Mapping[str, Tally],
    months: list[Mapping[str, int]],
    minimum: int,
) -> frozenset[str]:
    """What to withhold: small numbers, what gives them away, and what a year would tell of months."""
    telling = frozenset(
        code
        for code, tally in tallies.items()
        if months
        and reveals(
            tally.rated, {str(n): month.get(code, 0) for n, month in enumerate(months)}, minimum
        )
    )
    return withheld(division_tree(county, _direct(tallies)), minimum, telling)


def _direct(tallies: Mapping[str, Tally]) -> dict[str, int]:
    """What was rated in each place itself, without the places below it."""
    direct = {code: tally.rated for code, tally in tallies.items()}
    prefixes = {division_prefix(code): code for code in tallies}
    for code, tally in tallies.items():
        own = division_prefix(code)
        above = (prefixes.get(own[:length]) for length in range(len(own) - 1, 0, -1))
        parent = next((each for each in above if each), None)
        if parent is not None:
            direct[parent] -= tally.rated
    return direct


def _row(code: str, tally: Tally, name: str | None, *, is_withheld: bool) -> TableRow:
    if is_withheld:
        return TableRow(
            division_code=code,
            name=name,
            is_withheld=True,
            rated=None,
            satisfaction_ratio=None,
            average_stars=None,
        )
    return TableRow(
        division_code=code,
        name=name,
        is_withheld=False,
        rated=tally.rated,
        satisfaction_ratio=tally.satisfaction_ratio,
        average_stars=tally.average_stars,
    )


async def list_tables(
    session: AsyncSession, division_code: str | None, *, after: str | None, limit: int
) -> Page[TableRead]:
    """Published tables, newest first."""
    values = {"code": division_code, "before": id_cursor(after), "limit": limit + 1}
    rows = (await session.execute(_LIST, values)).all()
    page, more = cut(list(rows), limit)
    return Page(
        items=[TableRead(**row._mapping) for row in page],
        next=encode_cursor(page[-1].id) if more else None,
    )


async def get_table(session: AsyncSession, table_id: UUID) -> TableRead:
    """One published table.

    Raises:
        TableNotFound: there is none.
    """
    row = (await session.execute(_FIND, {"id": table_id})).one_or_none()
    if row is None:
        raise TableNotFound
    return TableRead(**row._mapping)
