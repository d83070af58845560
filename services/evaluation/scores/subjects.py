"""What a score may be of: ids as they are asked for, and the names of now."""

import re
from collections.abc import Iterable
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionCode
from servicekit.errors import NotFound
from services.evaluation.divisions import service as divisions
from services.evaluation.items import service as items
from services.evaluation.models import RatingChannel, SubjectKind
from services.evaluation.scores.repository import Subject

_UNIT = re.compile(r"[0-9]{12}:[a-z][a-z0-9-]{1,47}")
_WINDOW = re.compile(r"[0-9]{12}:[a-z][a-z0-9-]{1,47}:[^\x00/]{1,40}")
_DIVISION: TypeAdapter[str] = TypeAdapter(DivisionCode)


class SubjectNotFound(NotFound):
    code, title = "subject-not-found", "没有这样的评价对象"


def subject_of(kind: SubjectKind, subject_id: str) -> Subject:
    """A subject by its kind and id.

    Raises:
        SubjectNotFound: the id is none of that kind.
    """
    match kind:
        case SubjectKind.item | SubjectKind.person | SubjectKind.facility:
            return Subject(kind, _uuid(subject_id))
        case SubjectKind.division:
            try:
                return Subject(kind, _DIVISION.validate_python(subject_id))
            except ValidationError:
                raise SubjectNotFound from None
        case SubjectKind.channel:
            known = subject_id in set(RatingChannel)
        case SubjectKind.unit:
            known = _UNIT.fullmatch(subject_id) is not None
        case SubjectKind.window:
            known = _WINDOW.fullmatch(subject_id) is not None
    if not known:
        raise SubjectNotFound
    return Subject(kind, subject_id)


def _uuid(subject_id: str) -> str:
    try:
        return str(UUID(subject_id))
    except ValueError:
        raise SubjectNotFound from None


async def names_now(session: AsyncSession, kind: SubjectKind, ids: Iterable[str]) -> dict[str, str]:
    """Names of items and divisions as they are now; others have the name of the last case."""
    match kind:
        case SubjectKind.division:
            return await divisions.names(session, ids)
        case SubjectKind.item:
            found = await items.names(session, map(UUID, ids))
            return {str(item_id): name for item_id, name in found.items()}
        case _:
            return {}
