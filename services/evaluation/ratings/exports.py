"""评价导出: the same anonymous rows as the list, page by page, so that memory stays small."""

from collections.abc import AsyncIterator
from datetime import date

from servicekit.auth import Caller
from servicekit.database import Database
from servicekit.errors import Invalid
from servicekit.personal_data import Cipher
from services.evaluation.access import Scope, scope_of
from services.evaluation.ratings import reading, repository
from services.evaluation.ratings.schemas import RatingForStaff

MOST_DAYS = 366
PAGE = 1_000
HEADER = (
    "评价日期", "等级", "首次或追评", "是否计入", "系统默认", "标签", "说明（已隐去个人信息）", "渠道",
    "事项", "环节", "单位编码", "单位", "整改",
)  # fmt: skip


class ExportPeriodInvalid(Invalid):
    code, title = "export-period-invalid", "起止日期不正确，一次最多导出 366 天"


def export(
    database: Database, *, caller: Caller, cipher: Cipher, first: date, last: date
) -> AsyncIterator[tuple[object, ...]]:
    """Rows of the ratings of a period in the caller's unit or division, newest first.

    Raises:
        ExportPeriodInvalid: it ends before it begins, or is too long.
        WrongUnit, WrongDivision: see `access.scope_of`.
    """
    if not 0 <= (last - first).days < MOST_DAYS:
        raise ExportPeriodInvalid
    return _rows(database, scope_of(caller), cipher, (first, last))


async def _rows(
    database: Database, scope: Scope, cipher: Cipher, given: tuple[date, date]
) -> AsyncIterator[tuple[object, ...]]:
    before: int | None = None
    while True:
        # A transaction a page: a slow download holds no snapshot open.
        async with database.reading() as session:
            rows = await repository.list_in_scope(
                session,
                scope,
                level=None,
                unit_code=None,
                state=None,
                before=before,
                limit=PAGE,
                given=given,
            )
            shown = await reading.for_staff(session, rows, cipher)
        for rating in shown:
            yield _row(rating)
        if len(rows) < PAGE:
            return
        before = rows[-1].position


def _row(rating: RatingForStaff) -> tuple[object, ...]:
    return (
        rating.given_on,
        rating.level.value,
        rating.assess_number,
        rating.state.value,
        rating.is_default,
        "；".join(tag.text or tag.code for tag in rating.tags),
        rating.text,
        rating.channel.value if rating.channel else None,
        rating.item_name,
        rating.service_name,
        rating.unit_code,
        rating.unit_name,
        rating.rectification_id,
    )
