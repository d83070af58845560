"""The same writes as a real submission, by PostgreSQL's own load generator.

Two submissions are sent and the rows they left are compared: what is the same in both stays as it
is, ids and numbers become counters, times become `now()`. So the scripts follow the schema.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from devstack.postgres import PostgresServer

Row = Mapping[str, Any]
_TABLES = (
    "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
)
_GENERATED = (
    "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 "
    "AND NOT attisdropped AND (attidentity <> '' OR attgenerated <> '')"
)

_REFERENCES = (
    "SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent "
    "FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid"
)

#: Written by triggers on the other tables, in pgbench as in the service.
BY_TRIGGER = {"work_delta"}


@dataclass(frozen=True)
class Sample:
    """The rows one submission left, by table."""

    rows: dict[str, list[Row]]


async def take_sample(
    dsn: str, before: set[tuple[str, str]]
) -> tuple[Sample, set[tuple[str, str]]]:
    """Every row that was not there before; and the set of those that are there now."""
    connection = await asyncpg.connect(dsn)
    try:
        rows: dict[str, list[Row]] = {}
        now = set(before)
        for table in await connection.fetch(_TABLES):
            name = table["name"]
            for row in await connection.fetch(f'SELECT ctid::text AS ctid_, * FROM "{name}"'):
                where = (name, row["ctid_"])
                if where not in before:
                    now.add(where)
                    rows.setdefault(name, []).append(
                        {key: value for key, value in row.items() if key != "ctid_"}
                    )
        return Sample(rows), now
    finally:
        await connection.close()


async def scripts(dsn: str, first: Sample, second: Sample) -> tuple[str, str]:
    """One script with a statement for each row in a transaction, one with a single statement."""
    connection = await asyncpg.connect(dsn)
    try:
        inserts = []
        references: dict[str, set[str]] = {table: set() for table in second.rows}
        for row in await connection.fetch(_REFERENCES):
            if {row["child"], row["parent"]} <= references.keys():
                references[row["child"]].add(row["parent"])
        for table in TopologicalSorter(references).static_order():
            if table in BY_TRIGGER:
                continue
            rows = second.rows[table]
            generated = {row["attname"] for row in await connection.fetch(_GENERATED, table)}
            for mine, other in zip(rows, first.rows.get(table, ()), strict=False):
                inserts.append(_insert(table, mine, other, generated))
    finally:
        await connection.close()
    count = "\\set n :n + 1\n"
    transaction = count + "\n".join(["BEGIN;", *(f"{each};" for each in inserts), "END;\n"])
    parts = [f"w{number} AS ({each})" for number, each in enumerate(inserts[:-1])]
    single = f"{count}WITH {', '.join(parts)} {inserts[-1]};\n"
    return transaction, single


def _insert(table: str, mine: Row, other: Row, generated: set[str]) -> str:
    names = [name for name in mine if name not in generated]
    values = [_literal(mine[name], differs=mine[name] != other[name]) for name in names]
    return f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({", ".join(values)})'


def _literal(value: Any, *, differs: bool) -> str:
    """SQL of a value; one that differs between submissions grows with the client's counter."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, UUID):
        return _counted_uuid(value) if differs else f"'{value}'"
    if isinstance(value, datetime):
        return "now()" if differs else _quoted(value.isoformat())
    if isinstance(value, int | float | date):
        return f"'{value}'"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    text = value if isinstance(value, str) else json.dumps(value)
    if differs and len(text) <= 64:
        return f"{_quoted(text[:-1])} || '-' || :client_id || '-' || :n"
    return _quoted(text)


def _quoted(text: str) -> str:
    """A literal without colons, which pgbench would take for variables."""
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{escaped}'"


def _counted_uuid(value: UUID) -> str:
    """Ids of one submission stay apart by their own first part and grow like time-ordered ones."""
    own = f"{value.int & 0xFFFF:04x}"
    return (
        "('00000000-0000-7000-8' || lpad(to_hex(:client_id::int), 3, '0') || '-' || "
        f"lpad(to_hex(:n::int), 8, '0') || '{own}')::uuid"
    )


@dataclass(frozen=True)
class Result:
    """What pgbench said."""

    transactions_per_second: float
    count: int


def run(
    server: PostgresServer, dsn: str, script: Path, *, clients: int, seconds: int, first: int
) -> Result:
    """Run one script from so many connections; `first` keeps the ids of runs apart.

    Raises:
        RuntimeError: a transaction failed.
    """
    command = [
        server.program("pgbench"), "--no-vacuum", "--protocol=prepared", "--jobs=2",
        f"--client={clients}", f"--time={seconds}", f"--define=n={first}", f"--file={script}", dsn,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    said = done.stdout + done.stderr
    rate = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
    count = re.search(r"actually processed: ([0-9]+)", said)
    if done.returncode or not rate or not count:
        raise RuntimeError(f"pgbench failed: {said[-2000:]}")
    return Result(float(rate[1]), int(count[1]))
