"""Recounts: a job of small steps that puts right what differs, beside people who go on rating."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from contracts.evaluation import ScoreChanged
from services.evaluation.scores import recounts, settling
from services.evaluation.scores import service as scores
from services.evaluation.scores.recounts import Recounter
from tests.evaluation.factories import (
    COUNTY,
    OTHER_UNIT,
    UNIT,
    VILLAGE,
    all_pages,
    assert_equal_to_a_recount,
    completed,
    deliver,
    finish_case,
    handler,
    rate_many,
    recounted,
    supervisor,
)
from tests.support.tokens import bearer, resident

TABLES = ("score_fact", "score_day", "score_month", "score_year", "score")


async def ask(evaluation, headers=None):
    return await evaluation.client.post("/v1/scores/recount", headers=headers or bearer("operator"))


async def work_off(evaluation) -> None:
    recounter = Recounter(evaluation.database)
    while await recounter.step():
        pass


async def read(evaluation, path):
    answer = await evaluation.client.get(path, headers=bearer("operator"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def spoil(evaluation) -> None:
    """Wrong in every table, each in another way."""
    await evaluation.fetch("UPDATE score SET current_satisfied = 9 WHERE subject_id = $1", UNIT)
    await evaluation.fetch("DELETE FROM score_day WHERE subject_kind = 'unit'")
    await evaluation.fetch("UPDATE score_month SET kept = 7 WHERE subject_id = $1", VILLAGE)
    await evaluation.fetch("UPDATE score_year SET opened = 7 WHERE subject_id = $1", COUNTY)
    await evaluation.fetch(
        "INSERT INTO score_day (subject_kind, subject_id, day, first_satisfied) "
        "VALUES ('unit', $1, '2026-10-01', 3)",
        OTHER_UNIT,
    )


async def roll_ups(evaluation) -> list[tuple]:
    found = []
    for table in TABLES[1:]:
        rows = await evaluation.fetch(f"SELECT * FROM {table} ORDER BY subject_kind, subject_id")
        found += [
            tuple(value for name, value in row.items() if name not in ("revision", "changed_at"))
            for row in rows
        ]
    return found


async def until_somebody_waits(evaluation) -> None:
    """Until a transaction waits for another's lock."""
    async with asyncio.timeout(10):
        while True:
            if await evaluation.fetch(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            ):
                return
            await asyncio.sleep(0.01)


class TestRecount:
    async def test_puts_right_what_differs_and_tells_it(self, evaluation):
        await rate_many(evaluation, UNIT, ["satisfied", "dissatisfied"])
        await spoil(evaluation)
        answer = await ask(evaluation)
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting"), answer.text
        path = answer.headers["location"]
        await work_off(evaluation)
        recount = await read(evaluation, path)
        assert (recount["state"], recount["phase"], recount["services"]) == (
            "finished",
            "totals",
            2,
        )
        assert (recount["services_corrected"], recount["subjects_corrected"]) == (0, 4)
        differences = await all_pages(evaluation, f"{path}/differences?", bearer("operator"))
        assert [(row["subject_kind"], row["subject_id"]) for row in differences] == [
            ("division", COUNTY),
            ("division", VILLAGE),
            ("unit", OTHER_UNIT),
            ("unit", UNIT),
        ]
        told = [
            ScoreChanged.model_validate(body)
            for event_type, body in await evaluation.events()
            if event_type == ScoreChanged.event_type and body["subject_id"] == UNIT
        ]
        assert (told[-1].revision, told[-1].rated) == (5, 2)
        await assert_equal_to_a_recount(evaluation)
        rows = await evaluation.fetch("SELECT * FROM score_day WHERE subject_id = $1", UNIT)
        assert [row["current_dissatisfied"] for row in rows] == [1]
        assert len(await all_pages(evaluation, "/v1/score-recounts?", bearer("operator"))) == 2

    async def test_counts_what_was_there_before_anything_was_kept(self, evaluation):
        await rate_many(evaluation, UNIT, ["satisfied", "dissatisfied"])
        before = await roll_ups(evaluation)
        for table in TABLES:
            await evaluation.fetch(f"DELETE FROM {table}")
        assert await recounted(evaluation) != []
        assert await roll_ups(evaluation) == before
        await evaluation.fetch("DELETE FROM score")
        assert await recounted(evaluation) != []
        assert await roll_ups(evaluation) == before

    async def test_corrects_facts_that_were_not_settled(self, evaluation):
        cases = await rate_many(evaluation, UNIT, ["satisfied"] * 3)
        evaluable_id = UUID(cases[1].evaluable_id)
        await evaluation.fetch(
            "UPDATE rating SET level = 'dissatisfied', given_on = '2026-09-30' "
            "WHERE evaluable_id = $1",
            evaluable_id,
        )
        await evaluation.fetch("UPDATE evaluable SET window_code = '7' WHERE id = $1", evaluable_id)
        corrected = await recounted(evaluation)
        assert {f"unit:{UNIT}", f"window:{UNIT}:7"} <= set(corrected)
        score = (await evaluation.client.get(f"/v1/scores/unit/{UNIT}")).json()
        assert (score["counts"]["satisfied"], score["counts"]["dissatisfied"]) == (2, 1)
        await assert_equal_to_a_recount(evaluation)


