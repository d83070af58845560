import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import date

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.values import RequestNumber
from services.requests.submissions.numbers import (
    MAX_CASE_NUMBER,
    case_number,
    has_room_for_a_serial,
    is_request_number,
    own_case_number,
    request_number,
)
from tests.requests.factories import ITEM_CODE, OFFICIAL_CODE, key, make_request
from tests.support.processes import Process, api, keys
from tests.support.tokens import resident

DAY = date(2026, 11, 22)
#: API processes, what each is sent, and how many of it at a time.
PROCESSES, EACH, AT_ONCE = 8, 24, 4


class TestForms:
    @settings(max_examples=40)
    @given(serial=st.integers(1, 99_999_999), place=st.integers(0, 17), step=st.integers(1, 9))
    def test_one_mistyped_digit_is_seen(self, serial, place, step):
        number = request_number("140802001001", DAY, serial)
        assert TypeAdapter(RequestNumber).validate_python(number) == number
        assert is_request_number(number)
        places = [index for index, char in enumerate(number) if char.isdigit()]
        at = places[place]
        wrong = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
        assert not is_request_number(wrong)

    def test_nothing_else_is_a_number(self):
        for text in ("", "140802", "140802-261122-00001x", "１40802-261122-000019", "a" * 99):
            assert not is_request_number(text)

    def test_case_numbers_fit_what_is_exchanged(self):
        """GB/T 39046: an..50. A code that leaves no room gets the request's number instead."""
        assert case_number(OFFICIAL_CODE, DAY, 68) == OFFICIAL_CODE + "20261122" + "0068"
        assert has_room_for_a_serial(OFFICIAL_CODE + "001")
        long = "511A0138000000-511602000000-000-115113010833722043-1-00"
        assert not has_room_for_a_serial(long)
        assert len(own_case_number(request_number("140802001001", DAY, 99_999), 20)) <= (
            MAX_CASE_NUMBER
        )


async def submit(processes: list[Process], number: int) -> httpx.Response:
    """One application for two items, as a phone sends it: again, elsewhere, with its key."""
    body = make_request()
    body["items"] = [{**body["items"][0], "item_code": code} for code in (ITEM_CODE, OFFICIAL_CODE)]
    headers = resident() | key()
    for attempt in range(2):
        process = processes[(number + attempt) % PROCESSES]
        try:
            return await process.client.post("/v1/requests", json=body, headers=headers)
        except httpx.TransportError:
            assert process.child.returncode is not None or attempt == 0
    raise AssertionError("nobody answered")


async def test_eight_api_processes_never_give_a_number_twice(service):
    """Whole processes take submissions at once; one is killed amid its own. Gaps are allowed."""
    answers: list[httpx.Response] = []
    async with AsyncExitStack() as running:
        jwks = await running.enter_async_context(keys())
        started = (api("requests", service.at.dsn, jwks, pool_size=4) for _ in range(PROCESSES))
        processes = await asyncio.gather(*map(running.enter_async_context, started))
        victim, of_victim = processes[0], 0

        async def work(first: int) -> None:
            nonlocal of_victim
            for step in range(EACH // AT_ONCE):
                answers.append(await submit(processes, first + step * PROCESSES * AT_ONCE))
                if first % PROCESSES == 0 and victim.child.returncode is None:
                    of_victim += 1
                    if of_victim == EACH // 2:
                        await victim.kill()

        await asyncio.gather(*(work(first) for first in range(PROCESSES * AT_ONCE)))
        assert victim.child.returncode == -9
    # A number given twice would have broken on its unique constraint: nobody was refused.
    assert {answer.status_code for answer in answers} == {201}
    assert len(answers) == PROCESSES * EACH
    given = Counter(answer.json()["number"] for answer in answers)
    of_cases = Counter(case["number"] for each in answers for case in each.json()["cases"])
    assert set(given.values()) == set(of_cases.values()) == {1}
    assert len(of_cases) == 2 * len(given) == 2 * PROCESSES * EACH
    assert all(map(is_request_number, given))
    stored = {row["number"] for row in await service.fetch("SELECT number FROM citizen_request")}
    assert stored == set(given)
    # Blocks grow with use: no process may waste more than it used.
    assert max(int(number[14:-1]) for number in given) <= 2 * PROCESSES * EACH
