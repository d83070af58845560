"""通知书: read and drawn as PDF; with the applicant's name for the applicant, or printed on record."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller, WrongPerson, WrongRole, WrongUnit
from servicekit.errors import NotFound
from servicekit.personal_data import Cipher, record_access
from services.requests.cases.access import actors_of, ensure_may_read
from services.requests.cases.effects import Dossier
from services.requests.cases.service import CaseNotFound
from services.requests.cases.transitions import load_dossier
from services.requests.disclosures.rules import shown, sight_of
from services.requests.documents import repository
from services.requests.documents.rules import TEMPLATES, in_words, paragraphs
from services.requests.documents.schemas import DocumentRead
from services.requests.submissions.reading import person_of
from services.requests.submissions.standing import speaks_for


class DocumentNotFound(NotFound):
    code, title = "document-not-found", "没有找到这份文书"


async def list_documents(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, caller: Caller
) -> list[DocumentRead]:
    """A case's documents as this caller may see them.

    Raises:
        CaseNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    dossier = await _readable(session, case_id, caller)
    name = _name(dossier.case, cipher, caller)
    return [_read(row, name) for row in await repository.list_of_case(session, case_id)]


async def draw(
    session: AsyncSession, cipher: Cipher, *, case_id: UUID, document_id: UUID, caller: Caller
) -> bytes:
    """A document as PDF, with the name masked for staff.

    Raises:
        CaseNotFound, DocumentNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    dossier = await _readable(session, case_id, caller)
    document = await _find(session, case_id, document_id)
    return await _pdf(_read(document, _name(dossier.case, cipher, caller)))


async def print_out(
    session: AsyncSession,
    cipher: Cipher,
    *,
    case_id: UUID,
    document_id: UUID,
    caller: Caller,
    reason: str,
) -> bytes:
    """A document as PDF with the whole name, for whoever works on the case; put on record.

    Raises:
        CaseNotFound, DocumentNotFound, WrongPerson, WrongRole, WrongDivision, WrongUnit.
    """
    dossier = await _readable(session, case_id, caller)
    case = dossier.case
    if caller.is_resident:
        raise WrongRole if speaks_for(case, caller) else WrongPerson
    if not actors_of(case, caller, dossier.opinions):
        raise WrongUnit
    document = await _find(session, case_id, document_id)
    await record_access(
        session,
        subject_id=case.applicant_id,
        viewer_id=caller.account_id,
        viewer_name=caller.name,
        viewer_unit=caller.unit,
        record=f"文书 {document.number}",
        fields=["applicant_name"],
        reason=reason,
    )
    return await _pdf(_read(document, person_of(cipher, case).name))


async def _readable(session: AsyncSession, case_id: UUID, caller: Caller) -> Dossier:
    dossier = await load_dossier(session, case_id, lock=False)
    if dossier is None:
        raise CaseNotFound
    ensure_may_read(dossier.case, caller, dossier.opinions)
    return dossier


async def _find(session: AsyncSession, case_id: UUID, document_id: UUID) -> Any:
    document = await repository.find_document(session, case_id, document_id)
    if document is None:
        raise DocumentNotFound
    return document


def _name(case: Any, cipher: Cipher, caller: Caller) -> str:
    return shown(person_of(cipher, case), sight_of(caller, is_own=speaks_for(case, caller))).name


def _read(row: Any, name: str) -> DocumentRead:
    return DocumentRead(
        id=row.id,
        kind=row.kind,
        title=TEMPLATES[row.kind][row.template].title,
        number=row.number,
        issuer=row.issuer,
        issued_on=row.issued_on,
        paragraphs=paragraphs(row.kind, row.template, row.facts | {"applicant": name}),
    )


async def _pdf(document: DocumentRead) -> bytes:
    # large, and few processes ever need it
    from servicekit.pdf import Document

    drawn = Document(document.title, author=document.issuer, footer=document.number)
    drawn.heading(document.number)
    for text in document.paragraphs:
        drawn.paragraph(text, size=12)
    drawn.signature(document.issuer, in_words(document.issued_on))
    return await drawn.render()
