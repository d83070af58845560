"""满意度调查: drawn by village, answered once a household, estimated when nothing is added any more."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory

from contracts.evaluation import CommunitySurveyed
from servicekit.migrations import migration_config
from services.evaluation.definition import SERVICE
from services.evaluation.surveys.sampling import draw
from tests.evaluation.factories import (
    COUNTY,
    VILLAGE,
    all_pages,
    deliver,
    division,
    figures,
    handler,
    supervisor,
)
from tests.support.tokens import bearer, resident

TOWNSHIP, NEXT, EMPTY = "140802001000", "140802001006", "140802001007"
PLANNER = bearer("statistician", division=COUNTY)
SURVEYOR = bearer("township-officer", division=TOWNSHIP)
QUESTIONS = [
    {"code": "overall", "kind": "satisfaction", "text": "对村里的服务是否满意"},
    {"code": "knows", "kind": "yes-no", "text": "知道能在哪里办事吗", "required": False},
]


async def post(service, path, body, headers=PLANNER, version=None):
    match = {"If-Match": f'"{version}"'} if version else {}
    return await service.client.post(f"/v1/{path}", json=body, headers=headers | match)


async def questionnaire(service, headers=PLANNER, **values):
    body = {"code": "rural", "division_code": COUNTY, "title": "问卷", "questions": QUESTIONS}
    return await post(service, "questionnaires", body | values, headers)


async def plan(service, headers=PLANNER, **values):
    made = await questionnaire(service, code=f"q{uuid4().hex[:8]}")
    body = {
        "year": 2026,
        "division_code": COUNTY,
        "title": "2026 年村级服务满意度调查",
        "questionnaire_id": made.json()["id"],
        "sample_size": 12,
        "village_minimum": 6,
    }
    return await post(service, "surveys", body | values, headers)


@pytest.fixture
async def county(evaluation):
    """Two villages with households, and one of which nobody knows how many there are."""
    for code in (COUNTY, TOWNSHIP, VILLAGE, NEXT, EMPTY):
        await deliver(evaluation, division(code, f"地{code[-6:]}"))
    await deliver(evaluation, figures(VILLAGE, 300))
    await deliver(evaluation, figures(NEXT, 10, year=2024))
    await deliver(evaluation, figures(NEXT, 99, year=2027))  # after the survey's year
    return evaluation


async def drawn(service, **values) -> str:
    survey = (await plan(service, **values)).json()
    answer = await post(service, f"surveys/{survey['id']}/actions/draw", {"seed": 7}, version=1)
    assert answer.status_code == 200, answer.text
    return survey["id"]


async def samples(service, survey_id, village=VILLAGE):
    path = f"/v1/surveys/{survey_id}/samples?division={village}"
    return await all_pages(service, path, SURVEYOR)


async def by_link(service, token, level="satisfied", **answers):
    body = {"answers": {"overall": level} | answers}
    return await service.client.post(f"/v1/survey-forms/{token}/answers", json=body)


async def visited(service, survey_id, number, level="satisfied", headers=SURVEYOR, **values):
    body = {
        "division_code": VILLAGE,
        "household_number": number,
        "mode": "visit",
        "answers": {"overall": level},
    }
    return await post(service, f"surveys/{survey_id}/answers", body | values, headers)


async def surveyed(service):
    """The states of villages that were told, in order."""
    return [body for kind, body in await service.events() if kind == CommunitySurveyed.event_type]


class TestPlanning:
    async def test_a_change_of_a_questionnaire_is_its_next_version(self, county):
        first = (await questionnaire(county)).json()
        second = (await questionnaire(county, title="新问卷")).json()
        assert (first["version"], second["version"]) == (1, 2)
        path = "/v1/questionnaires?code=rural"
        seen = await all_pages(county, path, PLANNER)
        assert [row["title"] for row in seen] == ["新问卷", "问卷"]
        town = bearer("statistician", division=TOWNSHIP)
        other = await questionnaire(county, town, division_code=TOWNSHIP)
        assert (other.status_code, other.json()["code"]) == (409, "questionnaire-of-others")

    @pytest.mark.parametrize(
        "questions",
        [
            [],
            [QUESTIONS[0], QUESTIONS[0]],
            [{"code": "a", "kind": "choice", "text": "选", "options": []}],
            [
                {
                    "code": "a",
                    "kind": "yes-no",
                    "text": "选",
                    "options": [{"code": "b", "text": "x"}],
                }
            ],
            [{"code": "a", "kind": "text", "text": "写"}],
        ],
    )
    async def test_bad_questionnaires(self, county, questions):
        assert (await questionnaire(county, questions=questions)).status_code == 422
        assert await county.count("questionnaire") == 0

    @pytest.mark.parametrize(
        ("headers", "values", "code"),
        [
            (handler(), {}, "wrong-role"),
            (resident(), {}, "wrong-role"),
            ({}, {}, "unauthenticated"),
            (supervisor("140821000000"), {}, "wrong-division"),
            (PLANNER, {"division_code": "140802009000"}, "division-unknown"),
            (PLANNER, {"questionnaire_id": str(uuid4())}, "questionnaire-unknown"),
            (PLANNER, {"sample_size": 0}, "invalid-request"),
        ],
    )
    async def test_refusals(self, county, headers, values, code):
        assert (await plan(county, headers, **values)).json()["code"] == code
        assert await county.count("survey") == 0

    async def test_lists(self, county):
        for year in (2025, 2026):
            await plan(county, year=year)
        listed = await all_pages(county, f"/v1/surveys?division={COUNTY}")
        assert [row["year"] for row in listed] == [2026, 2025]
        one = await county.client.get(f"/v1/surveys?division={COUNTY}&year=2025")
        assert len(one.json()["items"]) == 1
        assert (await county.client.get(f"/v1/surveys/{uuid4()}")).status_code == 404


class TestDrawing:
    async def test_every_village_with_households_by_size_and_again_by_seed(self, county):
        survey_id = await drawn(county)
        numbers = {
            village: [row["household_number"] for row in await samples(county, survey_id, village)]
            for village in (VILLAGE, NEXT, EMPTY)
        }
        assert {village: len(found) for village, found in numbers.items()} == {
            VILLAGE: 12,
            NEXT: 6,
            EMPTY: 0,
        }
        assert numbers[VILLAGE] == draw(7, VILLAGE, 300, 12)
        assert max(numbers[NEXT]) <= 10
        survey = (await county.client.get(f"/v1/surveys/{survey_id}")).json()
        assert (survey["seed"], survey["state"], survey["version"]) == (7, "collecting", 2)

    async def test_only_once_by_whom_it_concerns(self, county):
        survey_id = (await plan(county)).json()["id"]
        path = f"surveys/{survey_id}/actions/draw"
        assert (await post(county, path, {})).status_code == 428
        assert (await post(county, path, {}, version=4)).json()["code"] == "stale-version"
        other = bearer("statistician", division="140821000000")
        assert (await post(county, path, {}, other, 1)).json()["code"] == "wrong-division"
        answers = await asyncio.gather(*(post(county, path, {}, version=1) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        again = await post(county, path, {}, version=2)
        assert again.json()["code"] == "survey-state-wrong"
        assert await county.count("survey_sample") == 18

    async def test_nothing_to_draw(self, evaluation):
        await deliver(evaluation, division(COUNTY))
        survey_id = (await plan(evaluation)).json()["id"]
        answer = await post(evaluation, f"surveys/{survey_id}/actions/draw", {}, version=1)
        assert answer.json()["code"] == "nothing-to-draw"


class TestCollecting:
    async def test_by_link_once_without_signing_in(self, county):
        survey_id = await drawn(county)
        [first, second, *_] = await samples(county, survey_id)
        form = await county.client.get(f"/v1/survey-forms/{first['token']}")
        assert [question["code"] for question in form.json()["questions"]] == ["overall", "knows"]
        answers = await asyncio.gather(*(by_link(county, first["token"]) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert await county.count("survey_answer") == 1
        refusals = [
            (f"{second['token'][:-1]}{'0' if second['token'][-1] != '0' else '1'}", 404),
            (f"{uuid4().hex}{second['token'][32:]}", 404),
            ("x" * 64, 422),
        ]
        for token, status in refusals:
            assert (await by_link(county, token)).status_code == status
            assert (await county.client.get(f"/v1/survey-forms/{token}")).status_code == status
        for wrong in ({"level": "good"}, {"level": "satisfied", "more": "yes"}):
            answer = await by_link(county, second["token"], **wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, "answers-misfit")
        nothing = await county.client.post(
            f"/v1/survey-forms/{second['token']}/answers", json={"answers": {}}
        )
        assert nothing.json()["misfits"] == [{"question": "overall", "reason": "missing"}]
        assert (await samples(county, survey_id))[1]["state"] == "open"

    async def test_nothing_leads_from_an_answer_to_a_household(self, county):
        survey_id = await drawn(county)
        [first, *_] = await samples(county, survey_id)
        await by_link(county, first["token"])
        [answer] = await county.fetch("SELECT * FROM survey_answer")
        assert set(answer.keys()) == {"id", "survey_id", "division_code", "mode", "answers"}
        [sample] = await county.fetch("SELECT * FROM survey_sample WHERE state = 'answered'")
        assert not {str(sample["id"]), sample["household_number"]} & {
            str(value) for value in answer.values()
        }
        assert answer["id"].version == 4
        assert (await samples(county, survey_id))[0]["token"] is None

    async def test_by_visit_and_telephone(self, county):
        survey_id = await drawn(county)
        first, second, third, *_ = [
            row["household_number"] for row in await samples(county, survey_id)
        ]
        assert (await visited(county, survey_id, first)).status_code == 201
        body = {"division_code": VILLAGE, "household_number": second, "outcome": "unreached"}
        path = f"surveys/{survey_id}/non-responses"
        assert (await post(county, path, body, SURVEYOR)).status_code == 201
        assert (await visited(county, survey_id, second, mode="telephone")).status_code == 201
        refused = body | {"household_number": third, "outcome": "refused"}
        assert (await post(county, path, refused, SURVEYOR)).status_code == 201
        for number, code in (
            (third, "survey-answered-already"),
            (first, "survey-answered-already"),
            (301, "household-not-in-sample"),
        ):
            assert (await visited(county, survey_id, number)).json()["code"] == code
        path = f"/v1/surveys/{survey_id}/coverage"
        village, *others = await all_pages(county, path, PLANNER)
        assert (village["answered"], village["refused"], village["unreached"]) == (2, 1, 0)
        assert village["response_ratio"] == pytest.approx(2 / 12)
        assert [row["is_covered"] for row in others] == [False, False]
        assert others[1]["households"] is None

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            (bearer("village-agent", division=VILLAGE), "wrong-role"),
            (handler(), "wrong-role"),
            (resident(), "wrong-role"),
            (bearer("township-officer", division="140802100000"), "wrong-division"),
        ],
    )
    async def test_who_may_not_ask(self, county, headers, code):
        survey_id = await drawn(county)
        assert (await visited(county, survey_id, 1, headers=headers)).json()["code"] == code
        answer = await county.client.get(
            f"/v1/surveys/{survey_id}/samples?division={VILLAGE}", headers=headers
        )
        assert answer.json()["code"] == code
        assert await county.count("survey_answer") == 0


class TestCoverage:
    async def test_of_the_year_every_village(self, county):
        survey_id = await drawn(county)
        path = f"/v1/survey-coverage?division={COUNTY}&year=2026"
        before = (await county.client.get(path, headers=PLANNER)).json()
        assert (before["villages"], before["covered"]) == (3, 0)
        [first, *_] = await samples(county, survey_id)
        await by_link(county, first["token"])
        after = (await county.client.get(path, headers=PLANNER)).json()
        assert [row["division_code"] for row in after["uncovered"]] == [NEXT, EMPTY]
        for headers, code in (
            (supervisor("140821000000"), "wrong-division"),
            (handler(), "wrong-role"),
        ):
            answer = await county.client.get(path, headers=headers)
            assert answer.json()["code"] == code

    async def test_every_village_is_told_with_its_whole_state_of_the_year(self, county):
        first_survey = await drawn(county)
        told = await surveyed(county)
        assert [(row["division_code"], row["sampled"]) for row in told] == [
            (VILLAGE, 12),
            (NEXT, 6),
            (EMPTY, 0),
        ]
        assert not any(row["is_covered"] for row in told)
        second_survey = await drawn(county, village_minimum=1, sample_size=2)
        one, two, three, *_ = await samples(county, first_survey)
        body = {
            "division_code": VILLAGE,
            "household_number": two["household_number"],
            "outcome": "unreached",
        }
        for _ in range(2):  # met neither the first nor the second time
            await post(county, f"surveys/{first_survey}/non-responses", body, SURVEYOR)
        await asyncio.gather(
            *(by_link(county, row["token"]) for row in (one, one, two)),
            post(
                county,
                f"surveys/{first_survey}/non-responses",
                body | {"household_number": three["household_number"], "outcome": "refused"},
                SURVEYOR,
            ),
        )
        [other, *_] = await samples(county, second_survey)
        await by_link(county, other["token"])
        village = [row for row in await surveyed(county) if row["division_code"] == VILLAGE]
        # Both draws, twice nobody met, two answers, a refusal, an answer to the second survey.
        assert [row["revision"] for row in village] == [1, 2, 3, 4, 5, 6, 7, 8]
        newest = village[-1]
        assert newest["survey_key"] == f"survey:{VILLAGE}:2026"
        assert newest["survey_ids"] == sorted([first_survey, second_survey])
        counted = {name: newest[name] for name in ("answered", "refused", "unreached")}
        assert counted == {"answered": 3, "refused": 1, "unreached": 0}
        assert newest["is_covered"]
        path = f"/v1/surveys/{first_survey}/coverage"
        [shown, *_] = await all_pages(county, path, PLANNER)
        assert shown["answered"] == 2

    async def test_what_is_refused_tells_nothing(self, county):
        survey_id = await drawn(county)
        before = await surveyed(county)
        [first, *_] = await samples(county, survey_id)
        await by_link(county, first["token"], "good")
        await visited(county, survey_id, 301)
        assert await surveyed(county) == before

    async def test_what_was_surveyed_before_is_told_by_the_migration(self, county):
        survey_id = await drawn(county)
        for row in (await samples(county, survey_id))[:2]:
            await by_link(county, row["token"])
        newest = {row["survey_key"]: row for row in await surveyed(county)}
        scripts = ScriptDirectory.from_config(migration_config(SERVICE.migrations))
        migration = scripts.get_revision("39d35a4cfc98").module
        await county.fetch("DELETE FROM survey_coverage")
        await county.fetch("DELETE FROM outbox_message")
        await county.fetch(migration._COUNT)
        await county.fetch(migration._TELL)
        moments = {"revision", "recorded_at"}
        told = [CommunitySurveyed(**row) for row in await surveyed(county)]
        assert {row.survey_key: row.model_dump(exclude=moments) for row in told} == {
            key: CommunitySurveyed(**row).model_dump(exclude=moments) for key, row in newest.items()
        }
        keys = await county.fetch("SELECT key FROM outbox_message ORDER BY position")
        assert [row["key"] for row in keys] == [row.key for row in told]


class TestResults:
    async def test_come_when_nothing_is_added_and_withhold_the_few(self, county):
        survey_id = await drawn(county)
        rows = await samples(county, survey_id)
        for number, row in enumerate(rows):
            await by_link(county, row["token"], "dissatisfied" if number < 3 else "satisfied")
        for row in (await samples(county, survey_id, NEXT))[:2]:
            await by_link(county, row["token"], "very-satisfied", knows="no")
        path = f"/v1/surveys/{survey_id}/results"
        early = await county.client.get(path, headers=PLANNER)
        assert (early.status_code, early.json()["code"]) == (409, "survey-still-open")
        closed = await post(county, f"surveys/{survey_id}/actions/close", {}, version=2)
        assert closed.json()["state"] == "closed"
        whole = (await county.client.get(path)).json()
        assert whole["formula"] == "stratified-fpc-wilson-effective"
        share = whole["whole"]["positive"]["share"]
        assert share == pytest.approx(300 / 310 * 9 / 12 + 10 / 310)
        assert whole["whole"]["positive"]["low"] < share < whole["whole"]["positive"]["high"]
        assert (whole["whole"]["answered"], whole["whole"]["households"]) == (14, 310)
        options = whole["questions"][0]["options"]
        assert sum(option["estimate"]["share"] for option in options) == pytest.approx(1)
        assert whole["questions"][1]["answered"] == 2
        town = (await county.client.get(f"{path}?division={TOWNSHIP}")).json()
        assert Counter(part["is_withheld"] for part in town["parts"]) == {True: 2, False: 1}
        for village in (VILLAGE, NEXT):  # 2 answers, and what would give them away
            alone = (await county.client.get(f"{path}?division={village}")).json()
            assert alone["whole"]["is_withheld"]
            assert alone["questions"] == []
        assert (await county.client.get(f"{path}?division=140821000000")).status_code == 403
        late = await visited(county, survey_id, UUID(int=1).int)
        assert late.status_code == 404
