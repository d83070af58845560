"""考核 by surveys: what households said of their village, with how sure it is."""

import pytest

from services.evaluation.surveys.estimates import Stratum, estimate
from tests.evaluation.factories import COUNTY, VILLAGE, all_pages, deliver, division, figures
from tests.evaluation.test_assessments import BEFORE, LAST_MONTH, cards, define, make
from tests.evaluation.test_surveys import EMPTY, NEXT, by_link, drawn, post, samples

SURVEYED = [
    {
        "code": measure,
        "title": "群众满意率",
        "counts": "抽中农户的回答",
        "source": "surveys",
        "measure": measure,
        "weight": 10,
        "zero": 0,
        "full": 1,
        "minimum": 0,
    }
    for measure in ("survey-satisfaction", "survey-satisfaction-floor", "survey-response")
]


@pytest.fixture
async def villages(evaluation):
    for code in (COUNTY, VILLAGE, NEXT, EMPTY):
        await deliver(evaluation, division(code))
    await deliver(evaluation, figures(VILLAGE, 300))
    await deliver(evaluation, figures(NEXT, 100))
    return evaluation


async def surveyed(service, answers: dict[str, list[str]], closed_on=LAST_MONTH) -> None:
    """A survey that was closed on a day, with these answers of villages."""
    survey_id = await drawn(service, sample_size=16, village_minimum=8)
    for village, levels in answers.items():
        for sample, level in zip(await samples(service, survey_id, village), levels, strict=False):
            assert (await by_link(service, sample["token"], level)).status_code == 201
    closed = await post(service, f"surveys/{survey_id}/actions/close", {}, version=2)
    assert closed.status_code == 200, closed.text
    await service.fetch(
        "UPDATE survey SET closed_at = $2::date + time '12:00' WHERE id = $1", survey_id, closed_on
    )


async def values(service) -> dict[str, dict[str, dict]]:
    await make(service)
    return {
        card["subject_id"]: {part["code"]: part for part in card["parts"]}
        for card in await cards(service)
    }


GOOD = ["satisfied"] * 6


class TestSurveyIndicators:
    async def test_satisfaction_with_its_interval_and_the_response(self, villages):
        defined = await define(villages, indicators=SURVEYED)
        assert defined.status_code == 201, defined.text
        await surveyed(villages, {VILLAGE: [*GOOD, "dissatisfied"], NEXT: GOOD})
        found = await values(villages)
        said = estimate([Stratum(VILLAGE, 300, 7, 6)])
        assert said is not None
        part = found[VILLAGE]["survey-satisfaction"]
        assert (part["value"], part["low"], part["high"]) == (said.share, said.low, said.high)
        assert part["points"] == pytest.approx(10 * said.share)
        floor = found[VILLAGE]["survey-satisfaction-floor"]
        assert (floor["value"], floor["low"]) == (said.low, None)
        strata = await villages.fetch("SELECT sampled FROM survey_stratum WHERE households = 300")
        assert found[VILLAGE]["survey-response"]["value"] == 7 / strata[0]["sampled"]
        assert all(part["value"] is None for part in found[EMPTY].values())

    async def test_what_is_withheld_from_the_public_is_not_counted(self, villages):
        await define(villages, indicators=SURVEYED)
        await surveyed(villages, {VILLAGE: GOOD, NEXT: ["dissatisfied"]})
        found = await values(villages)
        # One household answered there; the other village's share would give it away.
        for village in (VILLAGE, NEXT):
            assert found[village]["survey-satisfaction"]["value"] is None
            assert found[village]["survey-response"]["value"] > 0

    async def test_the_newest_survey_of_the_last_year_counts(self, villages):
        await define(villages, indicators=SURVEYED[:1])
        await surveyed(villages, {VILLAGE: GOOD, NEXT: GOOD}, BEFORE)
        await surveyed(villages, {VILLAGE: ["dissatisfied"] * 6, NEXT: GOOD})
        await surveyed(
            villages, {VILLAGE: GOOD, NEXT: GOOD}, LAST_MONTH.replace(year=LAST_MONTH.year - 2)
        )
        assert (await values(villages))[VILLAGE]["survey-satisfaction"]["value"] == 0
        await villages.fetch("UPDATE survey SET closed_at = now() + interval '1 day'")
        assert (await values(villages))[VILLAGE]["survey-satisfaction"]["value"] is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"indicators": [SURVEYED[0] | {"measure": "satisfaction-ratio"}]},
            {"indicators": [SURVEYED[0] | {"source": "scores"}]},
            {"indicators": [SURVEYED[0] | {"measure": None}]},
            {"indicators": [SURVEYED[0]], "assessed": "unit"},
        ],
    )
    async def test_measures_belong_to_their_source_and_surveys_to_villages(self, villages, wrong):
        answer = await define(villages, **wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
        listed = await all_pages(villages, f"/v1/assessment-schemes?division={COUNTY}")
        assert listed == []
