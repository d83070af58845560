"""Keeping the list of revoked sessions fresh, and the tables small, beside the API."""

import asyncio
import time

from fastapi import FastAPI

from gateway.identity import Identity
from gateway.metrics import REVOCATIONS_READ_AT
from gateway.sessions import repository
from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger

PURGE_SECONDS = 3600.0
KEYS_CHECK_SECONDS = 30.0


async def refresh_revocations(identity: Identity, database: Database) -> None:
    """Read the sessions revoked within the lifetime of an access token."""
    async with database.reading() as session:
        revoked = await repository.list_revoked(session, within=identity.token_memory)
    identity.revocations.replace((str(session_id) for session_id in revoked), now=time.time())
    REVOCATIONS_READ_AT.set(time.time())


async def keep_revocations_fresh(app: FastAPI) -> None:
    """Read the list again and again; a lost database leaves the last list in force."""
    identity: Identity = app.state.identity
    while True:
        try:
            await refresh_revocations(identity, app.state.database)
        except DATABASE_ERRORS as error:
            logger.warning("revocations_not_read", error=repr(error))
        await asyncio.sleep(identity.settings.revocation_refresh_seconds)


async def keep_tables_small(app: FastAPI) -> None:
    """Delete ended sessions, expired tokens and old codes, once an hour."""
    database: Database = app.state.database
    while True:
        try:
            async with database.transaction() as session:
                deleted = await repository.purge(session)
            if deleted:
                logger.info("identity_purged", rows=deleted)
        except DATABASE_ERRORS as error:
            logger.warning("purge_failed", error=repr(error))
        await asyncio.sleep(PURGE_SECONDS)


async def keep_keys_fresh(app: FastAPI) -> None:
    """Read the signing keys again when their file changed."""
    identity: Identity = app.state.identity
    while True:
        await asyncio.sleep(KEYS_CHECK_SECONDS)
        await asyncio.to_thread(identity.keys.reload)