class TestBesideTheirWork:
    async def test_ratings_and_late_events_meanwhile(self, evaluation, monkeypatch):
        """However they fall between the steps, what is counted is right afterwards."""
        monkeypatch.setattr(recounts, "FIRST_SERVICES", 3)
        monkeypatch.setattr(recounts, "CORRECTED_ROWS", 5)
        item_id = uuid4()
        cases = [
            await finish_case(
                evaluation,
                item_id=item_id,
                unit_code=(UNIT, OTHER_UNIT)[n % 2],
                division_code=(VILLAGE, COUNTY)[n % 2],
            )
            for n in range(16)
        ]
        await asyncio.gather(*(case.rate("satisfied") for case in cases[:8]))
        await spoil(evaluation)
        assert (await ask(evaluation)).status_code == 202

        async def late(case, day):
            values = case.event.model_dump() | {"case_version": 9, "completed_on": day}
            await deliver(evaluation, completed(**values))

        async def moved(case, day):
            await evaluation.fetch(
                "UPDATE rating SET given_on = $2 WHERE evaluable_id = $1",
                UUID(case.evaluable_id),
                day,
            )
            async with evaluation.database.transaction() as session:
                scores.touch(session, UUID(case.evaluable_id))

        async def one_after_another(works):
            for work in works:
                await work

        await asyncio.gather(
            work_off(evaluation),
            one_after_another([case.rate("dissatisfied") for case in cases[8:]]),
            one_after_another([late(case, date(2026, 12, 24)) for case in cases]),
            one_after_another([moved(case, date(2026, 10, 2)) for case in cases[:8]]),
        )
        assert (await read(evaluation, "/v1/score-recounts"))["items"][0]["state"] == "finished"
        score = (await evaluation.client.get(f"/v1/scores/item/{item_id}")).json()
        assert (score["rated"], score["opened"], score["on_time_ratio"]) == (16, 16, 0.0)
        await assert_equal_to_a_recount(evaluation)

    async def test_whoever_has_added_is_waited_for_and_nobody_waits_for_a_comparison(
        self, evaluation
    ):
        [first, second] = await rate_many(evaluation, UNIT, ["satisfied", "satisfied"])
        await evaluation.fetch("UPDATE score_day SET opened = 40 WHERE subject_id = $1", UNIT)
        await ask(evaluation)
        recounter = Recounter(evaluation.database)
        for _ in range(2):  # the services
            await recounter.step()
        async with evaluation.database.transaction() as session:
            await evaluation.fetch(
                "UPDATE rating SET level = 'dissatisfied' WHERE evaluable_id = $1",
                UUID(first.evaluable_id),
            )
            await settling.settle(session, [UUID(first.evaluable_id)])
            days = asyncio.create_task(recounter.step())
            await until_somebody_waits(evaluation)
            assert not days.done()
        await days
        assert (await second.again("dissatisfied")).status_code == 201
        while await recounter.step():
            pass
        score = (await evaluation.client.get(f"/v1/scores/unit/{UNIT}")).json()
        assert (score["counts"]["dissatisfied"], score["opened"]) == (2, 2)
        await assert_equal_to_a_recount(evaluation)

    async def test_whoever_goes_on_after_a_kill_goes_on_there(self, evaluation, monkeypatch):
        monkeypatch.setattr(recounts, "FIRST_SERVICES", 2)
        cases = await rate_many(evaluation, UNIT, ["satisfied"] * 5)
        await ask(evaluation)
        await Recounter(evaluation.database).step()
        await evaluation.fetch(
            "UPDATE rating SET level = 'dissatisfied' WHERE evaluable_id = $1",
            UUID(cases[2].evaluable_id),
        )
        async with evaluation.database.transaction() as session:
            await session.execute(text("SELECT FROM score_fact FOR UPDATE"))
            killed = asyncio.create_task(Recounter(evaluation.database).step())
            await until_somebody_waits(evaluation)
            killed.cancel()
            await asyncio.wait([killed])
        [recount] = (await read(evaluation, "/v1/score-recounts"))["items"]
        assert (recount["state"], recount["services"]) == ("running", 2)
        await asyncio.gather(work_off(evaluation), work_off(evaluation))
        [recount] = (await read(evaluation, "/v1/score-recounts"))["items"]
        assert (recount["state"], recount["services"]) == ("finished", 5)
        assert recount["services_corrected"] == 1


class TestAsking:
    @pytest.mark.parametrize("headers", [handler(), resident(), bearer("supervisor"), supervisor()])
    async def test_is_the_operators(self, evaluation, headers):
        for method, path in (
            ("POST", "/v1/scores/recount"),
            ("GET", "/v1/score-recounts"),
            ("GET", f"/v1/score-recounts/{uuid4()}"),
            ("GET", f"/v1/score-recounts/{uuid4()}/differences"),
        ):
            answer = await evaluation.client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        assert await evaluation.count("score_recount") == 0

    async def test_one_at_a_time_and_the_same_for_the_same_key(self, evaluation):
        answers = await asyncio.gather(*(ask(evaluation) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
        codes = {answer.json().get("code") for answer in answers if answer.status_code == 409}
        assert codes == {"recount-under-way"}
        await work_off(evaluation)
        operator = bearer("operator") | {"Idempotency-Key": "again"}
        first, second = [await ask(evaluation, operator) for _ in range(2)]
        assert (first.json(), first.headers["location"]) == (
            second.json(),
            second.headers["location"],
        )
        assert await evaluation.count("score_recount") == 2

    async def test_there_is_none(self, evaluation):
        for path in ("", "/differences", "/differences?after=WzEsMl0"):
            answer = await evaluation.client.get(
                f"/v1/score-recounts/{uuid4()}{path}", headers=bearer("operator")
            )
            assert (answer.status_code, answer.json()["code"]) == (404, "recount-not-found")
