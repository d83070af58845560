"""Scores from evaluation: delivered twice, out of order, for other subjects, malformed."""

from uuid import uuid4

import pytest

from contracts.evaluation import ScoreChanged
from contracts.values import RatingLevel
from servicekit.bus import Poison
from services.catalogue.definition import SERVICE
from services.catalogue.scores.service import UNRATED, Score, weight
from services.catalogue.worker import create_worker
from tests.catalogue.factories import make_score


async def kept(catalogue) -> list[tuple]:
    rows = await catalogue.fetch("SELECT item_id, revision, rated, average_stars FROM item_score")
    return [tuple(row) for row in rows]


class TestKeepScore:
    async def test_twice_is_once(self, catalogue, people):
        item_id = uuid4()
        await people.score(*[make_score(item_id, revision=1, rated=2)] * 2)
        assert await kept(catalogue) == [(item_id, 1, 2, 4.0)]

    async def test_an_older_revision_is_ignored(self, catalogue, people):
        item_id = uuid4()
        newer = make_score(item_id, revision=3, rated=3, average_stars=2.0)
        older = make_score(item_id, revision=2, rated=2)
        await people.score(newer, older)
        assert await kept(catalogue) == [(item_id, 3, 3, 2.0)]

    async def test_counts_are_kept_by_level(self, catalogue, people):
        event = make_score(uuid4(), counts={RatingLevel.very_dissatisfied: 2})
        await people.score(event)
        rows = await catalogue.fetch("SELECT counts::text AS counts FROM item_score")
        assert rows[0]["counts"] == '{"very-dissatisfied": 2}'

    async def test_a_unit_is_not_ours(self, catalogue, people):
        event = make_score(uuid4(), subject_kind="unit", subject_id="140802000000:civil-affairs")
        await people.score(event)
        assert await kept(catalogue) == []

    async def test_an_id_that_is_none_is_poison(self, catalogue, people):
        with pytest.raises(Poison):
            await people.score(make_score(uuid4(), subject_id="残补"))
        assert await kept(catalogue) == []

    async def test_a_score_that_came_before_its_item_is_shown_with_it(self, catalogue, people):
        item_id = await people.draft()
        await people.score(make_score(item_id, rated=7))
        await people.approve(item_id)
        item = (await catalogue.client.get(f"/v1/items/{item_id}")).json()
        assert item["score"]["rated"] == 7
        listed = (await catalogue.client.get("/v1/items")).json()["items"]
        assert listed[0]["score"]["rated"] == 7


class TestWeight:
    def test_one_enthusiast_does_not_outrank_a_thousand_content_people(self):
        assert weight(Score(1, 1.0, 5.0)) < weight(Score(1000, 0.99, 4.8))
        assert weight(Score(1, 0.0, 1.0)) < weight(UNRATED) < weight(Score(1, 1.0, 5.0))


def test_the_worker_takes_scores_and_the_copy_can_be_rebuilt(catalogue):
    subscriptions = {each.group: each for each in create_worker(catalogue.settings).subscriptions}
    subscription = subscriptions["catalogue.scores"]
    projection = SERVICE.projections()["item-scores"]
    assert projection.handlers.keys() == subscription.handlers.keys() == {ScoreChanged}
    assert list(projection.tables) == ["item_score"]
