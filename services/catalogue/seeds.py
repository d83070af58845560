"""Everything the catalogue starts with, in the order in which it needs each other."""

from pathlib import Path

from servicekit.database import Database
from services.catalogue.certificates import seed as certificates
from services.catalogue.items import seed as items


async def seed(database: Database, data: Path) -> str:
    """Load the starter data; running it again changes nothing."""
    lines = [await part.seed(database, data) for part in (items, certificates)]
    return "; ".join(lines)
