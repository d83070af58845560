"""The API process of the sample service."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Response
from pydantic import BaseModel, Field
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from servicekit.app import create_router, create_service_app
from servicekit.auth import Caller, MaybeCaller, SignedIn, TokenVerifier, require
from servicekit.database import ReadSession
from servicekit.errors import Conflict, NotFound
from servicekit.etags import ExpectedVersion, StaleVersion, set_etag
from servicekit.idempotency import Session, UnkeyedSession
from servicekit.identifiers import new_id
from servicekit.imports import import_router, import_upload
from servicekit.outbox import record
from tests.servicekit.sample.events import NoteWritten
from tests.servicekit.sample.imports import NoteRows
from tests.servicekit.sample.models import Note
from tests.servicekit.sample.settings import SampleSettings

router = create_router("notes")
note_imports = import_router(
    "note-imports",
    kind="notes",
    presets=NoteRows.presets,
    uploaders=("editor",),
    readers=("auditor",),
)


class TitleTaken(Conflict):
    code, title = "title-taken", "标题已存在"


class NoteNotFound(NotFound):
    code = "note-not-found"


class NoteCreate(BaseModel):
    title: str = Field(min_length=1, max_length=50)


class NoteRead(BaseModel):
    id: UUID
    title: str
    version: int


@router.post("/notes", status_code=201)
async def write_note(
    body: NoteCreate, caller: SignedIn, session: Session, response: Response
) -> NoteRead:
    note = await _write(session, body.title)
    set_etag(response, note.version)
    response.headers["Location"] = f"/v1/notes/{note.id}"
    return note


@router.post("/notes-of-anybody", status_code=201)
async def write_without_a_name(body: NoteCreate, caller: MaybeCaller, session: Session) -> NoteRead:
    return await _write(session, body.title)


@router.post("/keys-of-notes", status_code=201)
async def write_with_a_secret(body: NoteCreate, session: UnkeyedSession) -> dict[str, str]:
    note = await _write(session, body.title)
    return {"secret": f"of {note.id}"}


async def _write(session: AsyncSession, title: str) -> NoteRead:
    note = NoteRead(id=new_id(), title=title, version=1)
    await session.execute(insert(Note).values(**note.model_dump()))
    await record(session, NoteWritten(note_id=note.id, title=note.title))
    return note


@router.get("/notes/{note_id}")
async def read_note(note_id: UUID, session: ReadSession, response: Response) -> NoteRead:
    columns = (col(Note.id), col(Note.title), col(Note.version))
    row = (await session.execute(select(*columns).where(columns[0] == note_id))).one_or_none()
    if row is None:
        raise NoteNotFound
    set_etag(response, row.version)
    return NoteRead.model_validate(row, from_attributes=True)


@router.patch("/notes/{note_id}")
async def rename_note(
    note_id: UUID, body: NoteCreate, expected: ExpectedVersion, session: Session
) -> NoteRead:
    changed = await session.execute(
        update(Note)
        .where(col(Note.id) == note_id, col(Note.version) == expected)
        .values(title=body.title, version=expected + 1)
        .returning(col(Note.id))
    )
    if changed.first() is None:
        raise StaleVersion
    return NoteRead(id=note_id, title=body.title, version=expected + 1)


@router.get("/notes-of-staff")
async def staff_only(caller: Annotated[Caller, Depends(require("window-clerk"))]) -> dict[str, str]:
    return {"name": caller.name or ""}


@router.get("/stray-write")
async def stray_write(session: ReadSession) -> None:
    await session.execute(insert(Note).values(id=new_id(), title="stray", version=1))


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError("a secret that must not leave")


def create_app(settings: SampleSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    return create_service_app(
        "sample",
        settings,
        title="样例",
        routers=[router, note_imports],
        uploads=[import_upload("note-imports")],
        constraints={"uq_note_title": TitleTaken},
        verifier=verifier,
        migrations="tests.servicekit.sample.migrations",
    )
