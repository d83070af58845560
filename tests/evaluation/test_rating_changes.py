"""Corrected and withdrawn ratings: history kept, scores moved, matters opened and closed."""

import asyncio
from datetime import date
from uuid import UUID

from tests.evaluation.factories import (
    OTHER_UNIT,
    assert_equal_to_a_recount,
    finish_case,
    handler,
    open_matter,
)
from tests.support.tokens import resident

EVALUATION = "cn.yichuang.evaluation"


async def act(evaluation, rating_id, what, body=None, headers=None):
    path = f"/v1/ratings/{rating_id}/{what}"
    return await evaluation.client.post(path, json=body or {}, headers=headers)


async def correct(evaluation, case, rating_id, level, **values):
    return await act(evaluation, rating_id, "correction", values | {"level": level}, case.headers)


async def score_of(evaluation, kind="unit"):
    [row] = await evaluation.fetch("SELECT * FROM score WHERE subject_kind = $1", kind)
    return row


async def recounted(evaluation):
    """Nothing differs from what the ratings add up to."""
    await assert_equal_to_a_recount(evaluation)


class TestCorrect:
    async def test_good_to_bad_opens_a_matter_and_keeps_what_was(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("satisfied", text="一开始觉得还可以")).json()
        answer = await correct(evaluation, case, given["id"], "dissatisfied", tags=["213"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["level"] == "dissatisfied"
        assert await evaluation.count("rectification") == 1
        row = await score_of(evaluation)
        assert (row["first_satisfied"], row["first_dissatisfied"]) == (0, 1)
        assert (row["current_satisfied"], row["current_dissatisfied"]) == (0, 1)
        [stored] = await evaluation.fetch("SELECT text_before FROM rating_revision")
        assert "一开始" not in stored["text_before"]
        path = f"/v1/ratings/{given['id']}/history"
        [own] = (await evaluation.client.get(path, headers=case.headers)).json()["items"]
        assert (own["level_before"], own["text_before"]) == ("satisfied", "一开始觉得还可以")
        kinds = [kind for kind, _ in await evaluation.events()]
        assert f"{EVALUATION}.rating-corrected.v1" in kinds
        assert f"{EVALUATION}.rectification-opened.v1" in kinds
        await recounted(evaluation)

    async def test_bad_to_good_closes_the_matter(self, evaluation):
        matter = await open_matter(evaluation)
        [row] = await evaluation.fetch("SELECT id FROM rating")
        answer = await correct(evaluation, matter.case, row["id"], "satisfied")
        assert answer.status_code == 200, answer.text
        assert await matter.state() == "closed"
        closed = dict(await evaluation.events())[f"{EVALUATION}.rectification-closed.v1"]
        assert closed["outcome"] == "withdrawn"
        await recounted(evaluation)

    async def test_staff_read_the_history_screened_and_by_day(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("satisfied", text="请打13800138000")).json()
        await correct(evaluation, case, given["id"], "fairly-satisfied")
        path = f"/v1/ratings/{given['id']}/history"
        answer = await evaluation.client.get(path, headers=handler())
        assert "13800138000" not in answer.text
        assert given["given_at"][:16] not in answer.text
        other = await evaluation.client.get(path, headers=handler(OTHER_UNIT))
        assert (other.status_code, other.json()["code"]) == (403, "wrong-unit")
        stranger = await evaluation.client.get(path, headers=resident())
        assert stranger.status_code == 404


class TestRefusals:
    async def assert_unchanged(self, evaluation):
        assert await evaluation.count("rating_revision") == 0
        kinds = {kind for kind, _ in await evaluation.events()}
        assert not kinds & {
            f"{EVALUATION}.rating-corrected.v1",
            f"{EVALUATION}.rating-withdrawn.v1",
        }

    async def test_wrong_people_and_bodies(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("satisfied")).json()
        for headers, status in ((resident(), 404), (handler(), 403), (None, 401)):
            for what in ("correction", "withdrawal"):
                body = {"level": "dissatisfied"}
                answer = await act(evaluation, given["id"], what, body, headers)
                assert answer.status_code == status, answer.text
        for bad in ({"level": "dissatisfied", "tags": ["510"]}, {"level": "五星"}, {}):
            answer = await act(evaluation, given["id"], "correction", bad, case.headers)
            assert answer.status_code == 422
        await self.assert_unchanged(evaluation)

    async def test_too_late(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("satisfied")).json()
        await evaluation.fetch("UPDATE rating SET given_on = $1", date(2026, 1, 1))
        answer = await correct(evaluation, case, given["id"], "dissatisfied")
        assert (answer.status_code, answer.json()["code"]) == (410, "correction-too-late")
        await self.assert_unchanged(evaluation)

    async def test_once_the_unit_works_on_it(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "情况属实"})
        [row] = await evaluation.fetch("SELECT id FROM rating")
        answer = await act(evaluation, row["id"], "withdrawal", None, matter.case.headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "correction-under-way")
        await self.assert_unchanged(evaluation)

    async def test_a_first_rating_under_a_second(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("satisfied")).json()
        await case.again("very-satisfied")
        answer = await correct(evaluation, case, given["id"], "dissatisfied")
        assert (answer.status_code, answer.json()["code"]) == (409, "rated-again")
        await self.assert_unchanged(evaluation)


class TestWithdraw:
    async def test_counts_in_nothing_and_stays_on_record(self, evaluation):
        matter = await open_matter(evaluation)
        [row] = await evaluation.fetch("SELECT id FROM rating")
        headers = matter.case.headers
        answers = await asyncio.gather(
            *(act(evaluation, row["id"], "withdrawal", None, headers) for _ in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert await matter.state() == "closed"
        score = await score_of(evaluation)
        assert (score["rated"], score["first_dissatisfied"]) == (0, 0)
        listed = (await evaluation.client.get("/v1/ratings", headers=matter.handler)).json()
        assert [item["state"] for item in listed["items"]] == ["withdrawn"]
        await recounted(evaluation)
        again = await matter.case.again("satisfied")
        assert (again.status_code, again.json()["code"]) == (409, "first-rating-missing")
        first = await matter.case.rate("satisfied")
        assert (first.status_code, first.json()["code"]) == (409, "rating-already-given")

    async def test_a_second_rating_gives_the_first_its_place_back(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("satisfied")
        second = (await case.again("dissatisfied")).json()
        answer = await act(evaluation, second["id"], "withdrawal", None, case.headers)
        assert answer.status_code == 200
        row = await score_of(evaluation)
        assert (row["current_satisfied"], row["current_dissatisfied"]) == (1, 0)
        matter = UUID(second["rectification"]["id"])
        [stored] = await evaluation.fetch(
            "SELECT state, outcome FROM rectification WHERE id = $1", matter
        )
        assert tuple(stored) == ("closed", "withdrawn")
        await recounted(evaluation)

    async def test_repeated_with_its_key(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("satisfied")).json()
        for what in ("correction", "withdrawal"):
            keyed = case.headers | {"Idempotency-Key": f"change-{what}"}
            body = {"level": "fairly-satisfied"}
            first = await act(evaluation, given["id"], what, body, keyed)
            second = await act(evaluation, given["id"], what, body, keyed)
            assert (first.status_code, second.content) == (200, first.content)
        assert await evaluation.count("rating_revision") == 2
