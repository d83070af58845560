"""What becomes of a rating after it was given: corrected, withdrawn, excluded, restored.

Each change keeps what was before, moves the scores, tells an event, and opens or closes the
rectification, in one transaction under the lock of the evaluable service.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.evaluation import (
    RatingCorrected,
    RatingExcluded,
    RatingRestored,
    RatingWithdrawn,
)
from contracts.values import RatingLevel
from servicekit.auth import Caller
from servicekit.errors import Conflict, Gone
from servicekit.identifiers import new_id
from servicekit.outbox import now, record
from servicekit.personal_data import Cipher
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables import service as evaluables
from services.evaluation.evaluables.rules import AGAIN, Standing
from services.evaluation.facts import EvaluableFacts
from services.evaluation.fingerprints import words_hash
from services.evaluation.free_text import (
    RATING_TEXT,
    REVISION_REASON,
    REVISION_TEXT,
    screen,
)
from services.evaluation.models import (
    Origin,
    Outcome,
    RatingState,
    RevisionAction,
)
from services.evaluation.ratings import repository
from services.evaluation.ratings.reading import RatingNotFound
from services.evaluation.ratings.rules import ChangeRefusal, Changing, change_refusal, counted
from services.evaluation.ratings.schemas import RatingCorrection, RatingStanding
from services.evaluation.rectifications import service as rectifications
from services.evaluation.scores import service as scores
from services.evaluation.settings import EvaluationSettings
from services.evaluation.tags import service as tags


class RatingNotCounted(Conflict):
    code, title = "rating-not-counted", "这条评价已撤回或不计入，不能再改"


class RatedAgain(Conflict):
    code, title = "rated-again", "已经追评，首次评价不能再改"


class CorrectionTooLate(Gone):
    code, title = "correction-too-late", "更正和撤回的期限已过"


class CorrectionUnderWay(Conflict):
    code, title = "correction-under-way", "单位已开始处理，评价不能再改，可以在收到反馈后追评"


_ERRORS = {
    ChangeRefusal.not_counted: RatingNotCounted,
    ChangeRefusal.rated_again: RatedAgain,
    ChangeRefusal.too_late: CorrectionTooLate,
    ChangeRefusal.under_way: CorrectionUnderWay,
}
ExclusionGround = Literal["mistaken", "malicious", "integrity"]


@dataclass(frozen=True, slots=True)
class _Hold:
    """A rating whose evaluable service is locked."""

    row: Any
    facts: EvaluableFacts
    standing: Standing
    at: datetime

    @property
    def level(self) -> RatingLevel:
        return RatingLevel(self.row.level)

    def told(self, level: RatingLevel) -> dict[str, Any]:
        """What every event of a change says."""
        return {
            **self.facts.event_fields(self.at),
            "rating_id": self.row.id,
            "evaluable_id": self.facts.evaluable_id,
            "assess_number": self.row.assess_number,
            "level": level,
        }


async def correct(
    session: AsyncSession,
    rating_id: UUID,
    body: RatingCorrection,
    *,
    caller: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> RatingStanding:
    """更正: who gave a rating changes it, while nobody has begun to act on it.

    Raises:
        RatingNotFound: none, or somebody else's.
        RatingNotCounted, RatedAgain, CorrectionTooLate, CorrectionUnderWay: not any more.
        TagUnknown, TagOfOtherLevel, TagRetired: see `tags.service.ensure_usable`.
    """
    hold = await _hold_own(session, rating_id, caller, settings)
    await tags.ensure_usable(session, body.tags, body.level)
    words = body.text or None
    values = {
        "level": body.level,
        "tags": body.tags,
        "text": cipher.encrypt(words, RATING_TEXT.context) if words else None,
        "findings": list(screen(words).findings) if words else [],
        "text_hash": words_hash(cipher, words) if words else None,
    }
    await _apply(session, hold, RevisionAction.correct, values, cipher=cipher)
    await record(
        session,
        RatingCorrected(**hold.told(body.level), level_before=hold.level, tags=tuple(body.tags)),
    )
    await _follow(session, hold, body.level, Outcome.withdrawn, settings)
    return RatingStanding(
        id=hold.row.id, level=body.level, tags=body.tags, state=RatingState.counted
    )


async def withdraw(
    session: AsyncSession, rating_id: UUID, *, caller: Caller, settings: EvaluationSettings
) -> RatingStanding:
    """撤回: who gave a rating takes it back; it stays on record and counts in nothing.

    Raises:
        RatingNotFound, RatingNotCounted, RatedAgain, CorrectionTooLate, CorrectionUnderWay: see
            `correct`.
    """
    hold = await _hold_own(session, rating_id, caller, settings)
    values = {"state": RatingState.withdrawn}
    await _apply(session, hold, RevisionAction.withdraw, values)
    await record(session, RatingWithdrawn(**hold.told(hold.level)))
    await _follow(session, hold, None, Outcome.withdrawn, settings)
    return RatingStanding(
        id=hold.row.id, level=hold.level, tags=hold.row.tags, state=RatingState.withdrawn
    )


async def exclude(
    session: AsyncSession,
    rating_id: UUID,
    *,
    ground: ExclusionGround,
    reason: str,
    by: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> None:
    """不计入: a review found the rating mistaken or false. One that does not count stays as it is."""
    hold = await _hold(session, rating_id)
    if hold.row.state != RatingState.counted:
        return
    values = {"state": RatingState.excluded}
    await _apply(session, hold, RevisionAction.exclude, values, cipher=cipher, by=by, reason=reason)
    await record(session, RatingExcluded(**hold.told(hold.level), ground=ground))
    await _follow(session, hold, None, Outcome.excluded, settings)


async def restore(
    session: AsyncSession,
    rating_id: UUID,
    *,
    reason: str,
    by: Caller,
    cipher: Cipher,
    settings: EvaluationSettings,
) -> None:
    """恢复计入: an exclusion is reversed; a bad rating is worked on again."""
    hold = await _hold(session, rating_id)
    if hold.row.state != RatingState.excluded:
        return
    values = {"state": RatingState.counted}
    await _apply(session, hold, RevisionAction.restore, values, cipher=cipher, by=by, reason=reason)
    await record(session, RatingRestored(**hold.told(hold.level)))
    await _follow(session, hold, hold.level, Outcome.excluded, settings, by_resident=False)


async def _hold(session: AsyncSession, rating_id: UUID) -> _Hold:
    row = await repository.find(session, rating_id)
    if row is None:
        raise RatingNotFound
    facts, standing = await evaluables.lock(session, row.evaluable_id)
    # Read again: who held the lock before may have changed it.
    row = await repository.find(session, rating_id)
    return _Hold(row, facts, standing, now())


async def _hold_own(
    session: AsyncSession, rating_id: UUID, caller: Caller, settings: EvaluationSettings
) -> _Hold:
    hold = await _hold(session, rating_id)
    row, standing = hold.row, hold.standing
    if hold.facts.applicant_id != caller.account_id or row.origin != Origin.resident:
        raise RatingNotFound
    own = standing.second if row.assess_number == AGAIN else standing.first
    assert own is not None
    changing = Changing(
        own,
        is_latest=row.assess_number == AGAIN or standing.second is None,
        rectification=standing.rectification,
        is_disputed=bool(row.is_disputed),
    )
    reason = change_refusal(changing, settings.correction_days, local_day(hold.at))
    if reason is not None:
        raise _ERRORS[reason]
    return hold


async def _apply(
    session: AsyncSession,
    hold: _Hold,
    action: RevisionAction,
    values: dict[str, Any],
    *,
    cipher: Cipher | None = None,
    by: Caller | None = None,
    reason: str | None = None,
) -> None:
    row = hold.row
    before = row.text
    if before and cipher:
        words = cipher.decrypt(before, RATING_TEXT.context)
        before = cipher.encrypt(words, REVISION_TEXT.context)
    keeps_text = "text" in values
    await repository.append_revision(
        session,
        {
            "id": new_id(),
            "rating_id": row.id,
            "action": action,
            "state_before": row.state,
            "state_after": values.get("state", row.state),
            "level_before": row.level,
            "level_after": values.get("level", row.level),
            "tags_before": row.tags,
            "text_before": before if keeps_text else None,
            "reason": cipher.encrypt(reason, REVISION_REASON.context)
            if cipher and reason
            else None,
            "actor_id": by.account_id if by else None,
            "actor_name": by.name if by else None,
            "actor_unit": by.unit if by else None,
            "happened_at": hold.at,
        },
    )
    await repository.change(session, row.id, values)


async def _follow(
    session: AsyncSession,
    hold: _Hold,
    level: RatingLevel | None,
    outcome: Outcome,
    settings: EvaluationSettings,
    *,
    by_resident: bool = True,
) -> None:
    """Bring the change into the scores, and open or close what is done about a bad rating."""
    _, after = await evaluables.lock(session, hold.facts.evaluable_id)
    holds = counted(after).current
    if holds is not None and holds.is_bad:
        if level is not None and level.is_bad:
            await rectifications.open_for(
                session,
                hold.facts,
                rating_id=hold.row.id,
                opened_at=hold.at,
                settings=settings,
                by_resident=by_resident,
            )
    else:
        await rectifications.close_for(session, hold.facts.evaluable_id, outcome, at=hold.at)
    scores.touch(session, hold.facts.evaluable_id)
