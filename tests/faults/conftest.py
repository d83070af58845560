"""People who use a whole stack of real processes on Apache Kafka, to be broken."""

import asyncio
import contextlib

import pytest

from devstack.stack import Stack
from tests.faults.citizens import Citizens


@pytest.fixture
async def citizens(stack):
    """People who use the stack; everything runs again when a test is over."""
    if not stack.broker.is_apache:
        pytest.skip("needs Apache Kafka: Java 17 or later and Maven are not both there")
    citizens = Citizens(stack)
    await citizens.wait_until_intake_knows_the_item()
    yield citizens
    await mend(stack)
    await citizens.close()


async def mend(stack: Stack) -> None:
    """Bring back whatever a failed test left down."""
    with contextlib.suppress(ProcessLookupError):
        await asyncio.to_thread(stack.broker.resume)
    if not stack.postgres.running:
        await asyncio.to_thread(stack.postgres.start)
    if not stack.broker.running:
        await asyncio.to_thread(stack.broker.start)
    await stack.supervisor.start_all()
    await stack.supervisor.wait_until_ready()
