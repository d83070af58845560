"""False alarms of the detectors of doubtful ratings: `python -m bench.integrity`.

Honest traffic is generated from a seed: windows that serve one case after another, families that share
a telephone or a phone number, short words that many use, links opened at home. Then fraud of five
kinds is mixed in. Prints, by detector, what share of honest ratings it doubts, and what share of the
fraudulent ones it finds. No database; the figures belong to the assumptions below, not to a county.
"""

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from bench.harness import Figure, show
from services.evaluation.integrity.rules import Seen, Thresholds, doubts_of
from services.evaluation.models import Detector, RatingChannel

START = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
DAYS = 20
#: Minutes a window takes for one case, and how many of those served rate there.
SERVICE_MINUTES = (3.0, 12.0)
RATES_AT_WINDOW = 0.4
#: Share of households of so many residents who use one telephone.
HOUSEHOLDS = ((1, 0.3), (2, 0.35), (3, 0.2), (4, 0.1), (5, 0.05))
PLAIN_WORDS = ("很快就办好了谢谢", "服务态度很好很耐心", "一次就办成了不用跑", "材料少办得快")
BAD_WORDS = ("等了半天没人叫号", "让我跑了三趟才办成", "说好的五天办了半个月", "打电话一直没有人接")
PRESSURE = ("窗口的人让我给好评才给办", "工作人员拿我手机替我评价", "他们要求必须打非常满意")


def _hash(*parts: object) -> bytes:
    return sha256("|".join(map(str, parts)).encode()).digest()


def _id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128))


def honest(rng: random.Random, *, units: int, windows: int, remote: int) -> Iterator[Seen]:
    """Ratings nobody arranged: at windows through the day, and at home."""
    for unit in range(units):
        for window in range(windows):
            for day in range(DAYS):
                yield from _window_day(rng, f"unit-{unit}", str(window), day)
    yield from _at_home(rng, units, remote)


def _window_day(rng: random.Random, unit: str, window: str, day: int) -> Iterator[Seen]:
    moment = START + timedelta(days=day, hours=1)
    end = moment + timedelta(hours=7)
    while moment < end:
        moment += timedelta(minutes=rng.uniform(*SERVICE_MINUTES))
        if rng.random() < RATES_AT_WINDOW:
            # Half within 25 seconds; a few have the finger on the device already.
            seconds = int(rng.lognormvariate(math.log(25), 0.7))
            yield Seen(
                id=_id(rng),
                given_at=moment + timedelta(seconds=seconds),
                unit_code=unit,
                resident=_id(rng),
                channel=RatingChannel.window,
                window_code=window,
                device=_hash(unit, window),
                seconds_after=seconds,
            )


def _at_home(rng: random.Random, units: int, count: int) -> Iterator[Seen]:
    sizes, weights = [size for size, _ in HOUSEHOLDS], [share for _, share in HOUSEHOLDS]
    done = 0
    while done < count:
        family = rng.getrandbits(64)
        for _ in range(rng.choices(sizes, weights)[0]):
            done += 1
            says = rng.random()
            text = None
            if says < 0.15:
                stem = rng.choice(PLAIN_WORDS if says < 0.13 else BAD_WORDS)
                # People rarely write the very same sentence: most add something of their own.
                text = stem if rng.random() < 0.02 else f"{stem}{rng.randint(1, 9999)}号那天"
            telephone = rng.random() < 0.1
            yield Seen(
                id=_id(rng),
                given_at=START + timedelta(days=rng.uniform(0, DAYS)),
                unit_code=f"unit-{rng.randrange(units)}",
                resident=_id(rng),
                channel=RatingChannel.telephone if telephone else RatingChannel.mini_program,
                device=None if telephone else _hash("device", family),
                phone=_hash("phone", family) if telephone else None,
                words=_hash(text) if text else None,
                seconds_after=int(rng.lognormvariate(9, 2)) + 8,
                text=text,
            )


def fraud(rng: random.Random) -> dict[Detector, list[Seen]]:
    """Ratings somebody arranged, by the detector that should find them."""
    noon = START + timedelta(days=3, hours=5)

    def seen(number: int, **values: object) -> Seen:
        defaults: dict[str, object] = {
            "id": _id(rng),
            "given_at": noon + timedelta(seconds=20 * number),
            "unit_code": "unit-0",
            "resident": _id(rng),
            "channel": RatingChannel.mini_program,
            "seconds_after": 400,
        }
        return Seen(**(defaults | values))  # type: ignore[arg-type]

    at_window = {"channel": RatingChannel.qr_code, "window_code": "99"}
    return {
        Detector.window_burst: [seen(number, **at_window) for number in range(25)],
        Detector.same_device: [seen(number, device=_hash("clerk")) for number in range(20)],
        Detector.same_phone: [
            seen(number, phone=_hash("desk"), channel=RatingChannel.telephone)
            for number in range(10)
        ],
        Detector.too_quick: [seen(number, seconds_after=rng.randint(0, 3)) for number in range(20)],
        Detector.identical_words: [seen(number, words=_hash("抄来的")) for number in range(15)],
        Detector.pressure_words: [seen(number, text=text) for number, text in enumerate(PRESSURE)],
    }


def measure(
    seed: int, *, units: int, windows: int, remote: int
) -> tuple[int, Counter[str], dict[str, float]]:
    """Count of honest ratings, false alarms by detector, and the share of fraud found by detector."""
    rng = random.Random(seed)
    traffic = list(honest(rng, units=units, windows=windows, remote=remote))
    alarms = Counter(doubt.detector.value for doubt in doubts_of(traffic, Thresholds()))
    arranged = fraud(rng)
    mixed = traffic + [seen for group in arranged.values() for seen in group]
    found: dict[Detector, set[UUID]] = {}
    for doubt in doubts_of(mixed, Thresholds()):
        found.setdefault(doubt.detector, set()).add(doubt.rating_id)
    caught = {
        detector.value: len(found.get(detector, set()) & {seen.id for seen in group}) / len(group)
        for detector, group in arranged.items()
    }
    return len(traffic), alarms, caught


def main() -> None:
    """Print what is doubted of honest traffic, and what is found of fraud."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--units", type=int, default=20)
    parser.add_argument("--windows", type=int, default=6)
    parser.add_argument("--remote", type=int, default=40_000)
    options = parser.parse_args()
    count, alarms, caught = measure(
        options.seed, units=options.units, windows=options.windows, remote=options.remote
    )
    figures = []
    for detector, share in caught.items():
        wrong = 100 * alarms[detector] / count
        figures.append(Figure(f"{detector}: honest ratings doubted", "%", [wrong]))
        figures.append(Figure(f"{detector}: arranged ratings found", "%", [100 * share]))
    total = 100 * sum(alarms.values()) / count
    figures.append(Figure("all detectors: honest ratings doubted", "%", [total]))
    show(f"Detectors: {count:,} honest ratings generated from seed {options.seed}", figures)


if __name__ == "__main__":
    main()
