"""After the storm: everything that was acknowledged is there once, and nothing else is left over."""

import asyncio
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts.topics import EVALUATION, REQUESTS
from devstack.layout import DATABASES
from services.evaluation.models.evaluables import ServiceNumber
from tests.faults.audit import dead_letter_topics, query, raw_records, topic_events
from tests.faults.storm.crowd import Diary
from tests.faults.storm.faults import Storm
from tests.faults.storm.world import World
from tests.requests.counts import KEPT, RECOUNT
from tests.support.tokens import bearer

SETTLE_SECONDS = 180.0
RECOUNT_SECONDS = 60.0
#: What each action of the crowd adds to a case's history, and the notice it brings.
NOTICES = {"withdraw": "case-withdrawn", "accept": "case-accepted", "complete": "case-completed"}
BY_SILENCE = "case-accepted-by-law"
#: Later than this a due timer is stuck; failed ones are tried again after half a minute.
STUCK = "SELECT kind, subject_id FROM timer WHERE due_at < now() - interval '90 seconds'"


@dataclass
class Findings:
    """What is wrong, by kind; all empty when nothing was lost and nothing doubled."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half_present: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    effects_missing: list[str] = field(default_factory=list)
    effects_doubled: list[str] = field(default_factory=list)
    roll_ups_unequal: list[str] = field(default_factory=list)
    timers_stuck: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    wrong_answers: list[str] = field(default_factory=list)
    #: Seconds from the end of the storm until every effect was there.
    settled_after_seconds: float = 0.0

    def by_kind(self) -> dict[str, list[str]]:
        """Only the findings, by what they are."""
        return {name: found for name, found in vars(self).items() if isinstance(found, list)}

    @property
    def count(self) -> int:
        return sum(map(len, self.by_kind().values()))


async def audit(storm: Storm, diary: Diary, operator_key: Any) -> Findings:
    """Wait until the world has settled, then look everywhere."""
    world, found = storm.world, Findings(wrong_answers=list(diary.wrong))
    found.settled_after_seconds = await _settle(world, diary)
    await _requests(world, diary, found)
    await _order(world, diary, found)
    await _notices(world, diary, found)
    await _ratings(world, diary, found, operator_key)
    await _roll_ups(world, found)
    await _deployed(world, found)
    await _leftovers(storm, found)
    return found


async def _settle(world: World, diary: Diary) -> float:
    """Poll until outboxes are empty and every notice and rating has arrived, within bounds."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while loop.time() < started + SETTLE_SECONDS:
        waiting = 0
        for name in DATABASES:
            if name != "gateway":
                [row] = await query(world.stack, name, "SELECT count(*) AS n FROM outbox_message")
                waiting += row["n"]
        told = _expected_notices(diary) <= (await _stored_notices(world)).keys()
        rateable = _completed(diary) <= (await _evaluables(world)).keys()
        if not waiting and told and rateable and await _copied(world) == await _to_be_copied(world):
            break
        await asyncio.sleep(0.2)
    return loop.time() - started


async def _requests(world: World, diary: Diary, found: Findings) -> None:
    """Every acknowledged request once; every stored one whole, acknowledged or not."""
    rows = await query(
        world.stack,
        "requests",
        "SELECT r.number, count(DISTINCT c.id) AS cases, max(c.version) AS version, "
        "count(h.version) AS steps, max(c.state) AS state FROM citizen_request r "
        "LEFT JOIN service_case c ON c.request_id = r.id "
        "LEFT JOIN case_history h ON h.case_id = c.id GROUP BY r.number",
    )
    stored = {row["number"]: row for row in rows}
    for number, row in stored.items():
        if row["cases"] != 1 or row["steps"] < row["version"]:
            found.half_present.append(f"{number}: {dict(row)}")
    for number, count in Counter(matter.number for matter in diary.matters).items():
        if count > 1:
            found.doubled.append(f"number {number} was given {count} times")
    for matter in diary.matters:
        row = stored.get(matter.number)
        if row is None:
            found.lost.append(matter.number)
        elif row["version"] != matter.version:
            found.lost.append(f"{matter.number}: version {row['version']}, not {matter.version}")
    # A phone that gave up may have left a request; one resident asked for one thing only.
    doubled = await query(
        world.stack,
        "requests",
        "SELECT applicant_id, count(*) AS n FROM citizen_request GROUP BY 1 HAVING count(*) > 1",
    )
    found.doubled += [f"account {row['applicant_id']} has {row['n']} requests" for row in doubled]


async def _order(world: World, diary: Diary, found: Findings) -> None:
    """On the topic, first appearances of each request's facts grow in version."""
    acknowledged = {matter.number: matter for matter in diary.matters}
    seen: set[str] = set()
    versions: dict[str, list[int]] = defaultdict(list)
    for event_id, event_type, event in await topic_events(world.stack):
        number = event.get("request_number")
        if event_id in seen or number not in acknowledged:
            continue
        seen.add(event_id)
        is_first = event_type.endswith("request-submitted.v1")
        versions[number].append(1 if is_first else event["case_version"])
    for number, matter in acknowledged.items():
        told = versions[number]
        if told != sorted(told):
            found.out_of_order.append(f"{number}: {told}")
        if not told or told[0] != 1 or told[-1] != matter.version:
            found.effects_missing.append(f"{number}: the topic tells of versions {told}")


def _expected_notices(diary: Diary) -> set[tuple[str, str]]:
    expected = {(matter.number, "request-submitted") for matter in diary.matters}
    for matter in diary.matters:
        expected |= {
            (matter.number, NOTICES[action]) for action in matter.done if action in NOTICES
        }
        if matter.is_silent:
            expected.add((matter.number, BY_SILENCE))
    return expected


