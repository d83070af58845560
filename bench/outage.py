"""Whether intake answers as fast with everything else stopped.

`python -m bench.outage` starts a whole stack, then takes turns: submissions with everything
running, and with Kafka, catalogue, facilities, evaluation and exchange stopped. It prints the
rates, the times, and their ratio. With everything running, the other processes share the cores.
"""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path
from uuid import uuid4

import aiohttp

from bench.intake import load, show
from devstack.ports import pick_free_ports
from devstack.stack import Stack
from tests.faults.citizens import Citizens, body

OTHERS = [
    f"{service}.{process}"
    for service in ("catalogue", "facilities", "evaluation", "exchange")
    for process in ("api", "worker")
]


async def stop_others(stack: Stack) -> None:
    for name in OTHERS:
        await stack.supervisor.stop(name)
    await asyncio.to_thread(stack.broker.stop)


async def start_others(stack: Stack) -> None:
    await asyncio.to_thread(stack.broker.start)
    for name in OTHERS:
        await stack.supervisor.start(name)
    await stack.supervisor.wait_until_ready()


async def measure(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with Stack(Path(directory), pick_free_ports(), log_level="error") as stack:
            citizens = Citizens(stack)
            await citizens.wait_until_intake_knows_the_item()
            url = f"http://127.0.0.1:{stack.ports.http('requests')}/v1/requests"
            people = [citizens.headers(uuid4()) for _ in range(64)]

            async def submit(session: aiohttp.ClientSession) -> int:
                headers = people[uuid4().int % 64] | {"Idempotency-Key": str(uuid4())}
                async with session.post(url, json=body(), headers=headers) as answer:
                    await answer.read()
                    return answer.status

            taken = {"everything running": [], "all others stopped": []}
            p50 = {name: [] for name in taken}
            for _ in range(arguments.rounds):
                for name in taken:
                    if name != "everything running":
                        await stop_others(stack)
                    rate, times = await load(
                        submit, seconds=arguments.seconds, clients=arguments.clients
                    )
                    taken[name].append(rate)
                    p50[name].append(statistics.median(times) * 1000)
                await start_others(stack)
            await citizens.close()
    print(f"\nsubmissions a second, {arguments.clients} connections")
    for name in taken:
        show(name, taken[name])
        show("  p50 (ms)", p50[name])
    running, stopped = taken.values()
    show("stopped ÷ running", [s / r for s, r in zip(stopped, running, strict=True)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=8)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
