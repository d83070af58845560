"""每村必访, told to others: how far each village was asked in a year, with its full state.

The counts are of households over all surveys of the year; nothing of an answer is told.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import CommunitySurveyed
from servicekit.outbox import now, record
from services.evaluation.surveys import repository


async def tell(session: AsyncSession, division_codes: Sequence[str], year: int) -> None:
    """Tell the new states of villages where households were drawn or settled.

    Concurrency: holds the states of these villages until the commit.
    """
    rows = await repository.count_coverage(session, division_codes, year, now())
    await record(session, *(_event(row) for row in rows))


def _event(row: Any) -> CommunitySurveyed:
    return CommunitySurveyed(
        survey_key=f"survey:{row.division_code}:{row.year}",
        division_code=row.division_code,
        year=row.year,
        survey_ids=tuple(row.survey_ids),
        sampled=row.sampled,
        answered=row.answered,
        refused=row.refused,
        unreached=row.unreached,
        is_covered=row.answered > 0,
        revision=row.revision,
        recorded_at=row.changed_at,
    )
