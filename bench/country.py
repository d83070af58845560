"""A generated country for the benches of facilities: divisions, figures, places; no real village.

31 provinces, 341 cities, 2 790 counties, 41 850 townships and 620 000 communities by default, as
many as the national list has (2023-06-30: 620 573). Everything is made by PostgreSQL itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.database import Database
from servicekit.migrations import upgrade
from services.facilities.definition import SERVICE
from services.facilities.indicators import definitions
from services.facilities.seed import INDICATORS, TYPES, read_indicators, read_types
from services.facilities.types import service as types
from tests.support.service import settings_for

DATA = Path(__file__).parents[1] / "data"
PROVINCES, CITIES, COUNTIES, TOWNSHIPS = 31, 11, 90, 15
COMMUNITIES = 620_000

_DIVISIONS = """
INSERT INTO division (code, name, level, parent_code, community_kind, source, is_published,
                      version, recorded_at)
SELECT code, level || ' ' || code, level, parent, kind, 'generated', false, 1, now() FROM (
    SELECT rpad(p::text, 12, '0'), 'province', NULL, NULL, 1
    FROM generate_series(11, 10 + {provinces}) p
    UNION ALL
    SELECT rpad(p::text || lpad(c::text, 2, '0'), 12, '0'), 'city', rpad(p::text, 12, '0'), NULL, 2
    FROM generate_series(11, 10 + {provinces}) p, generate_series(1, {cities}) c
    UNION ALL
    SELECT rpad(p::text || lpad((1 + k % {cities})::text, 2, '0') || lpad((k / {cities} + 1)::text, 2, '0'), 12, '0'),
           'county', rpad(p::text || lpad((1 + k % {cities})::text, 2, '0'), 12, '0'), NULL, 3
    FROM generate_series(11, 10 + {provinces}) p, generate_series(0, {counties} - 1) k
) AS made (code, level, parent, kind, step) ORDER BY step, code
"""
_TOWNSHIPS = """
INSERT INTO division (code, name, level, parent_code, source, is_published, version, recorded_at)
SELECT left(county.code, 6) || lpad((99 + t)::text, 3, '0') || '000', '镇 ' || t, 'township',
       county.code, 'generated', false, 1, now()
FROM division AS county, generate_series(1, {townships}) t WHERE county.level = 'county'
"""
_COMMUNITIES = """
INSERT INTO division (code, name, level, parent_code, community_kind, source, is_published,
                      version, recorded_at)
SELECT left(code, 9) || lpad((CASE WHEN urban THEN n + 1 ELSE 200 + n END)::text, 3, '0'),
       '村 ' || n, 'community', code, CASE WHEN urban THEN 'urban_community' ELSE 'village' END,
       'generated', false, 1, now()
FROM (
    SELECT township.code, n, n % 5 = 0 AS urban,
           row_number() OVER (ORDER BY n, township.code) AS position
    FROM division AS township, generate_series(0, {most}) n WHERE township.level = 'township'
) AS made WHERE position <= {communities}
"""
_FIGURES = """
INSERT INTO community_figures (community_code, year, version, households, residents, floor_area_m2,
    workers, certified_workers, social_organisations, is_resettlement, source, recorded_by, recorded_at)
SELECT code, year, 1, 200 + random() * 2000, 600 + random() * 6000, 20000 + random() * 100000,
       5 + random() * 10, random() * 4, CASE WHEN random() < 0.9 THEN random() * 12 END,
       random() < 0.01, 'generated', gen_random_uuid(), now()
FROM division, generate_series(2024, 2025) AS year WHERE level = 'community' AND random() < 0.95
"""
#: Places crowd around township seats, which are spread over the country.
_FACILITIES = """
INSERT INTO facility (id, version, name, facility_type, state, division_code, address,
    total_area_m2, activity_area_m2, latitude, longitude, original_crs, accessibility, weekly_hours,
    recorded_at)
SELECT gen_random_uuid(), 1, 'place ' || number, kind, CASE WHEN random() < 0.95 THEN 'open' ELSE 'planned' END,
       code, 'generated', area, area / 2,
       22 + seat % 200 * 0.115 + (random() + random() - 1) * 0.03,
       98 + seat / 200 * 1.8 + (random() + random() - 1) * 0.03,
       'WGS-84', '{{"ramp": true}}',
       '{{"monday": [{{"opens": "08:30", "closes": "12:00"}}, {{"opens": "14:00", "closes": "18:30"}}]}}', now()
FROM (
    SELECT number, code, abs(hashtext(left(code, 9))) % 4200 AS seat, 100 + random() * 900 AS area,
           (ARRAY['party-mass-service-centre', 'culture-square', 'village-clinic',
                  'supply-cooperative', 'self-service-terminal'])[1 + (random() * 4)::int] AS kind
    FROM (
        SELECT code, generate_series(1, {each}) AS number FROM division WHERE level = 'community'
    ) AS spread WHERE random() < {share}
) AS made
"""


@dataclass(frozen=True, slots=True)
class Country:
    """A database as a service has it, and its address."""

    database: Database
    dsn: str


@asynccontextmanager
async def country(*, communities: int, facilities: int) -> AsyncIterator[Country]:
    """A PostgreSQL of its own with a generated country in it."""
    with TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
        server.start()
        try:
            server.create_database("facilities", "facilities", "bench")
            dsn = server.dsn("facilities", "facilities", "bench")
            upgrade_dsn = dsn.replace("postgresql://", "postgresql+asyncpg://")
            await asyncio.to_thread(upgrade, SERVICE.migrations, upgrade_dsn)
            settings = settings_for(SERVICE.settings, dsn)
            database = Database(settings, application_name="bench")
            try:
                async with database.transaction() as session:
                    await types.load(session, read_types(DATA / TYPES))
                    await definitions.load(session, read_indicators(DATA / INDICATORS))
                await _fill(dsn, communities=communities, facilities=facilities)
                yield Country(database, dsn)
            finally:
                await database.close()
        finally:
            server.remove()


async def _fill(dsn: str, *, communities: int, facilities: int) -> None:
    connection = await asyncpg.connect(dsn, command_timeout=900)
    try:
        townships = PROVINCES * COUNTIES * TOWNSHIPS
        each = -(-facilities // communities)
        values = {
            "provinces": PROVINCES,
            "cities": CITIES,
            "counties": COUNTIES,
            "townships": TOWNSHIPS,
            "communities": communities,
            "most": -(-communities // townships),
            "each": each,
            "share": facilities / (communities * each),
        }
        await connection.execute("SELECT setseed(0.5)")
        for statement in (_DIVISIONS, _TOWNSHIPS, _COMMUNITIES):
            await connection.execute(statement.format(**values))
        await connection.execute(
            "INSERT INTO community SELECT code, now() FROM division WHERE level = 'community'"
        )
        await connection.execute(_FIGURES)
        await connection.execute(_FACILITIES.format(**values))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
