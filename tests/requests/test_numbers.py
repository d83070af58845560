import asyncio
import sys
from datetime import date

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
from tests.requests.factories import OFFICIAL_CODE

DAY = date(2026, 11, 22)
PROCESSES, EACH = 8, 300


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


async def start(dsn):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.requests.number_process", dsn, "140899", str(EACH),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def test_eight_processes_never_draw_the_same_serial(service):
    """Real processes, let go together; gaps are allowed, repeats are not."""
    processes = await asyncio.gather(*(start(service.at.dsn) for _ in range(PROCESSES)))
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES
    drawn = [int(serial) for output, _ in outputs for serial in output.split()]
    assert len(drawn) == PROCESSES * EACH
    assert len(set(drawn)) == len(drawn)
    assert min(drawn) == 1
    # Blocks grow with use: no process may waste more than it used.
    assert max(drawn) <= 2 * PROCESSES * EACH
