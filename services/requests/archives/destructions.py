"""销毁: proposed by one, carried out by another, never without proof of what was destroyed."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Forbidden, NotFound
from servicekit.etags import StaleVersion
from servicekit.identifiers import new_id
from servicekit.personal_data import Cipher
from servicekit.timers import set_timer
from services.requests.archives import repository, rules
from services.requests.archives.schemas import DestructionCreate
from services.requests.archives.service import today
from services.requests.materials.erasing import ERASE
from services.requests.materials.repository import forget_content, rename
from services.requests.materials.uploads import FILE_NAME
from services.requests.metrics import ARCHIVES
from services.requests.submissions.matters import ANSWERS
from services.requests.submissions.service import IDENTITY, MOBILE, NAME

#: What stands where a person was.
ERASED = "已销毁"


class DestructionNotFound(NotFound):
    code, title = "destruction-not-found", "没有这份销毁清册"


class NothingExpired(Conflict):
    code, title = "nothing-expired", "这个区域没有保管期满的档案"


class SamePerson(Forbidden):
    code, title = "same-person", "提出销毁的人不能自己审批"


class DecidedAlready(Conflict):
    code, title = "decided-already", "这份销毁清册已经处理"


class NoLongerExpired(Conflict):
    code, title = "no-longer-expired", "清册中有档案已重新办理或已销毁，请重新提出"


async def propose(session: AsyncSession, body: DestructionCreate, caller: Caller) -> Any:
    """List what may be destroyed for somebody else to decide on.

    Raises:
        WrongDivision, NothingExpired.
    """
    caller.ensure_covers(body.division_code)
    archives = await repository.list_expired(
        session, body.division_code, today=today(), limit=body.limit
    )
    if not archives:
        raise NothingExpired
    destruction_id = new_id()
    await repository.insert_destruction(
        session,
        {
            "id": destruction_id,
            "division_code": body.division_code,
            "state": "proposed",
            "basis": body.basis,
            "archives": archives,
            "proposed_by": caller.account_id,
            "proposed_name": caller.name,
            "proposed_at": datetime.now(UTC),
        },
    )
    return await repository.find_destruction(session, destruction_id, lock=False)


async def get(session: AsyncSession, destruction_id: UUID, caller: Caller) -> Any:
    """A destruction.

    Raises:
        DestructionNotFound, WrongDivision.
    """
    found = await repository.find_destruction(session, destruction_id, lock=False)
    if found is None:
        raise DestructionNotFound
    caller.ensure_covers(found.division_code)
    return found


async def decide(
    session: AsyncSession,
    cipher: Cipher,
    *,
    destruction_id: UUID,
    expected_version: int,
    caller: Caller,
    approve: bool,
) -> Any:
    """Carry a proposal out, or reject it.

    The names and keys of files, the answers, whatever was written about the case and, where nothing
    else of the request is left, the person are gone with the commit; the bytes of files follow at
    once. What stays is numbers, dates, units and seals.

    Raises:
        DestructionNotFound, WrongDivision, SamePerson, StaleVersion, DecidedAlready,
        NoLongerExpired: nothing is destroyed.

    Concurrency: locks the proposal, the seals and the cases.
    """
    found = await repository.find_destruction(session, destruction_id, lock=True)
    if found is None:
        raise DestructionNotFound
    caller.ensure_covers(found.division_code)
    if found.version != expected_version:
        raise StaleVersion
    if found.state != "proposed":
        raise DecidedAlready
    if approve and found.proposed_by == caller.account_id:
        raise SamePerson
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "state": "done" if approve else "rejected",
        "version": found.version + 1,
        "decided_by": caller.account_id,
        "decided_name": caller.name,
        "decided_at": now,
    }
    if approve:
        await _destroy(session, cipher, found, now)
        values["proof"] = rules.proof_of(found.archives, str(caller.account_id), now.isoformat())
    await repository.update_destruction(session, destruction_id, values)
    session.expire(found)
    return await repository.find_destruction(session, destruction_id, lock=False)


async def _destroy(session: AsyncSession, cipher: Cipher, found: Any, now: datetime) -> None:
    case_ids = [UUID(archive["case_id"]) for archive in found.archives]
    if await repository.still_expired(session, case_ids, today()) != set(case_ids):
        raise NoLongerExpired
    await repository.mark_destroyed(session, case_ids, found.id, now)
    uploads = await repository.list_uploads_only_of(session, case_ids)
    if uploads:
        await forget_content(session, uploads)
        await rename(session, uploads, cipher.encrypt(ERASED, FILE_NAME))
        for upload_id in uploads:
            await set_timer(session, ERASE, upload_id, now)
    await repository.erase(
        session,
        case_ids,
        answers=cipher.encrypt("{}", ANSWERS),
        person={
            "name": cipher.encrypt(ERASED, NAME),
            "identity": cipher.encrypt(ERASED, IDENTITY),
            "mobile": cipher.encrypt(ERASED, MOBILE),
        },
    )
    ARCHIVES.labels("destroyed").inc(len(case_ids))
