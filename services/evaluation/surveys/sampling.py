"""How many households of which village, and which: pure, and the same for whoever has the seed."""

from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from heapq import nsmallest


def allocate(households: Mapping[str, int], size: int, minimum: int) -> dict[str, int]:
    """How many households to ask in each village: by size, and everywhere a minimum.

    Proportional allocation by largest remainders, then raised to `minimum` and cut at all
    households there are; the sum may be more than `size` where villages are many and small.
    """
    total = sum(households.values())
    if total == 0:
        return {}
    exact = {code: Fraction(size * count, total) for code, count in households.items()}
    asked = {code: int(share) for code, share in exact.items()}
    left = size - sum(asked.values())
    by_remainder = sorted(exact, key=lambda code: (asked[code] - exact[code], code))
    for code in by_remainder[:left]:
        asked[code] += 1
    return {
        code: min(count, max(minimum, asked[code])) for code, count in sorted(households.items())
    }


def draw(seed: int, code: str, households: int, count: int) -> list[int]:
    """Household numbers, 1 to `households`, each as likely as any other; in order.

    The `count` numbers with the smallest SHA-256 of `<seed>:<village>:<number>`: a simple random
    sample without replacement that needs no generator to be repeated.
    """
    numbers = nsmallest(
        count,
        range(1, households + 1),
        key=lambda number: sha256(f"{seed}:{code}:{number}".encode()).digest(),
    )
    return sorted(numbers)
