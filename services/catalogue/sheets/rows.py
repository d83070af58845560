"""How rows of a sheet become drafts of items: every rule an editor's draft meets, they meet too."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import ItemCode
from servicekit.imports import Checked, ImportJob, Outcome, Problem, Row
from services.catalogue.basics import service as basics
from services.catalogue.basics.content import BasicContent
from services.catalogue.editing import Hand
from services.catalogue.items import intake, publishing, rules
from services.catalogue.items.content import ItemContent
from services.catalogue.items.intake import Taken
from services.catalogue.items.violation import Violation
from services.catalogue.sheets import derived, reading
from services.catalogue.sheets.columns import Layout, layout
from services.catalogue.sheets.telling import malformed, misplaced, told

_ITEM_CODE: TypeAdapter[str] = TypeAdapter(ItemCode)


class ItemRows:
    """Rows of items; what they say is a draft that another hand approves."""

    def key(self, job: ImportJob, row: Row) -> str | None:
        code, division = reading.identity(
            reading.read_row(layout(job.preset), row).patch, job.division_code
        )
        return f"{division} {code}" if code else None

    async def check(
        self, session: AsyncSession, job: ImportJob, rows: Sequence[Row]
    ) -> Checked[Taken]:
        at, checked = layout(job.preset), Checked[Taken]()
        said = {row.number: (row, reading.read_row(at, row)) for row in rows}
        named = {
            number: reading.identity(each.patch, job.division_code)
            for number, (_, each) in said.items()
        }
        pairs = {(division, code) for code, division in named.values() if code}
        known = await intake.lock_known(session, pairs)
        entries = await self._entries(session, job, said.values())
        for number, (row, each) in said.items():
            code, division = named[number]
            problems = _identity_problems(at, row, job, code, division)
            if not each.is_refused and not problems and code is not None:
                taken = _taken(at, row, each, job, known.get((division, code)), code, division)
                problems += _complaints(at, row, taken, entries)
                if isinstance(taken, Taken) and not problems and not each.is_refused:
                    checked.ready[number] = taken
            checked.problems.extend([*each.problems, *problems])
        return checked

    async def _entries(
        self, session: AsyncSession, job: ImportJob, said: Any
    ) -> Mapping[str, BasicContent]:
        patches = [(each.patch.get("elements") or {}).get("codes") or {} for _, each in said]
        codes = {patch["basic"] for patch in patches if patch.get("basic")}
        return await basics.find_in_use(session, codes, job.division_code) if codes else {}

    async def apply(
        self, session: AsyncSession, job: ImportJob, ready: Mapping[int, Taken]
    ) -> Mapping[int, Outcome | Problem]:
        outcomes: dict[int, Outcome | Problem] = {
            number: _outcome(taken) for number, taken in ready.items()
        }
        changed: list[Taken] = []
        unchanged: list[Taken] = []
        for number, taken in ready.items():
            stands = outcomes[number] is Outcome.unchanged
            (unchanged if stands else changed).append(taken)
        hand = Hand(str(job.owner_id), job.owner_name)
        reason = f"由文件导入：{job.file_name}"[:300]
        await intake.take_in(session, hand, changed, import_id=job.id, reason=reason)
        await intake.adopt(session, unchanged, import_id=job.id)
        return outcomes


def _outcome(taken: Taken) -> Outcome:
    if taken.known is None:
        return Outcome.created
    before = ItemContent.model_validate(intake.text_of(taken.known))
    same = publishing.stored(before) == publishing.stored(taken.content)
    return Outcome.unchanged if same else Outcome.changed


def _identity_problems(
    at: Layout, row: Row, job: ImportJob, code: str | None, division: str
) -> list[Problem]:
    if code is None:
        header = at.columns[0].header
        return [Problem.of(row, header, "没有事项编码", "补上事项编码、实施编码或业务办理项编码")]
    return misplaced(
        at, row, job, pointer="/item_code", code=code, form=_ITEM_CODE, division=division
    )


def _code_headers(at: Layout) -> list[str]:
    """Where the code that names the item may stand, in the order in which it counts."""
    fields = ("item_code", "elements.codes.handling", "elements.codes.implementation")
    return [column.header for name in fields for column in at.columns if column.field == name]


def _taken(
    at: Layout,
    row: Row,
    said: reading.Said,
    job: ImportJob,
    known: Any | None,
    code: str,
    division: str,
) -> Taken | list[Problem]:
    if known is not None and not intake.may_take(known):
        message = "事项正在审核、已定公布日期或已取消，不能修改"
        named = (header for header in _code_headers(at) if row.cells.get(header))
        header = next(named, at.columns[0].header)
        return [Problem.of(row, header, message, "等审核完再导入")]
    base = None if known is None else intake.text_of(known)
    whole, filled = reading.completed(said.patch, base, job.file_name)
    try:
        content = ItemContent.model_validate(whole)
    except ValidationError as error:
        return [malformed(at, row, each) for each in error.errors(include_url=False)]
    if filled:
        words = "；".join(f"{_header(at, name)}＝{word}" for name, word in filled.items())
        message, remedy = f"表里没有写，已填：{words}", "审核前核对，或在表里补上"
        said.problems.append(Problem(row.number, "", "", message, remedy, is_refusal=False))
    if not row.cells.keys().isdisjoint(column.header for column in at.derived):
        status = None if known is None else known.status
        said.problems += derived.complaints(at, row, content.model_dump(mode="json"), status)
    return Taken(code, division, content, known)


def _complaints(
    at: Layout, row: Row, taken: Taken | list[Problem], entries: Mapping[str, BasicContent]
) -> list[Problem]:
    if not isinstance(taken, Taken):
        return taken
    content = taken.content
    found: list[Violation] = rules.violations(taken.item_code, content, taken.division_code)
    basic = content.elements.codes.basic if content.elements else None
    if basic is not None and basic in entries:
        found += rules.unified_violations(content, entries[basic])
    return [told(at, row, each.path, each.message, each.remedy) for each in found]


def _header(at: Layout, field: str) -> str:
    column = at.find(f"/{field}")
    return column.header if column else field
