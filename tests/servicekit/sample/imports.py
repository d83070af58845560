"""Notes from sheets: the columns 标题 and 说明."""

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from servicekit.errors import Conflict
from servicekit.identifiers import new_id
from servicekit.imports import Checked, ImportJob, Outcome, Problem, Row
from servicekit.outbox import record
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.models import Note


class NoteSealed(Conflict):
    code, title = "note-sealed", "封存的内容不能改"


class NoteRows:
    """Creates and changes notes by their titles."""

    presets = ("short",)

    def key(self, job: ImportJob, row: Row) -> str | None:
        return row.cells.get("标题") or None

    async def check(
        self,
        session: AsyncSession,
        job: ImportJob,
        rows: Sequence[Row],
    ) -> Checked[Row]:
        longest = 5 if job.preset == "short" else 50
        checked: Checked[Row] = Checked()
        for row in rows:
            title = row.cells.get("标题", "")
            if not 1 <= len(title) <= longest:
                message, remedy = f"标题应有 1 至 {longest} 字", "缩短或补上标题"
                checked.problems.append(Problem.of(row, "标题", message, remedy))
                continue
            if title.endswith("。"):
                told = Problem.of(row, "标题", "标题不用句号", "下次去掉句号", is_refusal=False)
                checked.problems.append(told)
            checked.ready[row.number] = row
        return checked

    async def apply(
        self,
        session: AsyncSession,
        job: ImportJob,
        ready: Mapping[int, Row],
    ) -> Mapping[int, Outcome | Problem]:
        return {number: await self._write(session, row) for number, row in ready.items()}

    async def _write(self, session: AsyncSession, row: Row) -> Outcome | Problem:
        title, secret = row.cells["标题"], row.cells.get("说明")
        columns = (col(Note.id), col(Note.secret))
        known = (await session.execute(select(*columns).where(col(Note.title) == title))).first()
        if known is None:
            note_id = new_id()
            await session.execute(insert(Note).values(id=note_id, title=title, secret=secret))
            await record(session, NoteWritten(note_id=note_id, title=title))
            return Outcome.created
        if known.secret == secret:
            return Outcome.unchanged
        if known.secret == "封存":
            raise NoteSealed
        if known.secret == "作废":
            return Problem.of(row, "说明", "作废的内容不能改", "另起标题")
        await session.execute(update(Note).where(col(Note.id) == known.id).values(secret=secret))
        return Outcome.changed
