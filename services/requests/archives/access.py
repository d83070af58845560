"""Who may see and take away what of archives."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongDivision, WrongUnit
from servicekit.personal_data import Cipher, record_access
from services.requests.archives import repository, service
from services.requests.archives.export import bundle
from services.requests.archives.schemas import ArchiveRead
from services.requests.cases import repository as cases
from services.requests.cases.access import actors_of, ensure_may_read
from services.requests.cases.service import CaseNotFound
from services.requests.materials.repository import list_parts
from services.requests.materials.service import ReasonRequired
from services.requests.materials.uploads import Files
from services.requests.submissions.standing import speaks_for


def division_of(caller: Caller) -> str:
    """The division somebody oversees.

    Raises:
        WrongDivision: they oversee none.
    """
    if caller.division is None:
        raise WrongDivision
    return caller.division


async def read_archive(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, caller: Caller
) -> ArchiveRead:
    """A case's newest seal, held against the case.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision, ArchiveNotFound.
    """
    await _readable(session, case_id, caller)
    checked = await service.check(session, cipher, case_id)
    archive = checked.archive
    fields = {name: getattr(archive, name) for name in _SHOWN}
    return ArchiveRead(
        **fields,
        parts=archive.manifest["parts"],
        before=archive.manifest["before"],
        condition=checked.condition,
        changed=checked.changed,
    )


_SHOWN = (
    "case_id", "sequence", "digest", "case_version", "closed_on", "sealed_at", "retention",
    "retain_until", "destroyed_at",
)  # fmt: skip


async def export(
    session: AsyncSession,
    cipher: Cipher,
    files: Files,
    *,
    case_id: UUID,
    caller: Caller,
    reason: str | None,
) -> AsyncIterator[bytes]:
    """The whole of a case as a ZIP file, for the applicant or somebody who works on it.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision, WrongUnit, ReasonRequired.
    """
    case = await _readable(session, case_id, caller)
    if not speaks_for(case, caller):
        if not actors_of(case, caller):
            raise WrongUnit
        if reason is None:
            raise ReasonRequired
        await record_access(
            session,
            subject_id=case.applicant_id,
            viewer_id=caller.account_id,
            viewer_name=caller.name,
            viewer_unit=caller.unit,
            record=f"办件 {case.case_number}",
            fields=["export"],
            reason=reason,
        )
    contents = await service.load(session, cipher, case_id)
    assert contents is not None
    sealed = await repository.find_newest(session, case_id)
    checked = await service.check(session, cipher, case_id) if sealed else None
    uploads = {each["upload_id"] for each in contents.materials}
    parts = {upload_id: await list_parts(session, upload_id) for upload_id in uploads}
    return bundle(contents, checked, files, cipher, parts)


async def _readable(session: AsyncSession, case_id: UUID, caller: Caller) -> Any:
    case = await cases.find_case(session, case_id)
    if case is None:
        raise CaseNotFound
    ensure_may_read(case, caller)
    return case
