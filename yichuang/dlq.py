"""The commands that list, show, replay and drop dead letters."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError

from yichuang import dead_letters
from yichuang.dead_letters import DeadLetter, NoSuchRecord, NoSuchTopic
from yichuang.environment import bootstrap_servers

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Topic = Annotated[str, typer.Argument(metavar="TOPIC", help="As `yichuang dlq list` shows it.")]
Partition = Annotated[int, typer.Option(min=0, help="Where --offset counts; ours have only 0.")]
All = Annotated[bool, typer.Option("--all", help="Every record.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list")
def list_topics() -> None:
    """Every dead-letter topic with the number of records it holds. Changes nothing."""
    backlogs = _run(dead_letters.list_backlogs(bootstrap_servers()))
    if not backlogs:
        typer.echo("there are no dead-letter topics")
        return
    width = max(len(backlog.topic) for backlog in backlogs)
    for backlog in backlogs:
        held = [
            backlog.held(partition) + (f" of partition {partition}" if partition else "")
            for partition, (first, end) in backlog.offsets.items()
            if end > first
        ]
        typer.echo(f"{backlog.topic:<{width}} {backlog.count:>7}  {', '.join(held)}".rstrip())


@app.command()
def show(
    topic: Topic,
    offset: Annotated[int | None, typer.Option(min=0, help="Only the record at it.")] = None,
    partition: Partition = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the oldest first.")] = 20,
) -> None:
    """Records with their headers, reason, origin and body. Changes nothing.

    Bodies are shown as they are: events carry no personal data.
    """
    servers = bootstrap_servers()
    letters = _run(
        dead_letters.read(servers, topic, partition=partition, offset=offset, limit=limit)
    )
    for letter in letters:
        typer.echo(_described(letter))
    if not letters:
        typer.echo(f"{topic} is empty")


@app.command()
def replay(
    topic: Topic,
    offset: Annotated[int | None, typer.Option(min=0, help="Only the record at it.")] = None,
    partition: Partition = 0,
    everything: All = False,
    even_if_old: Annotated[
        bool,
        typer.Option(
            "--even-if-old",
            help="Also events so old that consumers which handled them have forgotten it and "
            "would handle them again.",
        ),
    ] = False,
) -> None:
    """Send records to the topic they came from, once their cause is gone.

    They keep their id: whoever has handled them sees a duplicate, and the consumer that failed
    tries again. The records stay here until `yichuang dlq drop`; one that fails again comes back.
    """
    _one_of(offset, everything)
    servers = bootstrap_servers()
    letters = _run(dead_letters.read(servers, topic, partition=partition, offset=offset))
    sent, held_back = _run(dead_letters.replay(servers, topic, letters, even_if_old=even_if_old))
    typer.echo(f"{len(sent)} sent to {topic.partition(dead_letters.SEPARATOR)[0]}")
    for letter in held_back:
        typer.echo(
            f"held back: {letter.partition}/{letter.offset}, recorded {letter.header('ce_time')}"
        )
    if held_back:
        typer.echo("Consumers may have forgotten that they handled these; see --even-if-old.")
        raise typer.Exit(1)


@app.command()
def drop(
    topic: Topic,
    offset: Annotated[
        int | None, typer.Option(min=0, help="This record and every one before it.")
    ] = None,
    partition: Partition = 0,
    everything: All = False,
    yes: Yes = False,
) -> None:
    """Delete records for good: all of them, or those up to and with an offset.

    Kafka cannot delete a single record out of the middle: what lies before the offset goes too.
    """
    _one_of(offset, everything)
    what = "every record" if everything else f"every record up to and with offset {offset}"
    if not yes:
        typer.confirm(f"Delete {what} of {topic}?", abort=True)
    servers = bootstrap_servers()
    count = _run(dead_letters.drop(servers, topic, partition=partition, up_to=offset))
    typer.echo(f"{count} dropped")


def _described(letter: DeadLetter) -> str:
    where = f"partition {letter.partition} " if letter.partition else ""
    lines = [f"{where}offset {letter.offset}, buried {letter.buried_at:%Y-%m-%d %H:%M:%S} UTC"]
    lines += [f"  {name}: {_indented(letter.header(name))}" for name, _ in letter.headers]
    lines.append(f"  key: {letter.key.decode('utf-8', 'replace') if letter.key else '-'}")
    lines.append(f"  {_indented(_body(letter.value))}")
    return "\n".join([*lines, ""])


def _indented(value: str | None) -> str:
    return "-" if value is None else value.replace("\n", "\n    ")


def _body(value: bytes | None) -> str:
    if value is None:
        return "(no body)"
    try:
        return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
    except ValueError:
        return f"(not JSON) {value!r}"


def _one_of(offset: int | None, everything: bool) -> None:
    if (offset is None) != everything:
        raise typer.BadParameter("give either --offset or --all")


def _run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what operators can do something about is said in one line."""
    try:
        return asyncio.run(main)
    except (NoSuchTopic, NoSuchRecord) as error:
        raise typer.BadParameter(str(error)) from None
    except (KafkaError, OSError, TimeoutError) as error:
        raise SystemExit(f"Kafka at {bootstrap_servers()}: {error!r}") from None
