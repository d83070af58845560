"""What the commands and tests know of the sample service."""

from pathlib import Path

from sqlalchemy import insert

from servicekit.database import Database
from servicekit.personal_data import EncryptedColumn
from servicekit.process import Service
from tests.servicekit.sample.app import create_app
from tests.servicekit.sample.models import Effect
from tests.servicekit.sample.settings import SampleSettings
from tests.servicekit.sample.worker import PROJECTIONS, create_worker

SECRET = EncryptedColumn("note", "secret")


async def seed(database: Database, data: Path) -> str:
    async with database.transaction() as session:
        await session.execute(insert(Effect).values(subject="seed", what=data.name))
    return "1 row"


SERVICE = Service(
    name="sample",
    title="样例",
    settings=SampleSettings,
    create_app=create_app,
    migrations="tests.servicekit.sample.migrations",
    create_worker=create_worker,
    seed=seed,
    projections=lambda: PROJECTIONS,
    encrypted=[SECRET],
)
