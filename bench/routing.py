"""How long a rule set takes to route a matter: `python -m bench.routing`.

Rule sets of 50, 500 and 5 000 rules over 2 000 items and 2 000 divisions, compiled as the service
compiles them; prints the time to compile, microseconds a matter at the median and the 99th
percentile, and the growth from each size to the next. No server is started.
"""

import argparse
import random
import time

from bench.harness import Figure, percentile, show
from contracts.values import Channel, DivisionLevel
from services.requests.routing.matcher import Matcher, compile_rules
from services.requests.routing.rules import Matter, Rule

DEPARTMENTS = [f"department-{number}" for number in range(40)]
ITEMS = [f"bench:{number}" for number in range(2_000)]
COUNTIES = [f"1408{number:02d}000000" for number in range(1, 14)]
VILLAGES = [
    f"{county[:6]}{township:03d}{village:03d}"
    for county in COUNTIES
    for township in range(1, 16)
    for village in range(1, 11)
]
CATEGORIES = [f"category-{number}" for number in range(10)]
UNITS = {f"{county}:{department}" for county in COUNTIES for department in DEPARTMENTS}


def make_rules(count: int, dice: random.Random) -> list[Rule]:
    """Rules of many shapes: most name items and a place, some a channel or a load."""
    rules = []
    for number in range(count):
        match: dict[str, object] = {"item_codes": dice.sample(ITEMS, dice.randint(1, 5))}
        if dice.random() < 0.6:
            place = dice.choice(VILLAGES)
            match["divisions"] = [place[:9] + "000" if dice.random() < 0.5 else place]
        if dice.random() < 0.2:
            match["channels"] = [dice.choice(list(Channel)).value]
        if dice.random() < 0.1:
            match["max_unit_load"] = dice.randint(1, 100)
        rules.append(
            Rule.model_validate(
                {
                    "priority": dice.randint(0, 8000),
                    "name": f"规则 {number}",
                    "match": match,
                    "target": {"level": "county", "department": dice.choice(DEPARTMENTS)},
                }
            )
        )
    fallback = {
        "priority": 9999,
        "name": "其余",
        "target": {"level": "county", "department": "item"},
    }
    return [*rules, Rule.model_validate(fallback)]


def make_matters(count: int, dice: random.Random) -> list[Matter]:
    return [
        Matter(
            dice.choice(ITEMS), dice.choice(DEPARTMENTS), DivisionLevel.county, "kind",
            dice.choice(VILLAGES), dice.choice(CATEGORIES), "government-public",
            channel=dice.choice(list(Channel)).value,
        )
        for _ in range(count)
    ]  # fmt: skip


def measure(matcher: Matcher, matters: list[Matter], load: dict[str, int]) -> list[float]:
    """Microseconds of every matter."""
    times = []
    for matter in matters:
        started = time.perf_counter()
        matcher.route(matter, UNITS, load=load)
        times.append((time.perf_counter() - started) * 1e6)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 500, 5_000])
    parser.add_argument("--matters", type=int, default=5_000)
    arguments = parser.parse_args()
    dice = random.Random(7)
    load = {unit: dice.randint(0, 120) for unit in UNITS}
    matters = make_matters(arguments.matters, dice)
    figures, before = [], None
    for size in arguments.sizes:
        rules = make_rules(size, dice)
        started = time.perf_counter()
        matcher = compile_rules(rules, 1)
        compiled = time.perf_counter() - started
        times = measure(matcher, matters, load)
        matter = Figure(f"{size:,} rules: a matter", "µs", times)
        figures += [
            Figure(f"{size:,} rules: compiled", "ms", [compiled * 1000]),
            matter,
            Figure(f"{size:,} rules: a matter at p99", "µs", [percentile(times, 99)]),
        ]
        if before is not None:
            growth = matter.median / before
            figures.append(Figure(f"{size:,} rules ÷ the size before: a matter", "", [growth]))
        before = matter.median
    show(f"Routing: {arguments.matters:,} matters", figures)


if __name__ == "__main__":
    main()
