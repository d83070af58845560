"""Scores as a sheet: the roll-ups row by row, read while they are sent; they know nobody."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.values import RatingLevel
from servicekit.database import Database
from servicekit.imports.service import from_thread
from servicekit.sheets import SheetFormat, write_csv, write_xlsx
from services.evaluation.scores import repository
from services.evaluation.scores.repository import Peers, tally_of
from services.evaluation.scores.rules import Grain
from services.evaluation.scores.subjects import names_now

BATCH_ROWS = 2_000
_LEVELS = {
    RatingLevel.very_satisfied: "非常满意",
    RatingLevel.satisfied: "满意",
    RatingLevel.fairly_satisfied: "基本满意",
    RatingLevel.dissatisfied: "不满意",
    RatingLevel.very_dissatisfied: "非常不满意",
}
HEADER = (
    "日期",
    "对象",
    "名称",
    *_LEVELS.values(),
    "评价数",
    "好评率",
    "平均星级",
    "首次差评",
    "默认评价",
    "办结数",
    "主动评价率",
    "按期率",
    "差评整改数",
    "差评整改率",
    "整改按期率",
    "回访率",
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: of a kind, a division and a time, by day, month or year."""

    peers: Peers
    grain: Grain
    first: date
    last: date


def export(
    database: Database, sheet_format: SheetFormat, chosen: Selection
) -> AsyncIterator[bytes] | Iterator[bytes]:
    """The chosen rows as CSV or XLSX."""
    rows = _rows(database, chosen)
    if sheet_format is SheetFormat.csv:
        return write_csv(HEADER, rows)
    return write_xlsx(HEADER, from_thread(rows), title="评分")


async def _rows(database: Database, chosen: Selection) -> AsyncGenerator[tuple[object, ...], None]:
    after: tuple[str, date] | None = None
    async with database.reading() as session:
        while True:
            page = await repository.page_of_rows(
                session,
                chosen.peers,
                chosen.grain,
                first=chosen.first,
                last=chosen.last,
                after=after,
                limit=BATCH_ROWS,
            )
            names = await names_now(session, chosen.peers.kind, {row.subject_id for row in page})
            for row in page:
                yield _line(row, names.get(row.subject_id, row.subject_name))
            if len(page) < BATCH_ROWS:
                return
            after = (page[-1].subject_id, page[-1].day)


def _line(row: Any, name: str | None) -> tuple[object, ...]:
    tally = tally_of(row)
    return (
        row.day,
        row.subject_id,
        name,
        *(tally.current.get(level, 0) for level in _LEVELS),
        tally.rated,
        tally.satisfaction_ratio,
        tally.average_stars,
        tally.bad_first,
        tally.default,
        tally.opened,
        tally.active_ratio,
        tally.on_time_ratio,
        tally.matters,
        tally.rectified_ratio,
        tally.answered_in_time_ratio,
        tally.called_back_ratio,
    )
