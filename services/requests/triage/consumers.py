"""Events of the catalogue that say what villages may be handed."""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.catalogue import AdmissionRecorded
from contracts.envelope import Envelope
from services.requests.reference.repository import bump
from services.requests.triage import repository

ADMISSIONS = "admissions"


async def keep_admission(session: AsyncSession, event: AdmissionRecorded, _: Envelope) -> None:
    """Keep the newest state of an item's admission; forms and assessments are no matters of cases."""
    if event.kind != "item" or event.item_code is None:
        return
    await repository.keep_admission(session, event)
    await bump(session, ADMISSIONS)
