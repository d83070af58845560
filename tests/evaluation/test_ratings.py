import asyncio
from datetime import date
from uuid import uuid4

import pytest

from tests.evaluation.factories import OTHER_UNIT, UNIT, all_pages, finish_case, handler, supervisor
from tests.support.tokens import bearer, resident

RATING_GIVEN = "cn.yichuang.evaluation.rating-given.v1"


async def assert_nothing_written(evaluation, *, ratings=0):
    assert await evaluation.count("rating") == ratings
    assert await evaluation.count("rectification") == 0
    if ratings == 0:
        assert await evaluation.fetch("SELECT 1 FROM score WHERE rated > 0") == []
        assert [event for event, _ in await evaluation.events()] == [
            "cn.yichuang.evaluation.evaluation-opened.v1"
        ]


class TestGiveRating:
    async def test_first_rating(self, evaluation):
        case = await finish_case(evaluation)
        answer = await case.rate("very-satisfied", tags=["510", "517"], text=" 很快办好了 ")
        assert answer.status_code == 201
        body = answer.json()
        assert body["level"] == "very-satisfied"
        assert body["tags"] == ["510", "517"]
        assert "text" not in body  # the answer is kept for repeats, and must not keep it
        assert body["assess_number"] == 1
        assert body["rectification"] is None
        [_, (event_type, event), item_score, unit_score] = await evaluation.events()
        assert event_type == RATING_GIVEN
        assert event["rating_id"] == body["id"]
        assert event["level"] == "very-satisfied"
        assert "text" not in event
        assert [item_score[1]["subject_kind"], unit_score[1]["subject_kind"]] == ["item", "unit"]

    async def test_text_is_stored_encrypted(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate(text="电话13800138000，办得好")
        [row] = await evaluation.fetch("SELECT text, findings FROM rating")
        assert "13800138000" not in row["text"]
        assert row["text"].startswith("test.")
        assert row["findings"] == ["mobile"]

    async def test_second_first_rating_is_refused(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("satisfied")
        answer = await case.rate("dissatisfied")
        assert (answer.status_code, answer.json()["code"]) == (409, "rating-already-given")
        await assert_nothing_written(evaluation, ratings=1)

    async def test_race_of_two_first_ratings_has_one_winner(self, evaluation):
        case = await finish_case(evaluation)
        answers = await asyncio.gather(
            *(case.rate(level) for level in ("satisfied", "dissatisfied", "very-satisfied"))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert await evaluation.count("rating") == 1
        [row] = await evaluation.fetch("SELECT rated FROM score WHERE subject_kind = 'unit'")
        assert row["rated"] == 1

    async def test_same_idempotency_key_answers_again(self, evaluation):
        case = await finish_case(evaluation)
        headers = case.headers | {"Idempotency-Key": "rate-1"}
        first = await case.rate(headers=headers)
        second = await case.rate(headers=headers)
        assert second.status_code == 201
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"
        assert await evaluation.count("rating") == 1

    async def test_repeat_after_the_refusal_of_another_body(self, evaluation):
        case = await finish_case(evaluation)
        headers = case.headers | {"Idempotency-Key": "rate-2"}
        await case.rate("satisfied", headers=headers)
        answer = await case.rate("dissatisfied", headers=headers)
        assert answer.json()["code"] == "idempotency-key-reused"


class TestRefusals:
    @pytest.mark.parametrize(
        ("tags", "code"),
        [
            (["213"], "tag-of-other-level"),
            (["999"], "tag-unknown"),
            (["401"], "tag-retired"),
        ],
    )
    async def test_tags(self, evaluation, tags, code):
        case = await finish_case(evaluation)
        answer = await case.rate("satisfied", tags=tags)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["tags"] == tags
        await assert_nothing_written(evaluation)

    async def test_period_over(self, evaluation):
        case = await finish_case(evaluation)
        await evaluation.fetch("UPDATE evaluable SET open_until = $1", date(2026, 1, 1))
        answer = await case.rate()
        assert (answer.status_code, answer.json()["code"]) == (410, "evaluation-closed")
        await assert_nothing_written(evaluation)

    async def test_somebody_elses_case_looks_like_no_case(self, evaluation):
        case = await finish_case(evaluation)
        theirs = await case.rate(headers=resident())
        none = await case.rate(evaluable_id=str(uuid4()))
        assert (theirs.status_code, theirs.json()["code"]) == (404, "evaluable-not-found")
        hide = {"instance": None}
        assert theirs.json() | hide == none.json() | hide
        await assert_nothing_written(evaluation)

    async def test_staff_may_not_rate(self, evaluation):
        case = await finish_case(evaluation)
        for headers in (
            handler(account_id=case.event.applicant_id),
            bearer("resident", account_id=case.event.applicant_id, kind="staff", unit=UNIT),
        ):
            answer = await case.rate("very-satisfied", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "staff-may-not-rate")
        await assert_nothing_written(evaluation)

    async def test_resident_account_without_the_role(self, evaluation):
        case = await finish_case(evaluation)
        headers = bearer(account_id=case.event.applicant_id, kind="resident")
        answer = await case.rate(headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        await assert_nothing_written(evaluation)

    async def test_nobody(self, evaluation):
        case = await finish_case(evaluation)
        answer = await evaluation.client.post(
            "/v1/ratings",
            json={"evaluable_id": case.evaluable_id, "level": "satisfied", "channel": "portal"},
        )
        assert answer.status_code == 401
        await assert_nothing_written(evaluation)

    @pytest.mark.parametrize(
        ("values", "path"),
        [
            ({"level": "5"}, "/level"),
            ({"level": 1}, "/level"),
            ({"channel": "telephone"}, "/channel"),
            ({"assess_number": 3}, "/assess_number"),
            ({"tags": ["406", "406"]}, "/tags"),
            ({"tags": ["\u0000"]}, "/tags/0"),
            ({"text": "长" * 501}, "/text"),
            ({"stars": 5}, "/stars"),
            ({"evaluable_id": "1"}, "/evaluable_id"),
        ],
    )
    async def test_bad_bodies_are_told_by_path(self, evaluation, values, path):
        case = await finish_case(evaluation)
        answer = await case.rate(**({"level": "satisfied"} | values))
        assert answer.status_code == 422
        assert [error["path"] for error in answer.json()["errors"]] == [path]
        await assert_nothing_written(evaluation)

    async def test_half_a_character_is_no_text(self, evaluation):
        case = await finish_case(evaluation)
        body = (
            f'{{"evaluable_id": "{case.evaluable_id}", "level": "satisfied", '
            '"channel": "portal", "text": "\\ud800"}'
        )
        headers = case.headers | {"content-type": "application/json"}
        answer = await evaluation.client.post("/v1/ratings", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        await assert_nothing_written(evaluation)


class TestRateAgain:
    async def test_only_after_a_first_rating(self, evaluation):
        case = await finish_case(evaluation)
        answer = await case.again("satisfied")
        assert (answer.status_code, answer.json()["code"]) == (409, "first-rating-missing")
        await assert_nothing_written(evaluation)

    async def test_once_and_no_more(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("fairly-satisfied")
        assert (await case.again("very-satisfied", tags=["510"])).status_code == 201
        answer = await case.again("satisfied")
        assert (answer.status_code, answer.json()["code"]) == (409, "rating-already-given")
        assert await evaluation.count("rating") == 2
        own = await evaluation.client.get("/v1/evaluables", headers=case.headers)
        [row] = own.json()["items"]
        assert [given["level"] for given in row["ratings"]] == [
            "fairly-satisfied",
            "very-satisfied",
        ]
        assert row["next_assess_number"] is None

    async def test_race_of_two_has_one_winner(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("fairly-satisfied")
        answers = await asyncio.gather(*(case.again("satisfied") for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]

    async def test_waits_for_the_reply_of_the_unit(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("dissatisfied")
        answer = await case.again("satisfied")
        assert (answer.status_code, answer.json()["code"]) == (409, "rectification-under-way")
        assert await evaluation.count("rating") == 1

    async def test_not_after_the_period(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("satisfied")
        await evaluation.fetch("UPDATE evaluable SET open_until = $1", date(2026, 1, 1))
        answer = await case.again("very-satisfied")
        assert (answer.status_code, answer.json()["code"]) == (410, "evaluation-closed")

    async def test_bad_after_a_good_first_rating_opens_a_rectification(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("satisfied")
        answer = await case.again("very-dissatisfied", tags=["115"])
        assert answer.status_code == 201
        assert answer.json()["rectification"]["id"]
        assert await evaluation.count("rectification") == 1


class TestReadRatings:
    async def test_the_resident_reads_their_own_whole(self, evaluation):
        case = await finish_case(evaluation)
        given = (await case.rate("dissatisfied", text="电话13800138000")).json()
        path = f"/v1/ratings/{given['id']}"
        answer = await evaluation.client.get(path, headers=case.headers)
        assert answer.json() == given | {
            "view": "own",
            "state": "counted",
            "text": "电话13800138000",
        }
        stranger = await evaluation.client.get(path, headers=resident())
        assert (stranger.status_code, stranger.json()["code"]) == (404, "rating-not-found")
        assert (await evaluation.client.get(path)).status_code == 401
        none = await evaluation.client.get(f"/v1/ratings/{uuid4()}", headers=handler())
        assert (none.status_code, none.json()["code"]) == (404, "rating-not-found")

    async def test_only_staff_in_charge(self, evaluation):
        case = await finish_case(evaluation)
        rating_id = (await case.rate()).json()["id"]
        path = f"/v1/ratings/{rating_id}"
        for headers, code in (
            (handler(OTHER_UNIT), "wrong-unit"),
            (supervisor("140821000000"), "wrong-division"),
            (supervisor("140802001000"), "wrong-division"),
            (bearer("window-clerk", unit=UNIT), "wrong-role"),
        ):
            answer = await evaluation.client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        for headers in (handler(), supervisor(), supervisor("140800000000")):
            answer = await evaluation.client.get(path, headers=headers)
            assert answer.status_code == 200
            assert answer.json()["view"] == "staff"

    async def test_lists_are_of_the_unit_or_the_division(self, evaluation):
        for unit in (UNIT, OTHER_UNIT, "140821000000:civil-affairs", UNIT):
            await (await finish_case(evaluation, unit_code=unit)).rate()
        get = evaluation.client.get
        own = (await get("/v1/ratings", headers=handler())).json()["items"]
        assert [row["unit_code"] for row in own] == [UNIT, UNIT]
        county = (await get("/v1/ratings", headers=supervisor())).json()["items"]
        assert [row["unit_code"] for row in county] == [UNIT, OTHER_UNIT, UNIT]
        city = (await get("/v1/ratings", headers=supervisor("140800000000"))).json()["items"]
        assert len(city) == 4
        other = f"/v1/ratings?unit={OTHER_UNIT}"
        assert len((await get(other, headers=supervisor())).json()["items"]) == 1
        assert (await get(other, headers=handler())).json()["items"] == []

    async def test_list_by_level_and_page(self, evaluation):
        levels = ["satisfied", "dissatisfied", "satisfied", "very-satisfied", "satisfied"]
        for level in levels:
            await (await finish_case(evaluation)).rate(level)
        seen = await all_pages(evaluation, "/v1/ratings", supervisor())
        assert [row["level"] for row in seen] == levels[::-1]
        bad = await evaluation.client.get("/v1/ratings?level=dissatisfied", headers=supervisor())
        assert len(bad.json()["items"]) == 1

    @pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "WyJhIl0", "WzFlMzBd", "Wy0xXQ"])
    async def test_forged_cursor(self, evaluation, cursor):
        answer = await evaluation.client.get(f"/v1/ratings?after={cursor}", headers=supervisor())
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_list_is_for_staff_with_a_place(self, evaluation):
        for headers, code in (
            (resident(), "wrong-role"),
            (bearer("handler"), "wrong-unit"),
            (bearer("supervisor", division=None), "wrong-division"),
        ):
            answer = await evaluation.client.get("/v1/ratings", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)


class TestEvaluables:
    async def test_open_ones_first_then_the_newest(self, evaluation):
        account = uuid4()
        cases = [await finish_case(evaluation, applicant_id=account) for _ in range(4)]
        await finish_case(evaluation)
        await cases[3].rate("satisfied")
        seen = await all_pages(evaluation, "/v1/evaluables", resident(account))
        assert [row["id"] for row in seen] == [cases[n].evaluable_id for n in (2, 1, 0, 3)]
        assert [row["state"] for row in seen] == ["open", "open", "open", "rated"]
        assert [row["next_assess_number"] for row in seen] == [1, 1, 1, 2]
        assert seen[3]["ratings"][0]["level"] == "satisfied"
        assert seen[0]["service_name"] == "办结"

    async def test_of_one_case(self, evaluation):
        account = uuid4()
        cases = [await finish_case(evaluation, applicant_id=account) for _ in range(2)]
        await cases[0].rate("very-dissatisfied")
        answer = await evaluation.client.get(
            f"/v1/evaluables?case_id={cases[0].event.case_id}", headers=resident(account)
        )
        [row] = answer.json()["items"]
        assert row["id"] == cases[0].evaluable_id
        assert row["rectification"]["state"] == "opened"
        assert row["next_assess_number"] is None

    async def test_closed_without_a_rating(self, evaluation):
        case = await finish_case(evaluation)
        await evaluation.fetch("UPDATE evaluable SET open_until = $1", date(2026, 1, 1))
        answer = await evaluation.client.get("/v1/evaluables", headers=case.headers)
        [row] = answer.json()["items"]
        assert (row["state"], row["next_assess_number"]) == ("closed", None)

    @pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "WzEsMiwzXQ", "WzEsImEiLCJiIl0"])
    async def test_forged_cursor(self, evaluation, cursor):
        answer = await evaluation.client.get(f"/v1/evaluables?after={cursor}", headers=resident())
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_is_for_residents(self, evaluation):
        answer = await evaluation.client.get("/v1/evaluables", headers=handler())
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


class TestTags:
    async def test_five_levels_of_eight(self, evaluation):
        answer = await evaluation.client.get("/v1/rating-tags")
        tags = answer.json()["items"]
        assert len(tags) == 40
        assert [tag["code"] for tag in tags[:4]] == ["510", "511", "512", "513"]
        assert not any(tag["is_retired"] for tag in tags)

    async def test_of_one_level_with_the_retired(self, evaluation):
        answer = await evaluation.client.get("/v1/rating-tags?level=satisfied&retired=true")
        tags = answer.json()["items"]
        assert {tag["level"] for tag in tags} == {"satisfied"}
        assert {tag["code"] for tag in tags if tag["is_retired"]} == {"401", "402", "404", "405"}

    async def test_levels_go_by_name(self, evaluation):
        assert (await evaluation.client.get("/v1/rating-tags?level=5")).status_code == 422
