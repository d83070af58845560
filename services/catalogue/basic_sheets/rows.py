"""How rows of a sheet become entries of the basic catalogue: by the rules an editor's entry meets."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.imports import Checked, ImportJob, Outcome, Problem, Row
from services.catalogue.basics import intake
from services.catalogue.basics.content import BasicContent
from services.catalogue.basics.intake import Taken
from services.catalogue.basics.schemas import BasicCode
from services.catalogue.basics.service import code_problem
from services.catalogue.models import BasicState
from services.catalogue.sheets import reading
from services.catalogue.sheets.columns import Layout, layout
from services.catalogue.sheets.telling import malformed, misplaced, told

TABLE = "basic_columns"
_CODE: TypeAdapter[str] = TypeAdapter(BasicCode)
_IDENTITY = ("basic_code", "division_code", "state")


class BasicRows:
    """Rows of entries; an empty cell leaves what is there, and what they say holds at once."""

    def key(self, job: ImportJob, row: Row) -> str | None:
        code, division = _identity(reading.read_row(layout(job.preset, TABLE), row).patch, job)
        return f"{division} {code}" if code else None

    async def check(
        self, session: AsyncSession, job: ImportJob, rows: Sequence[Row]
    ) -> Checked[Taken]:
        at, checked = layout(job.preset, TABLE), Checked[Taken]()
        said = {row.number: reading.read_row(at, row) for row in rows}
        named = {number: _identity(each.patch, job) for number, each in said.items()}
        known = await intake.lock_known(
            session, {(division, code) for code, division in named.values() if code}
        )
        for row in rows:
            each, (code, division) = said[row.number], named[row.number]
            problems = list(each.problems)
            if not each.is_refused:
                taken = _taken(at, row, each, job, code, division, known)
                if isinstance(taken, Taken):
                    checked.ready[row.number] = taken
                    problems = list(each.problems)  # with what was filled in
                else:
                    problems += taken
            checked.problems.extend(problems)
        return checked

    async def apply(
        self, session: AsyncSession, job: ImportJob, ready: Mapping[int, Taken]
    ) -> Mapping[int, Outcome | Problem]:
        await intake.take_in(
            session,
            [taken for taken in ready.values() if not taken.stands_so],
            actor=str(job.owner_id),
            actor_name=job.owner_name,
            reason=f"由文件导入：{job.file_name}"[:300],
        )
        return {number: _outcome(taken) for number, taken in ready.items()}


def _outcome(taken: Taken) -> Outcome:
    if taken.known is None:
        return Outcome.created
    return Outcome.unchanged if taken.stands_so else Outcome.changed


def _identity(patch: Mapping[str, Any], job: ImportJob) -> tuple[str | None, str]:
    return patch.get("basic_code"), patch.get("division_code") or job.division_code


def _taken(
    at: Layout,
    row: Row,
    said: reading.Said,
    job: ImportJob,
    code: str | None,
    division: str,
    known: Mapping[tuple[str, str], Any],
) -> Taken | list[Problem]:
    problems = _identity_problems(at, row, job, code, division)
    if problems or code is None:
        return problems
    before = known.get((division, code))
    whole = {} if before is None else dict(before.content)
    whole |= {name: value for name, value in said.patch.items() if name not in _IDENTITY}
    if not whole.get("source"):
        whole["source"] = f"由文件导入：{job.file_name}"[:300]
        message, remedy = f"没有写来源，已填：{whole['source']}", "在表里写明目录名称和版本"
        said.problems.append(Problem(row.number, "", "", message, remedy, is_refusal=False))
    try:
        content = BasicContent.model_validate(whole)
    except ValidationError as error:
        return [malformed(at, row, each) for each in error.errors(include_url=False)]
    wrong = code_problem(code, division, content)
    if wrong is not None:
        return [told(at, row, "/basic_code", *wrong)]
    state = said.patch.get("state") or (before.state if before else BasicState.in_use)
    return Taken(code, division, content, str(state), before)


def _identity_problems(
    at: Layout, row: Row, job: ImportJob, code: str | None, division: str
) -> list[Problem]:
    if code is None:
        return [told(at, row, "/basic_code", "没有基本编码", "补上基本编码")]
    return misplaced(at, row, job, pointer="/basic_code", code=code, form=_CODE, division=division)
