"""Two hundred people take the last seat at once, through real API processes."""

import asyncio
from contextlib import AsyncExitStack

from tests.facilities.test_bookings import counter_of, tomorrow
from tests.support.processes import api, keys
from tests.support.tokens import resident

TAKERS, PROCESSES, SEATS = 200, 2, 1


async def test_one_of_two_hundred_gets_the_last_seat(facilities):
    counter = await counter_of(facilities, capacity=SEATS, waiting_places=0)
    body = {"resource_id": counter.resource["id"], "starts_at": tomorrow().isoformat()}
    async with AsyncExitStack() as running:
        jwks = await running.enter_async_context(keys())
        processes = await asyncio.gather(
            *(
                running.enter_async_context(api("facilities", facilities.at.dsn, jwks))
                for _ in range(PROCESSES)
            )
        )
        people = [resident() for _ in range(TAKERS)]
        answers = await asyncio.gather(
            *(
                processes[number % PROCESSES].client.post("/v1/bookings", json=body, headers=who)
                for number, who in enumerate(people)
            )
        )
    taken = [answer for answer in answers if answer.status_code == 201]
    assert len(taken) == SEATS
    # Who waited too long for a connection is told to come again; nobody is told a wrong thing.
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    full = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert full == {"slot-full"}
    assert await counter.taken() == SEATS
    assert await facilities.count("booking") == SEATS
