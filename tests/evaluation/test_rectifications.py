import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.rectifications.service import fill_due_dates
from tests.evaluation.factories import (
    OTHER_UNIT,
    UNIT,
    Matter,
    all_pages,
    finish_case,
    handler,
    open_matter,
    supervisor,
)
from tests.support.tokens import bearer, resident

PREFIX = "cn.yichuang.evaluation."


async def told(evaluation) -> list[str]:
    """What was told about rectifications, in order."""
    names = [
        event.removeprefix(PREFIX).removesuffix(".v1") for event, _ in await evaluation.events()
    ]
    return [name.removeprefix("rectification-") for name in names if "rectification" in name]


async def assert_unchanged(matter: Matter, state: str, version: int):
    rows = await matter.service.fetch("SELECT state, version FROM rectification")
    assert [(row["state"], row["version"]) for row in rows] == [(state, version)]
    assert await matter.service.count("rectification_step") == version - 1


class TestOpening:
    @pytest.mark.parametrize("level", ["dissatisfied", "very-dissatisfied"])
    async def test_a_bad_rating_opens_one_for_the_unit_that_did_the_work(self, evaluation, level):
        case = await finish_case(evaluation)
        given = (await case.rate(level)).json()
        [row] = await evaluation.fetch("SELECT * FROM rectification")
        assert str(row["id"]) == given["rectification"]["id"]
        assert row["unit_code"] == UNIT
        assert row["state"] == "opened"
        [event] = [b for t, b in await evaluation.events() if t.endswith("rectification-opened.v1")]
        assert event["rating_id"] == given["id"]
        assert event["due_on"] == given["rectification"]["due_on"] == str(row["due_on"])

    @pytest.mark.parametrize("level", ["very-satisfied", "satisfied", "fairly-satisfied"])
    async def test_others_open_none(self, evaluation, level):
        await (await finish_case(evaluation)).rate(level)
        assert await evaluation.count("rectification") == 0

    async def test_missing_calendar_leaves_the_date_open_until_it_is_recorded(self, evaluation):
        years = await evaluation.fetch("DELETE FROM working_year RETURNING *")
        try:
            matter = await open_matter(evaluation)
            assert (await matter.read()).json()["due_on"] is None
            async with evaluation.database.transaction() as session:
                assert await fill_due_dates(session, evaluation.settings) == 0
        finally:
            for row in years:
                await evaluation.fetch(
                    "INSERT INTO working_year VALUES ($1, $2, $3, $4, $5)", *row.values()
                )
        async with evaluation.database.transaction() as session:
            assert await fill_due_dates(session, evaluation.settings) == 1
        assert (await matter.read()).json()["due_on"] is not None


class TestTheWholeWay:
    async def test_from_the_bad_rating_to_the_better_one(self, evaluation):
        matter = await open_matter(evaluation)
        shown = (await matter.act("verify", {"note": "样本确已过期"})).json()
        assert (shown["state"], shown["version"]) == ("verified", 2)
        assert shown["possible_actions"] == ["fix-now", "fix-by-date", "explain", "dispute"]
        shown = (await matter.act("fix-now", {"note": "当日更换样本"})).json()
        assert (shown["state"], shown["branch"]) == ("in-progress", "fix-now")
        answer = await matter.act("reply", {"reply": "已更换样本并向您致歉。"})
        assert answer.json()["state"] == "replied"
        assert answer.headers["etag"] == '"4"'

        own = (await matter.read(matter.case.headers)).json()
        assert own["reply"] == "已更换样本并向您致歉。"
        assert own["rerate_until"] == str(local_day(now()) + timedelta(days=30))
        again = await matter.case.again("very-satisfied", tags=["517"])
        assert again.status_code == 201

        shown = (await matter.call_back(reached=True, solved=True, note="居民表示满意")).json()
        assert (shown["state"], shown["solved"]) == ("closed", True)
        assert shown["possible_actions"] == []
        shown = (await matter.read()).json()
        assert [step["action"] for step in shown["history"]] == [
            "verify",
            "fix-now",
            "reply",
            "confirm-solved",
        ]
        assert shown["history"][0]["note"] == "样本确已过期"
        assert shown["history"][0]["actor_name"] == "王经办"
        assert shown["history"][3]["actor_name"] == "赵督办"
        assert await told(evaluation) == ["opened", "replied", "closed"]
        score = await evaluation.client.get(f"/v1/scores/unit/{UNIT}")
        assert score.json()["satisfaction_ratio"] == 1.0
        assert score.json()["bad_first"] == 1

    async def test_explained_and_rated_better_after_the_call_back(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "诉求无依据"})
        shown = (await matter.act("explain", {"note": "依据《残疾人两项补贴制度》"})).json()
        assert shown["branch"] == "explain"
        await matter.act("reply", {"reply": "按现行规定补贴从次月发放。"})
        await matter.call_back(reached=True, solved=True)
        assert (await matter.case.again("satisfied")).status_code == 201
        assert await matter.state() == "closed"

    async def test_fix_by_date_moves_the_due_date(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "需要协调"})
        promised = str(local_day(now()) + timedelta(days=10))
        body = {"note": "需县财政拨款", "fix_by": promised}
        shown = (await matter.act("fix-by-date", body)).json()
        assert (shown["due_on"], shown["fix_by"]) == (promised, promised)
        own = (await matter.read(matter.case.headers)).json()
        assert own["fix_by"] == promised

    @pytest.mark.parametrize("days", [-1, 60])
    async def test_promise_out_of_range(self, evaluation, days):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "需要协调"})
        body = {"note": "需县财政拨款", "fix_by": str(local_day(now()) + timedelta(days=days))}
        answer = await matter.act("fix-by-date", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "fix-by-out-of-range")
        await assert_unchanged(matter, "verified", 2)


