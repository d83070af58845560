"""Giving ratings: the rating, what it opens, the scores it changes and its event are one write."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RatingGiven
from contracts.values import RatingLevel
from servicekit.auth import Caller, WrongRole
from servicekit.errors import Forbidden
from servicekit.outbox import now, record
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import service as evaluables
from services.evaluation.evaluables.rules import FIRST
from services.evaluation.facts import EvaluableFacts
from services.evaluation.fingerprints import Fingerprints, words_hash
from services.evaluation.free_text import RATING_TEXT, screen
from services.evaluation.integrity import service as integrity
from services.evaluation.metrics import DEFAULTED, RATED
from services.evaluation.models import Origin, RatingChannel
from services.evaluation.ratings import repository
from services.evaluation.ratings.repository import NewRating
from services.evaluation.ratings.schemas import (
    OpenedRectification,
    RatingContent,
    RatingCreate,
    RatingReceipt,
)
from services.evaluation.rectifications import service as rectifications
from services.evaluation.scores import service as scores
from services.evaluation.settings import EvaluationSettings
from services.evaluation.tags import service as tags


class StaffMayNotRate(Forbidden):
    code, title = "staff-may-not-rate", "工作人员账号不能评价，请用本人的居民账号"


@dataclass(frozen=True, slots=True)
class Way:
    """How a rating came in: the channel, what it was given with, and who typed it in, if anybody."""

    channel: RatingChannel
    fingerprints: Fingerprints = field(default_factory=Fingerprints)
    entered_by: UUID | None = None
    entered_unit: str | None = None
    batch_id: UUID | None = None


async def give(
    session: AsyncSession,
    body: RatingCreate,
    *,
    caller: Caller,
    device: str | None,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RatingReceipt:
    """Give the first rating or the 追评 of an evaluable service of the caller's own case.

    Raises:
        StaffMayNotRate: a staff account, whoever's case it is.
        WrongRole: an account without the role of a resident.
        EvaluableNotFound, RatingAlreadyGiven, EvaluationClosed, FirstRatingMissing,
        RectificationUnderWay: see `evaluables.service.lock_for_rating`.
        RaterIsStaff, TagUnknown, TagOfOtherLevel, TagRetired: see `give_to`.

    Concurrency: locks the evaluable service first; its scores change last, before the commit.
    """
    if not caller.is_resident:
        raise StaffMayNotRate
    if not caller.has("resident"):
        raise WrongRole
    facts, _ = await evaluables.lock_for_rating(
        session, body.evaluable_id, caller.account_id, assess_number=body.assess_number
    )
    found = Fingerprints.of(cipher, device=device, account=caller.account_id)
    way = Way(RatingChannel(body.channel), found)
    return await give_to(session, facts, body, way=way, cipher=cipher, settings=settings)


async def give_to(
    session: AsyncSession,
    facts: EvaluableFacts,
    content: RatingContent,
    *,
    way: Way,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RatingReceipt:
    """Write a rating of a locked service, whichever way it came in.

    Raises:
        RaterIsStaff: who rates works for the unit that is rated.
        TagUnknown, TagOfOtherLevel, TagRetired: see `tags.service.ensure_usable`.
    """
    await integrity.ensure_not_staff(session, facts.unit_code, way.fingerprints)
    await tags.ensure_usable(session, content.tags, content.level)
    rating = _new(content, facts, way, cipher)
    await repository.insert_rating(session, rating)
    if content.assess_number == FIRST:
        await evaluables.mark_rated(session, facts.evaluable_id)
    await record(
        session,
        RatingGiven(
            **facts.event_fields(rating.given_at),
            rating_id=rating.id,
            evaluable_id=facts.evaluable_id,
            assess_number=content.assess_number,
            level=content.level,
            tags=tuple(content.tags),
            service_number=facts.service_number,
            channel=way.channel,
        ),
    )
    opened = None
    if content.level.is_bad:
        opened = await _rectify(session, facts, rating, settings)
    scores.touch(session, facts.evaluable_id)
    RATED.labels(content.level.value, str(content.assess_number)).inc()
    return RatingReceipt(
        id=rating.id,
        evaluable_id=facts.evaluable_id,
        assess_number=content.assess_number,
        level=content.level,
        tags=content.tags,
        channel=way.channel,
        given_at=rating.given_at,
        rectification=opened,
    )


def _new(content: RatingContent, facts: EvaluableFacts, way: Way, cipher: Cipher) -> NewRating:
    given_at = now()
    text = content.text or None
    seconds = int((given_at - facts.served_at).total_seconds()) if facts.served_at else None
    return NewRating(
        # Random, not time-ordered: staff see it, and must not see the moment in it.
        id=uuid4(),
        facts=facts,
        assess_number=content.assess_number,
        origin=Origin.resident,
        level=content.level,
        tags=content.tags,
        text=cipher.encrypt(text, RATING_TEXT.context) if text else None,
        findings=list(screen(text).findings) if text else [],
        channel=way.channel,
        given_at=given_at,
        given_on=local_day(given_at),
        device_hash=way.fingerprints.device,
        phone_hash=way.fingerprints.phone,
        text_hash=words_hash(cipher, text) if text else None,
        seconds_after=max(seconds, 0) if seconds is not None else None,
        entered_by=way.entered_by,
        entered_unit=way.entered_unit,
        batch_id=way.batch_id,
    )


async def _rectify(
    session: AsyncSession,
    facts: EvaluableFacts,
    rating: NewRating,
    settings: EvaluationSettings,
) -> OpenedRectification:
    matter_id, due_on = await rectifications.open_for(
        session, facts, rating_id=rating.id, opened_at=rating.given_at, settings=settings
    )
    return OpenedRectification(id=matter_id, due_on=due_on)


async def give_one_default(session: AsyncSession, level: RatingLevel) -> bool:
    """系统默认评价 for one service whose period passed in silence; False when there is none.

    It opens no rectification, tells no event of a rating, and counts in no rate.
    """
    given_at = now()
    facts = await evaluables.lock_one_unrated(session, local_day(given_at))
    if facts is None:
        return False
    rating = NewRating(
        id=uuid4(),
        facts=facts,
        assess_number=FIRST,
        origin=Origin.default,
        level=level,
        tags=[],
        text=None,
        findings=[],
        channel=None,
        given_at=given_at,
        given_on=local_day(given_at),
    )
    await repository.insert_rating(session, rating)
    await evaluables.mark_rated(session, facts.evaluable_id)
    scores.touch(session, facts.evaluable_id)
    DEFAULTED.inc()
    return True
