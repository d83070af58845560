import asyncio
import math
from datetime import date
from uuid import uuid4

import pytest

from contracts.evaluation import ScoreChanged
from contracts.values import RatingLevel
from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.ratings.defaults import rate_all_silent
from tests.evaluation.factories import (
    OTHER_UNIT,
    UNIT,
    all_pages,
    assert_equal_to_a_recount,
    finish_case,
    handler,
    rate_many,
)

SCORE_CHANGED = ScoreChanged.event_type
LEVELS = [level.value for level in RatingLevel]


async def scores(evaluation) -> list[ScoreChanged]:
    return [
        ScoreChanged.model_validate(body)
        for event_type, body in await evaluation.events()
        if event_type == SCORE_CHANGED
    ]


class TestRollUps:
    async def test_item_and_unit_change_with_the_rating(self, evaluation):
        item_id = uuid4()
        for level in ("very-satisfied", "dissatisfied", "satisfied"):
            case = await finish_case(evaluation, item_id=item_id)
            await case.rate(level)
        for path in (f"/v1/scores/item/{item_id}", f"/v1/scores/unit/{UNIT}"):
            score = (await evaluation.client.get(path)).json()
            assert score["counts"] == {
                "very-satisfied": 1,
                "satisfied": 1,
                "fairly-satisfied": 0,
                "dissatisfied": 1,
                "very-dissatisfied": 0,
            }
            assert score["rated"] == 3
            assert score["satisfaction_ratio"] == pytest.approx(2 / 3)
            assert score["average_stars"] == pytest.approx(11 / 3)
            assert score["revision"] == 6
            assert (score["opened"], score["active_ratio"]) == (3, 1.0)

    async def test_a_second_rating_replaces_the_first_but_not_in_the_first_counts(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("fairly-satisfied")
        await case.again("very-satisfied")
        score = (await evaluation.client.get(f"/v1/scores/unit/{UNIT}")).json()
        assert (score["rated"], score["counts"]["very-satisfied"]) == (1, 1)
        assert score["first_counts"]["fairly-satisfied"] == 1
        assert score["first_counts"]["very-satisfied"] == 0
        assert score["revision"] == 3
        await assert_equal_to_a_recount(evaluation)

    async def test_the_same_level_again_changes_nothing(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("satisfied")
        await case.again("satisfied")
        assert [score.revision for score in await scores(evaluation)] == [2, 2]

    async def test_a_case_without_a_unit_counts_for_its_item(self, evaluation):
        case = await finish_case(evaluation, unit_code=None, unit_name=None)
        await case.rate("satisfied")
        assert [score.subject_kind for score in await scores(evaluation)] == ["item"]

    async def test_events_tell_the_whole_state_with_rising_revisions(self, evaluation):
        await rate_many(evaluation, UNIT, ["satisfied", "dissatisfied"])
        told = [score for score in await scores(evaluation) if score.subject_kind == "unit"]
        assert [score.revision for score in told] == [3, 4]
        assert told[1].subject_key == told[1].key == f"unit:{UNIT}"
        assert told[1].counts[RatingLevel.satisfied] == 1
        assert told[1].counts[RatingLevel.dissatisfied] == 1
        assert told[1].satisfaction_ratio == 0.5

    async def test_ratings_at_once_are_all_counted_and_told_in_order(self, evaluation):
        item_ids = [uuid4(), uuid4()]
        cases = [
            await finish_case(
                evaluation, item_id=item_ids[n % 2], unit_code=(UNIT, OTHER_UNIT)[n // 2 % 2]
            )
            for n in range(24)
        ]
        answers = await asyncio.gather(*(case.rate(LEVELS[n % 5]) for n, case in enumerate(cases)))
        assert {answer.status_code for answer in answers} == {201}
        by_subject: dict[str, list[int]] = {}
        for score in await scores(evaluation):
            by_subject.setdefault(score.subject_key, []).append(score.revision)
        assert all(revisions == list(range(13, 25)) for revisions in by_subject.values())
        assert len(by_subject) == 4
        await assert_equal_to_a_recount(evaluation)


class TestDefaultRatings:
    async def test_are_kept_apart(self, evaluation):
        silent = await finish_case(evaluation)
        await evaluation.fetch("UPDATE evaluable SET open_until = $1", date(2026, 1, 1))
        waiting = await finish_case(evaluation)
        assert await rate_all_silent(RatingLevel.satisfied, evaluation.database) == 1
        assert await rate_all_silent(RatingLevel.satisfied, evaluation.database) == 0
        await waiting.rate("dissatisfied")
        score = (await evaluation.client.get(f"/v1/scores/unit/{UNIT}")).json()
        assert (score["rated"], score["default_count"]) == (1, 1)
        assert score["satisfaction_ratio"] == 0.0
        await assert_equal_to_a_recount(evaluation)
        given = [event for event, _ in await evaluation.events() if "rating-given" in event]
        assert len(given) == 1
        shown = (await evaluation.client.get("/v1/ratings", headers=handler())).json()["items"]
        assert [row["is_default"] for row in shown] == [False, True]
        late = await silent.again("satisfied")
        assert (late.status_code, late.json()["code"]) == (409, "first-rating-missing")
        own = (await evaluation.client.get("/v1/evaluables", headers=silent.headers)).json()
        assert own["items"][0]["ratings"] == []
        assert own["items"][0]["state"] == "closed"


class TestReading:
    async def test_nobody_rated_yet(self, evaluation):
        answer = await evaluation.client.get(f"/v1/scores/item/{uuid4()}")
        assert answer.status_code == 200
        score = answer.json()
        assert (score["rated"], score["revision"]) == (0, 0)
        assert score["satisfaction_ratio"] is None
        assert set(score["counts"]) == set(LEVELS)

    @pytest.mark.parametrize(
        "path", ["item/x", "unit/140802", "unit/%00", "person/1", "channel/x", "thing/1"]
    )
    async def test_what_cannot_be_a_subject(self, evaluation, path):
        assert (await evaluation.client.get(f"/v1/scores/{path}")).status_code in (404, 422)

    async def test_unchanged_since(self, evaluation):
        await rate_many(evaluation, UNIT, ["satisfied"])
        path = f"/v1/scores/unit/{UNIT}"
        tag = (await evaluation.client.get(path)).headers["etag"]
        again = await evaluation.client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        await rate_many(evaluation, UNIT, ["satisfied"])
        assert (
            await evaluation.client.get(path, headers={"If-None-Match": tag})
        ).status_code == 200

    async def test_ranking_is_by_the_lower_bound(self, evaluation):
        many, few, bad = UNIT, OTHER_UNIT, "140802000000:health"
        await rate_many(evaluation, few, ["very-satisfied"])
        await rate_many(evaluation, many, ["satisfied"] * 8 + ["dissatisfied"])
        await rate_many(evaluation, bad, ["dissatisfied"])
        await rate_many(evaluation, "140821000000:health", ["satisfied"])
        seen = await all_pages(evaluation, "/v1/scores?kind=unit&division=140802000000")
        assert [row["subject_id"] for row in seen] == [many, few, bad]
        assert seen[0]["satisfaction_floor"] == pytest.approx(wilson_floor(8, 9))
        assert seen[1]["satisfaction_floor"] == pytest.approx(wilson_floor(1, 1))
        assert seen[2]["satisfaction_floor"] == pytest.approx(0, abs=1e-9)
        city = await evaluation.client.get("/v1/scores?kind=unit&division=140800000000")
        assert len(city.json()["items"]) == 4
        items = await evaluation.client.get("/v1/scores?kind=item&limit=100")
        assert len(items.json()["items"]) == 12

    async def test_ranking_refuses_nonsense(self, evaluation):
        get = evaluation.client.get
        for query, status in (
            ("", 422),
            ("?kind=thing", 422),
            ("?kind=unit&level=county", 422),
            ("?kind=division", 422),
            ("?kind=unit&grain=month", 422),
            ("?kind=unit&grain=day&day=2026-01-01", 422),
            ("?kind=unit&day=2026-01-01", 422),
            ("?kind=unit&division=1408", 422),
            ("?kind=item&division=140802000000", 422),
            ("?kind=unit&after=WzEsMl0", 400),
            ("?kind=unit&limit=1000", 422),
        ):
            assert (await get(f"/v1/scores{query}")).status_code == status, query

    async def test_days(self, evaluation):
        await rate_many(evaluation, UNIT, ["satisfied", "dissatisfied"])
        path = f"/v1/scores/unit/{UNIT}/days"
        today = local_day(now())
        rows = (await evaluation.client.get(path)).json()["items"]
        assert [(row["day"], row["rated"], row["bad_first"]) for row in rows] == [
            (str(today), 2, 1)
        ]
        earlier = await evaluation.client.get(f"{path}?from=2026-01-01&until=2026-01-31")
        assert earlier.json()["items"] == []
        for period in ("from=2024-01-01&until=2026-01-01", "from=2026-02-01&until=2026-01-01"):
            answer = await evaluation.client.get(f"{path}?{period}")
            assert (answer.status_code, answer.json()["code"]) == (422, "period-invalid")
        assert (await evaluation.client.get(f"{path}?until=0001-01-01")).status_code == 200


def wilson_floor(good: int, count: int) -> float:
    """The textbook form. Source: Wilson (1927), 95 %."""
    z = 1.9599639845
    p = good / count
    centre = p + z * z / (2 * count)
    spread = z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return (centre - spread) / (1 + z * z / count)
