"""`yichuang`: what operators do by hand. Every command says in its help what it changes."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.personal_data import UndecryptableData
from servicekit.process import Service, command_line
from yichuang import divisions, dlq, health, outbox
from yichuang.environment import (
    NotConfigured,
    is_configured,
    load_environment,
    service_named,
    service_names,
    settings_of,
)

app = typer.Typer(
    help=__doc__,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they show local variables, and with them secrets
    rich_markup_mode=None,
)
app.add_typer(divisions.app, name="divisions", help="The national list of divisions.")
app.add_typer(dlq.app, name="dlq", help="Dead letters: events a consumer group could not handle.")
outbox_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(outbox_app, name="outbox", help="Events that wait to be sent to Kafka.")
keys_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys_app, name="keys", help="Keys under which personal data is encrypted.")

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="catalogue, requests, …")]


@app.callback()
def configure(
    env_file: Annotated[
        Path | None, typer.Option(help="Read settings from NAME=value lines in this file.")
    ] = None,
) -> None:
    """Find the settings before any command runs."""
    told = load_environment(env_file)
    if told:
        typer.echo(told, err=True)


@outbox_app.command("status")
def outbox_status() -> None:
    """How many events wait in each service's outbox, and how old the oldest is.

    A healthy one is empty or holds events of the last second. Ends with 1 when a database does
    not answer.
    """
    services = [service_named(name) for name in service_names() if is_configured(name)]
    publishers = [service for service in services if service.publishes]
    if not publishers:
        settings_of(service_named("requests"))  # says what is missing
    databases = [(service.name, settings_of(service).dsn) for service in publishers]
    statuses = asyncio.run(outbox.status_of(databases))
    typer.echo(f"{'service':<12} {'waiting':>8}  oldest")
    for status in statuses:
        if status.problem:
            typer.echo(f"{status.service:<12} {'?':>8}  {status.problem}")
        else:
            oldest = f"{status.oldest_seconds:.0f} s" if status.depth else "-"
            typer.echo(f"{status.service:<12} {status.depth:>8}  {oldest}")
    if any(status.problem for status in statuses):
        raise typer.Exit(1)


@app.command()
def rebuild(
    service: ServiceName,
    projection: Annotated[
        str | None, typer.Argument(help="Omit it to see which there are.")
    ] = None,
) -> None:
    """Rebuild a service's local copy from its compacted topic, in one transaction.

    The service goes on reading the old copy until the new one is complete.
    """
    definition = service_named(service)
    if projection is None:
        typer.echo("\n".join(definition.projections()) or f"{service} keeps no copies")
        return
    if projection not in definition.projections():
        known = ", ".join(definition.projections()) or "none"
        raise typer.BadParameter(f"{service} has no projection {projection!r}; it has: {known}")
    if not settings_of(definition).kafka_bootstrap_servers:
        raise NotConfigured(f"{service.upper()}_KAFKA_BOOTSTRAP_SERVERS is missing")
    _run(definition, "rebuild", projection)


@keys_app.command("rotate")
def rotate_keys(
    service: Annotated[str | None, typer.Argument(help="One service instead of all.")] = None,
) -> None:
    """Re-encrypt personal data under the current key, while the service runs.

    First give every process the new key in <SERVICE>_DATA_KEYS and name it in
    <SERVICE>_DATA_KEY_ID; after this command the old key can go.
    """
    if service is not None:
        chosen = [service_named(service)]
        if not chosen[0].encrypted:
            raise typer.BadParameter(f"{service} keeps no encrypted data")
    else:
        everything = [service_named(name) for name in service_names()]
        chosen = [each for each in everything if each.encrypted and is_configured(each.name)]
        if not chosen:
            settings_of(service_named("requests"))  # says what is missing
    for each in chosen:
        settings_of(each)
    for each in chosen:
        _run(each, "rotate-keys")


def _run(service: Service, *arguments: str) -> None:
    """Run one of a service's own commands in this process."""
    try:
        command_line(service)(list(arguments), standalone_mode=False)
    except UndecryptableData as error:
        raise SystemExit(f"{service.name}: {error}; old keys must stay until all is done") from None
    except (KafkaError, OSError) as error:
        raise SystemExit(f"{service.name}: {error!r}") from None


@app.command()
def recount() -> None:
    """Count every score of evaluation anew from its ratings, and put right what differs.

    Goes in small steps while people rate and workers run; stopped early, the workers finish it. Ends
    with 1 when something differed: then see `/v1/score-recounts/{id}/differences`.
    """
    # The service behind it takes half a second to import.
    from yichuang import recount as recounting

    settings = settings_of(service_named("evaluation"))
    database = Database(settings, application_name="evaluation.recount")
    try:
        ended = asyncio.run(recounting.recount(database, partial(typer.echo, err=True)))
    except DATABASE_ERRORS as error:
        raise SystemExit(f"evaluation: {error!r}; the same command goes on with it") from None
    typer.echo(
        f"{ended.services} services compared, {ended.services_corrected} corrected; "
        f"scores of {ended.subjects_corrected} subjects corrected (recount {ended.id})"
    )
    if ended.services_corrected or ended.subjects_corrected:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """What this machine has for the development stack, what is missing, and how to get it.

    With a stack running, also whether each of its processes is ready. Changes nothing. Ends with 1
    when something is missing.
    """
    machine_is_fit = _examine_machine()
    processes = [
        process
        for name in service_names()
        if is_configured(name)
        for definition in [service_named(name)]
        for process in health.addresses(
            name, settings_of(definition), has_worker=definition.create_worker is not None
        )
    ]
    answers = asyncio.run(health.readiness_of(processes))
    for answer in answers:
        state = "ok" if answer.reason is None else "down"
        typer.echo(f"{state:<8} {answer.process}: {answer.reason or 'ready'} ({answer.address})")
    if not processes:
        typer.echo("No stack is configured here; `make run` starts one.")
    if not machine_is_fit or any(answer.reason for answer in answers):
        raise typer.Exit(1)


def _examine_machine() -> bool:
    try:
        from devstack.doctor import examine, passes  # not in the image that runs in production
    except ModuleNotFoundError:
        typer.echo("The development stack is not part of this installation.")
        return True
    findings = examine()
    for finding in findings:
        typer.echo(f"{finding.state:<8} {finding.subject}: {finding.detail}")
        if finding.advice:
            typer.echo(f"{'':<8} {finding.advice}")
    return passes(findings)


@app.command()
def revision(
    service: ServiceName,
    message: Annotated[str, typer.Argument(help="What it does: Add hours to facilities.")],
) -> None:
    """Draft a migration: what the service's tables have and its migrations do not.

    Read and complete it before committing: CHECK constraints and data are not compared.
    """
    migrations = service_named(service).migrations
    try:
        from yichuang.revision import draft  # needs the development stack's PostgreSQL
    except ModuleNotFoundError as error:
        raise SystemExit(f"a draft needs the development stack: {error}") from None
    path = draft(migrations, message)
    typer.echo(path or f"{service}: the migrations build what the tables say; nothing to draft")
