"""Numbers allocated in blocks: no global lock, gaps allowed, repeats never."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import date

import asyncpg
from stdnum.iso7064 import mod_11_10

#: Serials of a series' first block of a day in a process; each further block is as large as all before
#: it, so that a busy county asks seldom and a rare item wastes few. What is left at midnight is lost.
FIRST_BLOCK = 4
LARGEST_BLOCK = 128
#: 办件编号 is at most this long. Source: GB/T 39046-2020, `project_no` an..50.
MAX_CASE_NUMBER = 50
_SERIAL_DIGITS = 4
_REQUEST_NUMBER = re.compile(r"[0-9]{6}-[0-9]{6}-[0-9]{6,9}")
_TAKE_BLOCK = """
INSERT INTO number_series AS s (series, next_serial) VALUES ($1, $2 + 1)
ON CONFLICT (series) DO UPDATE SET next_serial = s.next_serial + $2
RETURNING next_serial - $2
"""


@dataclass(slots=True)
class _Block:
    next: int = 0
    end: int = 0
    #: Serials taken so far that day.
    taken: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class NumberAllocator:
    """Hands out serials per series; each process works through blocks of its own."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        *,
        first: int = FIRST_BLOCK,
        largest: int = LARGEST_BLOCK,
    ) -> None:
        self._pool = pool
        self._first = first
        self._largest = largest
        self._day: date | None = None
        self._blocks: dict[str, _Block] = {}

    async def take(self, series: str, day: date) -> int:
        """The next serial of a series on a day, from 1; an earlier day's blocks are forgotten.

        Concurrency: waits for the database only when a block is used up, and only behind others
        of its own series.
        """
        if self._day is None or day > self._day:
            self._day, self._blocks = day, {}
        name = f"{series}:{day:%Y%m%d}"
        block = self._blocks.setdefault(name, _Block())
        while block.next == block.end:
            await self._refill(name, block)
        serial = block.next
        block.next += 1
        return serial

    async def _refill(self, name: str, block: _Block) -> None:
        async with block.lock:
            if block.next < block.end:
                return
            size = min(max(self._first, block.taken), self._largest)
            first = await self._pool.fetchval(_TAKE_BLOCK, name, size)
            block.next, block.end = first, first + size
            block.taken += size


def request_number(division_code: str, day: date, serial: int) -> str:
    """The short public number: county, date, serial of the county and day, check digit.

    The digit finds every single mistyped digit (ISO/IEC 7064, MOD 11-10).
    """
    digits = f"{division_code[:6]}{day:%y%m%d}{serial:05d}"
    return f"{digits[:6]}-{digits[6:12]}-{digits[12:]}{mod_11_10.calc_check_digit(digits)}"


def is_request_number(number: str) -> bool:
    """Whether a number has the form of one of ours and no mistyped digit."""
    if not _REQUEST_NUMBER.fullmatch(number):
        return False
    return bool(mod_11_10.is_valid(number.replace("-", "")))


def has_room_for_a_serial(item_code: str) -> bool:
    """Whether an official code and date leave room for a serial; else the request's number serves."""
    return len(item_code) + len("20260101") + _SERIAL_DIGITS <= MAX_CASE_NUMBER


def case_number(item_code: str, day: date, serial: int) -> str:
    """办件编号 of an item with an official code: 实施编码 + yyyyMMdd + serial.

    Source: form seen in Guangdong's exchange, 31 + 8 + 4 digits.
    """
    return f"{item_code}{day:%Y%m%d}{serial:0{_SERIAL_DIGITS}d}"


def own_case_number(number: str, position: int) -> str:
    """办件编号 where no official code gives one: the request's number and a position."""
    return f"{number}-{position:02d}"
