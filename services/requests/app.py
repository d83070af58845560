"""The API process of the requests service."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from servicekit.app import background, create_service_app
from servicekit.auth import TokenVerifier
from servicekit.group_writer import GroupWriter
from servicekit.middleware import Upload
from servicekit.refreshed import Refreshed
from services.requests.archives.endpoints import router as archives
from services.requests.cases.action_endpoints import router as case_actions
from services.requests.cases.endpoints import router as cases
from services.requests.changes.endpoints import router as changes
from services.requests.claims.endpoints import router as claims
from services.requests.clock.endpoints import router as calendar
from services.requests.clock.sheets import FORMATS as CALENDAR_FORMATS
from services.requests.clock.sheets import LIMIT_BYTES as CALENDAR_LIMIT
from services.requests.disclosures.endpoints import router as disclosures
from services.requests.documents.endpoints import router as documents
from services.requests.drafts.endpoints import router as drafts
from services.requests.materials.endpoints import router as materials
from services.requests.materials.parts import open_files
from services.requests.people.endpoints import router as people
from services.requests.reference.service import Reference, refreshed
from services.requests.routing.endpoints import router as routing
from services.requests.routing.rule_set_endpoints import router as routing_rules
from services.requests.settings import RequestsSettings
from services.requests.submissions.endpoints import router as submissions
from services.requests.submissions.numbers import NumberAllocator
from services.requests.submissions.service import Intake
from services.requests.submissions.statement import insert_submissions
from services.requests.supervision.endpoints import router as supervision
from services.requests.worklists.endpoints import router as worklists

#: A piece of a file; how large the file may be is checked against what was announced.
_CALENDAR = re.compile(r"/v1/calendar/[0-9]{4}/sheets")
_PIECE = re.compile(r"/v1/uploads/[0-9a-f-]{36}")


@asynccontextmanager
async def _reference(app: FastAPI) -> AsyncIterator[None]:
    """Hold the reference data; without it nothing can be checked, so start-up waits for it."""
    app.state.reference = refreshed(app.state.database)
    await app.state.reference.refresh()
    yield


async def _keep_fresh(app: FastAPI) -> None:
    held: Refreshed[Reference] = app.state.reference
    await held.run()


@asynccontextmanager
async def _intake(app: FastAPI) -> AsyncIterator[None]:
    """Hold what intake works with; finish what was taken in before leaving."""
    settings: RequestsSettings = app.state.settings
    pool = await app.state.database.create_pool(size=settings.intake_connections)
    writer = GroupWriter(partial(insert_submissions, pool))
    app.state.intake = Intake(
        pool, writer, NumberAllocator(pool), app.state.cipher, settings.office_closes_at
    )
    try:
        yield
    finally:
        await writer.close()
        await pool.close()


@asynccontextmanager
async def _files(app: FastAPI) -> AsyncIterator[None]:
    app.state.files = open_files(app.state.settings, app.state.cipher)
    yield


def create_app(settings: RequestsSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    """Put the API together."""
    return create_service_app(
        "requests",
        settings,
        title="申请与办件",
        routers=[
            claims,
            submissions,
            drafts,
            materials,
            archives,
            people,
            cases,
            worklists,
            changes,
            case_actions,
            documents,
            disclosures,
            routing,
            routing_rules,
            calendar,
            supervision,
        ],
        parts=[_reference, background(_keep_fresh), _intake, _files],
        verifier=verifier,
        migrations="services.requests.migrations",
        uploads=[
            Upload(_PIECE, ("application/offset+octet-stream",), settings.file_limit_bytes),
            Upload(_CALENDAR, tuple(CALENDAR_FORMATS), CALENDAR_LIMIT),
        ],
    )
