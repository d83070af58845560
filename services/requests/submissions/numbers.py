"""Numbers allocated in blocks: no global lock, gaps allowed, repeats never."""

import asyncio
from dataclasses import dataclass
from datetime import date

import asyncpg

#: Serials a process takes at once; what it does not use before the day ends is lost.
BLOCK = 50
_TAKE_BLOCK = """
INSERT INTO number_series AS s (series, next_serial) VALUES ($1, $2 + 1)
ON CONFLICT (series) DO UPDATE SET next_serial = s.next_serial + $2
RETURNING next_serial - $2
"""


@dataclass(slots=True)
class _Block:
    next: int
    end: int


class NumberAllocator:
    """Hands out serials per series; each process works through blocks of its own."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, block: int = BLOCK) -> None:
        self._pool = pool
        self._block = block
        self._day: date | None = None
        self._blocks: dict[str, _Block] = {}
        self._lock = asyncio.Lock()

    async def take(self, series: str, day: date) -> int:
        """The next serial of a series on a day, from 1; yesterday's blocks are forgotten."""
        if day != self._day:
            self._day, self._blocks = day, {}
        name = f"{series}:{day:%Y%m%d}"
        block = self._blocks.get(name)
        if block is None or block.next == block.end:
            block = await self._refill(name)
        serial = block.next
        block.next += 1
        return serial

    async def _refill(self, name: str) -> _Block:
        async with self._lock:
            block = self._blocks.get(name)
            if block is None or block.next == block.end:
                first = await self._pool.fetchval(_TAKE_BLOCK, name, self._block)
                block = self._blocks[name] = _Block(first, first + self._block)
        return block


def request_number(division_code: str, day: date, serial: int) -> str:
    """The short public number: county, date, serial of the county and day."""
    return f"{division_code[:6]}-{day:%y%m%d}-{serial:05d}"


def case_number(item_code: str, day: date, serial: int) -> str:
    """办件编号 of an item with an official code: 实施编码 + yyyyMMdd + serial.

    Source: form seen in Guangdong's exchange, 31 + 8 + 4 digits.
    """
    return f"{item_code}{day:%Y%m%d}{serial:04d}"


def provisional_case_number(number: str, position: int) -> str:
    """办件编号 of an item that has no official code yet: the request's number and a position."""
    return f"{number}-{position:02d}"
