"""The files of cases: listed, opened by link with a record of who opened, added by a correction."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongUnit
from servicekit.errors import Conflict, Gone, Invalid, NotFound
from servicekit.personal_data import Cipher, record_access
from services.requests.cases import repository as cases
from services.requests.cases.access import actors_of, ensure_may_read
from services.requests.cases.service import CaseNotFound
from services.requests.materials import repository, rules
from services.requests.materials.schemas import FileLink, MaterialFile, OwnMaterial
from services.requests.materials.store import key_bytes
from services.requests.materials.uploads import CONTENT_KEY, FILE_NAME, Files, LinkInvalid
from services.requests.models import ScanState
from services.requests.submissions.standing import speaks_for

#: A link to open a file is for now; nobody keeps it.
LINK_SECONDS = 300


class MaterialNotFound(NotFound):
    code, title = "material-not-found", "没有找到这份材料"


class FileNotScannedYet(Conflict):
    code, title = "file-not-scanned-yet", "文件正在进行安全检查，请稍后再打开"


class FileInfected(Gone):
    code, title = "file-infected", "文件带有病毒，已经清除，请申请人重新提交"


class FileDestroyed(Gone):
    code, title = "file-destroyed", "档案保管期满，文件已经销毁"


class ReasonRequired(Invalid):
    code, title = "reason-required", "请说明打开文件的理由，本人可以看到"


async def list_of_case(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, caller: Caller
) -> list[MaterialFile]:
    """Every file of a case, all versions.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    case, opinions = await _readable(session, case_id, caller)
    with_names = speaks_for(case, caller) or bool(actors_of(case, caller, opinions))
    rows = await repository.list_of_case(session, case_id)
    return [MaterialFile.model_validate(_shown(cipher, row, with_names)) for row in rows]


async def list_own(
    session: AsyncSession, cipher: Cipher, *, caller: Caller, after: UUID | None, limit: int
) -> list[OwnMaterial]:
    """Files of the caller's earlier cases that may be taken over."""
    rows = await repository.list_reusable(session, caller.account_id, after=after, limit=limit)
    return [OwnMaterial.model_validate(_shown(cipher, row, True)) for row in rows]


def _shown(cipher: Cipher, row: Any, with_names: bool) -> dict[str, Any]:
    name = cipher.decrypt(row.file_name, FILE_NAME) if with_names else None
    return dict(row._mapping) | {"file_name": name}


async def open_link(
    session: AsyncSession, files: Files, *, material_id: UUID, caller: Caller, reason: str | None
) -> FileLink:
    """A link to a file for somebody who works on the case, or for the applicant.

    Who opened what and why is written down for the applicant to read.

    Raises:
        MaterialNotFound, WrongPerson, WrongRole, WrongDivision, WrongUnit, ReasonRequired,
        FileNotScannedYet, FileInfected, FileDestroyed: nothing is opened.
    """
    row = await repository.find_material(session, material_id)
    if row is None:
        raise MaterialNotFound
    case, opinions = await _readable(session, row.case_id, caller)
    if not speaks_for(case, caller):
        if not actors_of(case, caller, opinions):
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
            fields=[f"material:{row.code}"],
            reason=reason,
        )
    ensure_may_open(row)
    url, expires = rules.link(
        files.cipher, f"/v1/files/{row.upload_id}", "open", row.upload_id, LINK_SECONDS
    )
    return FileLink(url=url, expires_at=datetime.fromtimestamp(expires, UTC))


def ensure_may_open(row: Any) -> None:
    """Refuse files that are not safe or not there.

    Raises:
        FileNotScannedYet, FileInfected, FileDestroyed.
    """
    if row.scan == ScanState.infected:
        raise FileInfected
    if row.destroyed:
        raise FileDestroyed
    if row.scan == ScanState.pending:
        raise FileNotScannedYet


async def read_file(
    session: AsyncSession, files: Files, *, upload_id: UUID, expires: int, signature: str
) -> tuple[AsyncIterator[bytes], dict[str, str]]:
    """The bytes of a file by its link, and the headers that go with them.

    Raises:
        LinkInvalid, MaterialNotFound, FileInfected, FileDestroyed.
    """
    if not rules.is_ours(files.cipher, "open", upload_id, expires, signature):
        raise LinkInvalid
    row = await repository.find_upload(session, upload_id)
    if row is None:
        raise MaterialNotFound
    if row.scan == ScanState.infected:
        raise FileInfected
    if row.content_key is None:
        raise FileDestroyed
    parts = await repository.list_parts(session, upload_id)
    name = quote(files.cipher.decrypt(row.file_name, FILE_NAME), safe="")
    headers = {
        "content-type": row.media_type,
        "content-length": str(row.size_bytes),
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
    }
    key = key_bytes(files.cipher.decrypt(row.content_key, CONTENT_KEY))
    return files.open_store.read(upload_id, parts, key), headers


async def _readable(
    session: AsyncSession, case_id: UUID, caller: Caller
) -> tuple[Any, Sequence[Any]]:
    """The case, and what units were asked about it: they need its files to answer."""
    case = await cases.find_case(session, case_id)
    if case is None:
        raise CaseNotFound
    opinions = await cases.list_opinions(session, case_id)
    ensure_may_read(case, caller, opinions)
    return case, opinions