async def _stored_notices(world: World) -> Counter[tuple[str, str]]:
    rows = await query(world.stack, "exchange", "SELECT request_number, template FROM notice")
    return Counter((row["request_number"], row["template"]) for row in rows)


async def _notices(world: World, diary: Diary, found: Findings) -> None:
    stored, expected = await _stored_notices(world), _expected_notices(diary)
    found.effects_missing += [f"notice {key}" for key in expected - stored.keys()]
    found.effects_doubled += [
        f"notice {key} {count} times" for key, count in stored.items() if count > 1 and key[0]
    ]
    rows = await query(world.stack, "requests", "SELECT number FROM citizen_request")
    known = {row["number"] for row in rows}
    found.orphans += [
        f"notice of {number}" for number, _ in stored if number and number not in known
    ]


def _completed(diary: Diary) -> set[str]:
    return {matter.case_id for matter in diary.matters if "complete" in matter.done}


async def _evaluables(world: World) -> Counter[str]:
    """What may be rated because a case was completed, by case."""
    statement = "SELECT case_id FROM evaluable WHERE service_number = $1"
    rows = await query(world.stack, "evaluation", statement, ServiceNumber.completion.value)
    return Counter(str(row["case_id"]) for row in rows)


async def _ratings(world: World, diary: Diary, found: Findings, key: Any) -> None:
    """Each rating counts once, in evaluation's own roll-ups and in the catalogue's copy."""
    evaluables = await _evaluables(world)
    found.effects_missing += [
        f"evaluable of {case}" for case in _completed(diary) - evaluables.keys()
    ]
    found.effects_doubled += [
        f"{n} evaluables of {case}" for case, n in evaluables.items() if n > 1
    ]
    rows = await query(world.stack, "requests", "SELECT id FROM service_case")
    known = {str(row["id"]) for row in rows}
    found.orphans += [f"evaluable of {case}" for case in evaluables.keys() - known]
    operator = bearer("operator", division="140000000000", key=key)
    async with httpx.AsyncClient(base_url=world.stack.gateway_url, trust_env=False) as client:
        rated = [matter for matter in diary.matters if matter.rated]
        unit = (await client.get("/v1/scores/unit/140802000000:civil-affairs")).json()
        counted = unit.get("rated", 0)
        if counted != len(rated):
            found.roll_ups_unequal.append(f"{len(rated)} ratings answered 201, {counted} counted")
        recount = await client.post(
            "/v1/scores/recount", headers=operator | {"Idempotency-Key": "after-the-storm"}
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(RECOUNT_SECONDS):
                while recount.is_success and recount.json()["state"] != "finished":
                    await asyncio.sleep(0.5)
                    path = f"/v1/score-recounts/{recount.json()['id']}"
                    recount = await client.get(path, headers=operator)
        told = recount.json()
        as_it_should_be = {"state": "finished", "services_corrected": 0, "subjects_corrected": 0}
        if {name: told.get(name) for name in as_it_should_be} != as_it_should_be:
            found.roll_ups_unequal.append(f"the recount says {recount.text}")


async def _copied(world: World) -> dict[str, int]:
    """What the catalogue has heard: how often items were asked for, and how often rated."""
    [used] = await query(world.stack, "catalogue", "SELECT sum(cases)::int AS n FROM item_use")
    [rated] = await query(world.stack, "catalogue", "SELECT sum(rated)::int AS n FROM item_score")
    return {"cases": used["n"] or 0, "ratings": rated["n"] or 0}


async def _to_be_copied(world: World) -> dict[str, int]:
    [cases] = await query(world.stack, "requests", "SELECT count(*)::int AS n FROM service_case")
    [ratings] = await query(world.stack, "evaluation", "SELECT count(*)::int AS n FROM rating")
    return {"cases": cases["n"], "ratings": ratings["n"]}


async def _roll_ups(world: World, found: Findings) -> None:
    """Counters that events or triggers added to, against what they count."""
    copied, there = await _copied(world), await _to_be_copied(world)
    if copied != there:
        found.roll_ups_unequal.append(f"the catalogue has counted {copied} of {there}")
    kept = [dict(row) for row in await query(world.stack, "requests", KEPT)]
    counted = [dict(row) for row in await query(world.stack, "requests", RECOUNT)]
    if kept != counted:
        found.roll_ups_unequal.append(f"work lists count {kept}, there are {counted}")


async def _deployed(world: World, found: Findings) -> None:
    """What was deployed last has spoken: else the storm had no deployment."""
    topics = {"requests": REQUESTS, "evaluation": EVALUATION}
    for service, release in world.releases.items():
        events = await topic_events(world.stack, topics[service])
        if not any(release.field in event for _, _, event in events):
            found.effects_missing.append(f"{service}: no event of release {release.number}")


async def _leftovers(storm: Storm, found: Findings) -> None:
    """No timer is stuck, and the dead letters are what was poisoned, once for each reader."""
    for name in DATABASES:
        has_timers = await query(
            storm.world.stack, name, "SELECT 1 FROM pg_tables WHERE tablename = 'timer'"
        )
        if has_timers:
            rows = await query(storm.world.stack, name, STUCK)
            found.timers_stuck += [f"{name}: {row['kind']} {row['subject_id']}" for row in rows]
    poisoned = {f"{REQUESTS}.dlq.{group}": count for group, count in storm.poison.items()}
    for topic in poisoned.keys() | set(await dead_letter_topics(storm.world.stack)):
        expected = poisoned.get(topic, 0)
        count = len(await raw_records(storm.world.stack, topic))
        # At least once: a consumer killed between the letter and its offset writes it again.
        if count < expected or (count and not expected):
            found.dead_letters.append(f"{topic}: {count} of {expected}")