class TestReopening:
    async def test_unsolved_call_back(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        shown = (await matter.call_back(reached=True, solved=False)).json()
        assert (shown["state"], shown["times_reopened"]) == ("reopened", 1)
        await matter.reply("第二次：已补发。")
        shown = (await matter.call_back(reached=True, solved=True)).json()
        assert shown["state"] == "closed"
        assert await told(evaluation) == ["opened", "replied", "reopened", "replied", "closed"]

    @pytest.mark.parametrize("closed_before", [False, True])
    async def test_second_bad_rating(self, evaluation, closed_before):
        matter = await open_matter(evaluation)
        await matter.reply()
        if closed_before:
            await matter.call_back(reached=True, solved=True)
        answer = await matter.case.again("very-dissatisfied", tags=["115"])
        assert answer.json()["rectification"]["id"] == matter.id
        shown = (await matter.read()).json()
        assert shown["state"] == "reopened"
        assert shown["solved"] is None
        assert shown["closed_at"] is None
        assert [rating["level"] for rating in shown["ratings"]] == [
            "dissatisfied",
            "very-dissatisfied",
        ]
        assert shown["history"][-1]["action"] == "rate-badly-again"
        assert shown["history"][-1]["actor_name"] is None
        assert (await told(evaluation))[-1] == "reopened"

    async def test_unreached_residents_are_called_on_several_days(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        early = await matter.act("close-unreached", {"note": "打不通"}, headers=matter.supervisor)
        assert (early.status_code, early.json()["code"]) == (409, "called-too-seldom")
        for days_ago in (2, 1, 0):
            for _ in range(2):  # twice a day counts once
                shown = (await matter.call_back(reached=False)).json()
            assert shown["missed_call_days"] == 3 - days_ago
            await evaluation.fetch("UPDATE rectification SET last_missed_on = last_missed_on - 1")
        assert shown["state"] == "replied"
        body = {"note": "三天均未接通"}
        shown = (await matter.act("close-unreached", body, headers=matter.supervisor)).json()
        assert (shown["state"], shown["solved"]) == ("closed", False)


class TestRefusals:
    @pytest.mark.parametrize(
        ("who", "status", "code"),
        [
            (handler(OTHER_UNIT), 403, "wrong-unit"),
            (supervisor("140821000000"), 403, "wrong-division"),
            (bearer("window-clerk", unit=UNIT), 403, "wrong-role"),
            (resident(), 403, "wrong-role"),
            ({}, 401, "unauthenticated"),
        ],
    )
    async def test_who_may_not_act(self, evaluation, who, status, code):
        matter = await open_matter(evaluation)
        answer = await evaluation.client.post(
            f"/v1/rectifications/{matter.id}/actions/verify",
            json={"note": "属实"},
            headers=who | {"If-Match": '"1"'},
        )
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        await assert_unchanged(matter, "opened", 1)

    async def test_the_resident_does_not_work_on_it(self, evaluation):
        matter = await open_matter(evaluation)
        answer = await matter.act("verify", {"note": "属实"}, headers=matter.case.headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        await assert_unchanged(matter, "opened", 1)

    async def test_handlers_do_not_call_back(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        answer = await matter.call_back(headers=matter.handler, reached=True, solved=True)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
        await assert_unchanged(matter, "replied", 4)

    async def test_who_replied_does_not_call_back(self, evaluation):
        matter = await open_matter(evaluation)
        matter.handler = matter.supervisor
        await matter.reply()
        answer = await matter.call_back(reached=True, solved=True)
        assert (answer.status_code, answer.json()["code"]) == (409, "call-back-by-replier")
        await assert_unchanged(matter, "replied", 4)
        other = await matter.call_back(headers=supervisor(), reached=True, solved=True)
        assert other.status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            {"reached": False, "solved": True},
            {"reached": False, "solved": False},
            {"reached": True},
        ],
    )
    async def test_nobody_reached_means_nothing_solved(self, evaluation, body):
        matter = await open_matter(evaluation)
        await matter.reply()
        answer = await matter.call_back(**body)
        assert (answer.status_code, answer.json()["code"]) == (422, "call-back-contradictory")
        await assert_unchanged(matter, "replied", 4)

    @pytest.mark.parametrize(
        ("action", "body"),
        [
            ("fix-now", {"note": "更换"}),
            ("reply", {"reply": "已经更换完毕。"}),
            ("explain", {"note": "依据"}),
        ],
    )
    async def test_out_of_turn(self, evaluation, action, body):
        matter = await open_matter(evaluation)
        answer = await matter.act(action, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "action-not-possible")
        assert answer.json()["state"] == "opened"
        await assert_unchanged(matter, "opened", 1)

    async def test_stale_or_missing_version(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "属实"})
        stale = await matter.act("fix-now", {"note": "更换"}, version=1)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
        missing = await evaluation.client.post(
            f"/v1/rectifications/{matter.id}/actions/fix-now",
            json={"note": "更换"},
            headers=matter.handler,
        )
        assert (missing.status_code, missing.json()["code"]) == (428, "version-required")
        await assert_unchanged(matter, "verified", 2)

    async def test_race_of_two_handlers_has_one_winner(self, evaluation):
        matter = await open_matter(evaluation)
        answers = await asyncio.gather(
            *(matter.act("verify", {"note": note}, version=1) for note in ("属实", "不属实"))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        await assert_unchanged(matter, "verified", 2)

    async def test_repeat_with_the_same_key(self, evaluation):
        matter = await open_matter(evaluation)
        headers = matter.handler | {"Idempotency-Key": "verify-1"}
        first = await matter.act("verify", {"note": "属实"}, headers=headers, version=1)
        second = await matter.act("verify", {"note": "属实"}, headers=headers, version=1)
        assert (first.status_code, second.content) == (200, first.content)
        assert second.headers["etag"] == '"2"'
        await assert_unchanged(matter, "verified", 2)

    async def test_reply_with_an_identity_number(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "属实"})
        await matter.act("fix-now", {"note": "更换"})
        answer = await matter.act("reply", {"reply": "14080219900307123X的补贴已发。"})
        assert (answer.status_code, answer.json()["code"]) == (422, "reply-holds-personal-number")
        await assert_unchanged(matter, "in-progress", 3)
        assert await told(evaluation) == ["opened"]

    async def test_unknown_matter_and_action(self, evaluation):
        answer = await evaluation.client.get(f"/v1/rectifications/{uuid4()}", headers=handler())
        assert (answer.status_code, answer.json()["code"]) == (404, "rectification-not-found")
        headers = handler() | {"If-Match": '"1"'}
        answer = await evaluation.client.post(
            f"/v1/rectifications/{uuid4()}/actions/verify", json={"note": "属实"}, headers=headers
        )
        assert answer.status_code == 404
        answer = await evaluation.client.post(
            f"/v1/rectifications/{uuid4()}/actions/forget", json={}, headers=headers
        )
        assert answer.status_code == 404

    async def test_text_the_database_cannot_hold(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.act("verify", {"note": "属实"})
        await matter.act("fix-now", {"note": "更换"})
        answer = await matter.act("reply", {"reply": "已经更换\u0000完毕"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unstorable-text")
        await assert_unchanged(matter, "in-progress", 3)

    async def test_bad_bodies(self, evaluation):
        matter = await open_matter(evaluation)
        for body in ({}, {"note": ""}, {"note": "属实", "state": "closed"}, {"note": "长" * 1001}):
            answer = await matter.act("verify", body)
            assert answer.status_code == 422
            assert answer.json()["errors"]
        await assert_unchanged(matter, "opened", 1)


class TestReading:
    async def test_only_who_is_in_charge_and_the_resident(self, evaluation):
        matter = await open_matter(evaluation)
        for headers, code in (
            (handler(OTHER_UNIT), "wrong-unit"),
            (supervisor("140821000000"), "wrong-division"),
            (bearer("auditor"), "wrong-role"),
        ):
            answer = await matter.read(headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        stranger = await matter.read(resident())
        assert (stranger.status_code, stranger.json()["code"]) == (404, "rectification-not-found")
        assert (await matter.read(matter.case.headers)).json()["view"] == "own"
        assert (await matter.read(supervisor("140800000000"))).status_code == 200

    async def test_without_a_unit_it_is_the_supervisors(self, evaluation):
        case = await finish_case(evaluation, unit_code=None, unit_name=None)
        matter = Matter(
            evaluation, case, (await case.rate("dissatisfied")).json()["rectification"]["id"]
        )
        assert (await matter.read(handler())).json()["code"] == "wrong-unit"
        answer = await matter.act("verify", {"note": "属实"}, headers=matter.supervisor)
        assert answer.status_code == 200

    async def test_work_list_is_by_due_date_and_pages(self, evaluation):
        matters = [await open_matter(evaluation) for _ in range(4)]
        await open_matter(evaluation, unit_code=OTHER_UNIT)
        dates = [date(2026, 3, 3), None, date(2026, 3, 1), date(2026, 3, 3)]
        for matter, due_on in zip(matters, dates, strict=True):
            await evaluation.fetch(
                "UPDATE rectification SET due_on = $2 WHERE id = $1", UUID(matter.id), due_on
            )
        seen = await all_pages(evaluation, "/v1/rectifications", handler())
        assert [row["due_on"] for row in seen] == ["2026-03-01", "2026-03-03", "2026-03-03", None]
        assert len({row["id"] for row in seen}) == 4
        assert [row["is_overdue"] for row in seen] == [True, True, True, False]
        county = await evaluation.client.get("/v1/rectifications", headers=supervisor())
        assert len(county.json()["items"]) == 5

    async def test_closed_ones_only_when_asked_for(self, evaluation):
        matter = await open_matter(evaluation)
        await matter.reply()
        await matter.call_back(reached=True, solved=True)
        get = evaluation.client.get
        assert (await get("/v1/rectifications", headers=handler())).json()["items"] == []
        closed = await get("/v1/rectifications?state=closed", headers=handler())
        assert [row["id"] for row in closed.json()["items"]] == [matter.id]

    @pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "WyJhIiwiYiJd", "WzFd"])
    async def test_forged_cursor(self, evaluation, cursor):
        answer = await evaluation.client.get(
            f"/v1/rectifications?after={cursor}", headers=handler()
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    async def test_list_is_for_staff(self, evaluation):
        answer = await evaluation.client.get("/v1/rectifications", headers=resident())
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


class TestDisclosure:
    async def test_the_case_is_told_and_the_telling_written_down(self, evaluation):
        matter = await open_matter(evaluation)
        answer = await evaluation.client.post(
            f"/v1/rectifications/{matter.id}/disclosures",
            json={"reason": "核实窗口情况"},
            headers=matter.handler,
        )
        assert answer.status_code == 201
        assert answer.json() == {
            "case_id": str(matter.case.event.case_id),
            "case_number": matter.case.event.case_number,
        }
        [row] = await evaluation.fetch("SELECT * FROM data_access")
        assert row["subject_id"] == matter.case.event.applicant_id
        assert row["viewer_name"] == "王经办"
        assert row["reason"] == "核实窗口情况"
        path = f"/v1/rectifications/{matter.id}/disclosures"
        seen = (await evaluation.client.get(path, headers=matter.case.headers)).json()["items"]
        assert [(look["viewer_name"], look["reason"]) for look in seen] == [
            ("王经办", "核实窗口情况")
        ]
        stranger = await evaluation.client.get(path, headers=resident())
        assert (stranger.status_code, stranger.json()["code"]) == (404, "rectification-not-found")
        staff = await evaluation.client.get(path, headers=matter.handler)
        assert (staff.status_code, staff.json()["code"]) == (403, "wrong-role")

    async def test_of_nothing(self, evaluation):
        answer = await evaluation.client.post(
            f"/v1/rectifications/{uuid4()}/disclosures", json={"reason": "好奇"}, headers=handler()
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "rectification-not-found")

    async def test_not_to_others_and_not_after_the_end(self, evaluation):
        matter = await open_matter(evaluation)
        path = f"/v1/rectifications/{matter.id}/disclosures"
        for headers, code in (
            (handler(OTHER_UNIT), "wrong-unit"),
            (supervisor("140821000000"), "wrong-division"),
            (resident(), "wrong-role"),
        ):
            answer = await evaluation.client.post(path, json={"reason": "好奇"}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        await matter.reply()
        await matter.call_back(reached=True, solved=True)
        answer = await evaluation.client.post(
            path, json={"reason": "再看看"}, headers=matter.handler
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "rectification-closed")
        assert await evaluation.count("data_access") == 0
