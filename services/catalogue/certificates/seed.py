"""Loads the certificate lists that ship with the product; running it again changes nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import Database
from servicekit.identifiers import new_id
from services.catalogue.certificates import repository
from services.catalogue.certificates.schemas import EntryContent, Instead
from services.catalogue.models import ListKind

SEED = "seed"
FILES = {"not-issued.yaml": ListKind.not_issued, "issued.yaml": ListKind.issued}


async def seed(database: Database, data: Path) -> str:
    """Record the lists of `certificates/` that are not there; returns a line that says so."""
    directory = data / "certificates"
    instead = {
        each.pop("name"): Instead(**each, provisional=True)
        for each in _load(directory / "instead.yaml")
    }
    added = 0
    async with database.transaction() as session:
        for name, kind in FILES.items():
            known: dict[str, list[EntryContent]] = {}
            for raw in _load(directory / name):
                entries = _entries(raw, known, instead if kind is ListKind.not_issued else {})
                known[raw["list"]] = entries
                added += await _keep(session, kind, raw, entries)
    return f"{added} certificate lists added"


def _load(path: Path) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def _entries(
    raw: dict[str, Any], known: dict[str, list[EntryContent]], instead: dict[str, Instead]
) -> list[EntryContent]:
    """The entries of a list; some are told only by how they differ from another list."""
    if "based_on" in raw:
        renamed = {each["from"]: each["to"] for each in raw["renamed"]}
        names = [
            (renamed.get(each.name, each.name), each.also_known_as)
            for each in known[raw["based_on"]["list"]]
            if each.name not in raw["removed"]
        ]
        names += [(name, ()) for name in raw["added"]]
    else:
        names = [(each["name"], tuple(each.get("also_known_as", ()))) for each in raw["items"]]
    return [
        EntryContent(name=name, also_known_as=others, instead=instead.get(name))
        for name, others in names
    ]


async def _keep(
    session: AsyncSession, kind: ListKind, raw: dict[str, Any], entries: list[EntryContent]
) -> int:
    newest = await repository.lock_newest(session, raw["list"])
    if newest is not None and newest.version >= raw["version"]:
        return 0
    await repository.add_list(
        session,
        {
            "id": new_id(),
            "code": raw["list"],
            "kind": kind,
            "division_code": raw["division"],
            "name": raw["name"],
            "version": raw["version"],
            "document": raw["document"],
            "source": raw["source"],
            "provisional": True,
            # Only the year is known: in force from its first day, and said to be provisional.
            "effective_from": date(raw["issued"], 1, 1),
            "recorded_by": SEED,
        },
        [entry.model_dump(mode="json") for entry in entries],
    )
    return 1
