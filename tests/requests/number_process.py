"""One process that draws serials as an API process does: `number_process <dsn> <series> <count>`."""

import asyncio
import sys
from datetime import date

import asyncpg

from services.requests.submissions.numbers import NumberAllocator

DAY = date(2026, 11, 22)


async def draw(dsn: str, series: str, count: int) -> list[int]:
    """Draw from two tasks at once, as requests do."""
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=2)
    try:
        allocator = NumberAllocator(pool)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        halves = await asyncio.gather(*(_some(allocator, series, count // 2) for _ in range(2)))
    finally:
        await pool.close()
    return [serial for half in halves for serial in half]


async def _some(allocator: NumberAllocator, series: str, count: int) -> list[int]:
    return [await allocator.take(series, DAY) for _ in range(count)]


if __name__ == "__main__":
    drawn = asyncio.run(draw(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    sys.stdout.write(" ".join(map(str, drawn)) + "\n")
