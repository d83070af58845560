"""One image, a few commands: `python -m services.x api|worker|migrate|seed|rebuild|rotate-keys`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvicorn
from fastapi import FastAPI

from contracts.topics import TOPICS, Topic, dead_letter_topic
from servicekit.app import create_cipher, write_openapi
from servicekit.database import Database
from servicekit.health import MetricsServer
from servicekit.logging import configure_logging
from servicekit.personal_data import EncryptedColumn, is_rotated, rotate
from servicekit.server import OneWriteProtocol
from servicekit.settings import ServiceSettings
from servicekit.tracing import configure_tracing

if TYPE_CHECKING:
    from servicekit.rebuild import Projection
    from servicekit.worker import WorkerParts

Seed = Callable[[Database, Path], Awaitable[str]]
#: How long a key rotation waits for rows that others hold before it looks again.
HELD_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """Everything the commands need to know of a service."""

    name: str
    title: str
    settings: type[ServiceSettings]
    create_app: Callable[..., FastAPI]
    #: Package of the migration chain.
    migrations: str
    create_worker: "Callable[[ServiceSettings], WorkerParts] | None" = None
    #: Topics this service publishes on.
    publishes: Sequence[str] = ()
    #: Loads reference data from the repository's data directory; returns a line to print.
    seed: Seed | None = None
    #: Local copies that can be rebuilt from a compacted topic, by name.
    projections: "Callable[[], Mapping[str, Projection]]" = dict
    encrypted: Sequence[EncryptedColumn] = ()


def late(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is imported by the first call.

    A process then holds only what its own command needs: an API no consumers and no Kafka client,
    a worker no endpoints (ADR 0049).
    """
    return lambda *arguments, **more: getattr(import_module(module), name)(*arguments, **more)


def load_service(name: str) -> Service:
    """The definition of a service, or of the gateway, by its name."""
    package = "gateway" if name == "gateway" else f"services.{name}"
    service: Service = import_module(f"{package}.definition").SERVICE
    return service


def run_command(service: Service) -> None:
    """The command line of `python -m services.<name>`."""
    command_line(service)(prog_name=f"python -m {service.migrations.rpartition('.')[0]}")


def command_line(service: Service) -> typer.Typer:
    """Build the commands of a service."""
    app = typer.Typer(
        help=service.title,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # they show local variables, and with them secrets
    )

    @app.command(help="Answer HTTP requests.")
    def api() -> None:
        settings = _start(service, "api")
        _serve(service, settings)

    @app.command(help="Apply the migrations and create the topics.")
    def migrate() -> None:
        settings = _start(service, "migrate")
        # Alembic takes half a second to import; no other command needs it.
        migrations = import_module("servicekit.migrations")
        migrations.upgrade(service.migrations, settings.sqlalchemy_url)
        if settings.kafka_bootstrap_servers:
            create_topics = import_module("servicekit.bus").create_topics
            asyncio.run(create_topics(settings.kafka_bootstrap_servers, _topics(service, settings)))

    if service.create_worker is not None:
        _add_worker_commands(app, service)
    if service.encrypted:

        @app.command("rotate-keys", help="Re-encrypt personal data under the current key, online.")
        def rotate_keys() -> None:
            settings = _start(service, "rotate-keys")
            sys.stdout.write(asyncio.run(_rotate(service, settings)) + "\n")

    return app


def _add_worker_commands(app: typer.Typer, service: Service) -> None:
    create_worker = service.create_worker
    assert create_worker is not None

    @app.command(help="Relay events, consume events, fire timers.")
    def worker() -> None:
        settings = _start(service, "worker")
        parts = create_worker(settings)
        run_worker = import_module("servicekit.worker").run_worker
        _run(run_worker(service.name, settings, parts, migrations=service.migrations))

    if service.seed is not None:
        load = service.seed

        @app.command(help="Load the reference data that ships with the product.")
        def seed(
            data: Annotated[Path, typer.Option(help="Directory of the data.")] = Path("data"),
        ) -> None:
            settings = _start(service, "seed")
            sys.stdout.write(asyncio.run(_seed(service, settings, load, data)) + "\n")

    if service.projections is not dict:

        @app.command("rebuild", help="Rebuild a local copy from its compacted topic.")
        def rebuild_projection(
            projection: Annotated[str, typer.Argument(help="Its name; a wrong one lists all.")],
        ) -> None:
            settings = _start(service, "rebuild")
            known = service.projections()
            if projection not in known:
                raise typer.BadParameter(f"one of {', '.join(known)}")
            report = asyncio.run(_rebuild(service, settings, known[projection]))
            sys.stdout.write(report + "\n")


def _start(service: Service, process: str) -> ServiceSettings:
    settings = service.settings.load()
    configure_logging(
        service=service.name,
        process=process,
        level=settings.log_level,
        log_format=settings.log_format,
    )
    configure_tracing(settings, service=service.name, process=process)
    return settings


def _run(main: "asyncio.Future[None] | Awaitable[None]") -> None:
    uvloop = import_module("uvloop")
    uvloop.run(main)


def _serve(service: Service, settings: ServiceSettings) -> None:
    metrics = MetricsServer(settings.http_host, settings.metrics_port)
    metrics.start()
    app = service.create_app(settings)
    if isinstance(app, FastAPI):  # the gateway is none, and writes the documents of all
        write_openapi(app)
    uvicorn.run(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http=OneWriteProtocol,
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        # Longer than any caller keeps an idle connection, so that none is closed under a request.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    metrics.stop()


def _topics(service: Service, settings: ServiceSettings) -> list[Topic]:
    topics = [TOPICS[name] for name in service.publishes]
    if service.create_worker is not None:
        for subscription in service.create_worker(settings).subscriptions:
            for name in subscription.topics:
                topics += [TOPICS[name], dead_letter_topic(name, subscription.group)]
    return list({topic.name: topic for topic in topics}.values())


async def _seed(service: Service, settings: ServiceSettings, load: Seed, data: Path) -> str:
    database = Database(settings, application_name=f"{service.name}.seed")
    try:
        return await load(database, data)
    finally:
        await database.close()


async def _rebuild(service: Service, settings: ServiceSettings, projection: "Projection") -> str:
    database = Database(settings, application_name=f"{service.name}.rebuild")
    try:
        rebuild = import_module("servicekit.rebuild").rebuild
        report: str = await rebuild(projection, database, settings.kafka_bootstrap_servers)
        return report
    finally:
        await database.close()


async def _rotate(service: Service, settings: ServiceSettings) -> str:
    database = Database(settings, application_name=f"{service.name}.rotate")
    cipher = create_cipher(settings)
    total = 0
    try:
        for column in service.encrypted:
            after: object = None
            while True:
                async with database.transaction() as session:
                    renewed = await rotate(session, cipher, column, after=after)
                total += len(renewed)
                if renewed:
                    after = renewed[-1]
                    continue
                async with database.reading() as session:
                    if await is_rotated(session, cipher, column):
                        break
                after = None
                await asyncio.sleep(HELD_SECONDS)  # somebody holds what is left
    finally:
        await database.close()
    return f"{service.name}: {total} values re-encrypted under {settings.data_key_id}"
