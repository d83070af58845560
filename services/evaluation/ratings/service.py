"""Giving ratings: the rating, what it opens, the scores it changes and its event are one write."""

from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import RatingGiven
from contracts.values import RatingLevel
from servicekit.auth import Caller, WrongRole
from servicekit.errors import Forbidden
from servicekit.outbox import now, record
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import service as evaluables
from services.evaluation.evaluables.rules import FIRST, Standing
from services.evaluation.facts import EvaluableFacts
from services.evaluation.free_text import RATING_TEXT, screen
from services.evaluation.metrics import DEFAULTED, RATED
from services.evaluation.models import Origin, RatingChannel
from services.evaluation.ratings import repository
from services.evaluation.ratings.repository import NewRating
from services.evaluation.ratings.schemas import OpenedRectification, RatingCreate, RatingReceipt
from services.evaluation.rectifications import service as rectifications
from services.evaluation.scores import service as scores
from services.evaluation.scores.rules import Change, Counted
from services.evaluation.settings import EvaluationSettings
from services.evaluation.tags import service as tags


class StaffMayNotRate(Forbidden):
    code, title = "staff-may-not-rate", "工作人员账号不能评价，请用本人的居民账号"


async def give(
    session: AsyncSession,
    body: RatingCreate,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RatingReceipt:
    """Give the first rating or the 追评 of an evaluable service of the caller's own case.

    Raises:
        StaffMayNotRate: a staff account, whoever's case it is.
        WrongRole: an account without the role of a resident.
        EvaluableNotFound, RatingAlreadyGiven, EvaluationClosed, FirstRatingMissing,
        RectificationUnderWay: see `evaluables.service.lock_for_rating`.
        TagUnknown, TagOfOtherLevel, TagRetired: see `tags.service.ensure_usable`.

    Concurrency: locks the evaluable service first and score rows last.
    """
    if not caller.is_resident:
        raise StaffMayNotRate
    if not caller.has("resident"):
        raise WrongRole
    facts, standing = await evaluables.lock_for_rating(
        session, body.evaluable_id, caller.account_id, assess_number=body.assess_number
    )
    await tags.ensure_usable(session, body.tags, body.level)
    rating = _new(body, facts, cipher)
    await repository.insert_rating(session, rating)
    if body.assess_number == FIRST:
        await evaluables.mark_rated(session, facts.evaluable_id)
    await record(
        session,
        RatingGiven(
            **facts.event_fields(rating.given_at),
            rating_id=rating.id,
            evaluable_id=facts.evaluable_id,
            assess_number=body.assess_number,
            level=body.level,
            tags=tuple(body.tags),
        ),
    )
    opened = None
    if body.level.is_bad:
        opened = await _rectify(session, facts, rating, settings)
    await scores.apply(session, facts, _change(standing, rating))
    RATED.labels(body.level.value, str(body.assess_number)).inc()
    return RatingReceipt(
        id=rating.id,
        evaluable_id=facts.evaluable_id,
        assess_number=body.assess_number,
        level=body.level,
        tags=body.tags,
        channel=body.channel,
        given_at=rating.given_at,
        rectification=opened,
    )


def _new(body: RatingCreate, facts: EvaluableFacts, cipher: Cipher) -> NewRating:
    given_at = now()
    return NewRating(
        # Random, not time-ordered: staff see it, and must not see the moment in it.
        id=uuid4(),
        facts=facts,
        assess_number=body.assess_number,
        origin=Origin.resident,
        level=body.level,
        tags=body.tags,
        text=cipher.encrypt(body.text, RATING_TEXT.context) if body.text else None,
        findings=list(screen(body.text).findings) if body.text else [],
        channel=body.channel,
        given_at=given_at,
        given_on=local_day(given_at),
    )


def _change(standing: Standing, rating: NewRating) -> Change:
    """What a new rating changes; day and channel are those of the first one of the service."""
    level = RatingLevel(rating.level)
    first = standing.first
    if first is None:
        channel = RatingChannel(rating.channel) if rating.channel else None
        return Change.between(Counted(), Counted(level, level), rating.given_on, channel)
    before, after = Counted(first.level, first.level), Counted(first.level, level)
    return Change.between(before, after, first.given_on, first.channel)


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
    change = Change.between(Counted(), Counted(default=True), rating.given_on)
    await scores.apply(session, facts, change)
    DEFAULTED.inc()
    return True
