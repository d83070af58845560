"""Scores of every kind of subject and period, and that they equal a recount after any history."""

import asyncio
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.values import RatingLevel
from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.ratings.defaults import rate_all_silent
from services.evaluation.scores import service as scores
from tests.evaluation.conftest import REFERENCE
from tests.evaluation.factories import (
    COUNTY,
    OTHER_UNIT,
    UNIT,
    VILLAGE,
    assert_equal_to_a_recount,
    completed,
    deliver,
    finish_case,
    handler,
    open_matter,
    supervisor,
)
from tests.support.tokens import bearer, resident

PERSON, PLACE = UUID(int=0xA), UUID(int=0xB)
WHERE = {"handler_id": PERSON, "facility_id": PLACE, "window_code": "3"}
CITY, PROVINCE = "140800000000", "140000000000"
LEVELS = [level.value for level in RatingLevel]


async def read(evaluation, path, headers=None):
    answer = await evaluation.client.get(f"/v1/scores/{path}", headers=headers or supervisor())
    assert answer.status_code == 200, answer.text
    return answer.json()


async def touch(evaluation, evaluable_id) -> None:
    async with evaluation.database.transaction() as session:
        scores.touch(session, UUID(evaluable_id))


class TestSubjects:
    async def test_a_rating_counts_for_all_of_them(self, evaluation):
        case = await finish_case(evaluation, **WHERE)
        await case.rate("dissatisfied", channel="qr-code")
        for path in (
            f"item/{case.event.item_id}",
            f"unit/{UNIT}",
            f"window/{UNIT}:3",
            f"person/{PERSON}",
            f"facility/{PLACE}",
            f"division/{VILLAGE}",
            "division/140802001000",
            f"division/{COUNTY}",
            "channel/qr-code",
        ):
            score = await read(evaluation, path)
            assert (score["rated"], score["bad_first"], score["matters"]) == (1, 1, 1), path
            assert score["opened"] == (0 if "channel" in path else 1)
        for code in (CITY, PROVINCE):
            score = await read(evaluation, f"division/{code}", supervisor(PROVINCE))
            assert score["rated"] == 1
        rows = await evaluation.fetch("SELECT subject_id FROM score WHERE subject_kind='division'")
        assert len(rows) == 5

    async def test_a_division_counts_once_when_the_case_lies_above_villages(self, evaluation):
        case = await finish_case(evaluation, division_code=COUNTY)
        await case.rate("satisfied")
        assert (await read(evaluation, f"division/{COUNTY}"))["rated"] == 1
        assert (
            await evaluation.fetch(
                "SELECT count(*) AS n FROM score WHERE subject_kind = 'division'"
            )
            == [{"n": 3}]
            or len(await evaluation.fetch("SELECT 1 FROM score")) == 6
        )

    async def test_rates(self, evaluation):
        await finish_case(evaluation, completed_on=date(2026, 12, 1))  # late, and never rated
        matter = await open_matter(evaluation)
        before = await read(evaluation, f"unit/{UNIT}")
        assert (before["active_ratio"], before["on_time_ratio"]) == (0.5, 0.5)
        assert (before["rectified_ratio"], before["answered_in_time_ratio"]) == (0.0, None)
        await matter.reply()
        await matter.call_back(reached=True, solved=True, note="已解决")
        after = await read(evaluation, f"unit/{UNIT}")
        assert after["rectified_ratio"] == after["called_back_ratio"] == 1.0
        assert after["answered_in_time_ratio"] == 1.0
        assert after["satisfaction_ratio"] == 0.0

    async def test_an_excluded_rating_counts_nowhere_but_its_service_stays(self, evaluation):
        case = await finish_case(evaluation)
        await case.rate("very-dissatisfied")
        await evaluation.fetch("UPDATE rating SET state = 'excluded'")
        await touch(evaluation, case.evaluable_id)
        score = await read(evaluation, f"division/{VILLAGE}")
        assert (score["rated"], score["matters"], score["opened"]) == (0, 0, 1)
        assert score["active_ratio"] == 0.0
        await evaluation.fetch("UPDATE rating SET state = 'counted'")
        await touch(evaluation, case.evaluable_id)
        assert (await read(evaluation, f"division/{VILLAGE}"))["rated"] == 1

    async def test_what_is_touched_and_undone_changes_nothing(self, evaluation):
        case = await finish_case(evaluation)
        before = await read(evaluation, f"unit/{UNIT}")
        await touch(evaluation, case.evaluable_id)
        await touch(evaluation, str(uuid4()))
        assert await read(evaluation, f"unit/{UNIT}") == before


class TestPeriods:
    async def test_months_and_years_sum_up_days(self, evaluation):
        days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31)]
        for day in days:
            case = await finish_case(evaluation)
            await case.rate("satisfied")
            await evaluation.fetch(
                "UPDATE rating SET given_on = $1 WHERE evaluable_id = $2",
                day,
                UUID(case.evaluable_id),
            )
            await touch(evaluation, case.evaluable_id)
        for grain, expected in (
            ("day", [(str(day), 1) for day in days]),
            ("month", [("2025-12-01", 1), ("2026-01-01", 2)]),
            ("year", [("2025-01-01", 1), ("2026-01-01", 2)]),
        ):
            path = f"unit/{UNIT}/series?grain={grain}&from=2025-12-01&until=2026-02-28"
            items = (await read(evaluation, path))["items"]
            assert [(row["day"], row["rated"]) for row in items] == expected
        january = await evaluation.client.get("/v1/scores?kind=unit&grain=month&day=2026-01-15")
        assert [row["rated"] for row in january.json()["items"]] == [2]
        for query in ("grain=all", "grain=day&from=2020-01-01&until=2026-01-01"):
            answer = await evaluation.client.get(f"/v1/scores/unit/{UNIT}/series?{query}")
            assert (answer.status_code, answer.json()["code"]) == (422, "period-invalid")

    async def test_standing_among_peers(self, evaluation):
        for village, levels in (
            (VILLAGE, ["satisfied"] * 3),
            ("140802001006", ["satisfied"]),
            ("140802001007", ["dissatisfied"]),
            ("140821001001", ["very-satisfied"] * 4),
        ):
            for level in levels:
                await (await finish_case(evaluation, division_code=village)).rate(level)
        path = f"division/{VILLAGE}/standing?within={COUNTY}"
        standing = await read(evaluation, path)
        assert (standing["rated_peers"], standing["percentile"]) == (3, 1.0)
        wider = await read(evaluation, f"division/{VILLAGE}/standing", supervisor(CITY))
        assert wider["percentile"] == pytest.approx(2 / 3)
        none = await read(evaluation, f"unit/{OTHER_UNIT}/standing")
        assert (none["percentile"], none["rated_peers"]) == (None, 0)
        ranked = await evaluation.client.get(
            f"/v1/scores?kind=division&level=community&division={COUNTY}", headers=supervisor()
        )
        assert [row["subject_id"] for row in ranked.json()["items"]] == [
            VILLAGE,
            "140802001006",
            "140802001007",
        ]


class TestAccess:
    @pytest.mark.parametrize(
        ("path", "headers", "code"),
        [
            (f"division/{VILLAGE}", {}, "unauthenticated"),
            (f"division/{VILLAGE}", resident(), "wrong-role"),
            (f"division/{VILLAGE}", handler(), "wrong-role"),
            (f"division/{VILLAGE}", supervisor("140821000000"), "wrong-division"),
            (f"person/{PERSON}", supervisor("140821000000"), "wrong-division"),
            (f"person/{PERSON}", handler(), "wrong-role"),
            (f"window/{UNIT}:3", handler(OTHER_UNIT), "wrong-unit"),
            (f"facility/{PLACE}", resident(), "wrong-role"),
            (f"facility/{PLACE}/series", resident(), "wrong-role"),
            (f"facility/{PLACE}/standing", resident(), "wrong-role"),
            (f"person/{PERSON}/days", handler(), "wrong-role"),
        ],
    )
    async def test_what_is_near_to_people_is_for_staff(self, evaluation, path, headers, code):
        await finish_case(evaluation, **WHERE)
        answer = await evaluation.client.get(f"/v1/scores/{path}", headers=headers)
        assert answer.json()["code"] == code
        for allowed in (handler(account_id=PERSON), supervisor(), bearer("statistician")):
            kinds = ("person", "window") if "handler" in str(allowed) else ("person",)
            for kind in kinds:
                subject = {"person": PERSON, "window": f"{UNIT}:3"}[kind]
                await read(evaluation, f"{kind}/{subject}", allowed)

    @pytest.mark.parametrize(
        ("query", "headers", "code"),
        [
            (f"kind=person&division={COUNTY}", {}, "unauthenticated"),
            (f"kind=person&division={COUNTY}", handler(), "wrong-role"),
            (f"kind=person&division={CITY}", supervisor(), "wrong-division"),
            ("kind=person", supervisor(), "wrong-division"),
            ("kind=channel&division=140802000000", supervisor(), "division-not-for-items"),
        ],
    )
    async def test_rankings(self, evaluation, query, headers, code):
        answer = await evaluation.client.get(f"/v1/scores?{query}", headers=headers)
        assert answer.json()["code"] == code


class TestRecountAtAnyMoment:
    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    ["rate", "again", "late", "twice", "shift", "exclude", "restore", "silence"]
                ),
                st.integers(0, 3),
                st.sampled_from(LEVELS),
            ),
            max_size=14,
        )
    )
    async def test_roll_ups_equal_a_recount(self, evaluation_session, history):
        """Ratings, second ones, repeats, late and repeated events, corrections and exclusions."""
        service = evaluation_session
        await service.empty(keep=REFERENCE)
        item_id = uuid4()
        cases = [
            await finish_case(
                service,
                item_id=item_id,
                unit_code=(UNIT, OTHER_UNIT, None)[n % 3],
                division_code=(VILLAGE, COUNTY)[n % 2],
                **(WHERE if n % 2 else {}),
            )
            for n in range(4)
        ]
        for action, number, level in history:
            await act(service, cases[number], action, level)
        await assert_equal_to_a_recount(service)
        await service.empty(keep=REFERENCE)


async def act(service, case, action: str, level: str) -> None:
    """One thing that may happen to a case."""
    evaluable_id = UUID(case.evaluable_id)
    match action:
        case "rate" | "again":
            answer = await case.rate(level, assess_number=1 if action == "rate" else 2)
            assert answer.status_code in (201, 409, 410)
        case "late":  # a completion that was corrected, after the invitation
            values = case.event.model_dump() | {
                "case_version": 9,
                "completed_on": date(2026, 12, 24),
            }
            await deliver(service, completed(**values))
        case "twice":
            event_id = uuid4()
            await deliver(service, case.event, event_id)
            await deliver(service, case.event, event_id)
        case "shift":
            day = local_day(now()) - timedelta(days=40)
            await service.fetch(
                "UPDATE rating SET given_on = $2 WHERE evaluable_id = $1", evaluable_id, day
            )
            await touch(service, case.evaluable_id)
        case "exclude" | "restore":
            state = "excluded" if action == "exclude" else "counted"
            await service.fetch(
                "UPDATE rating SET state = $2 WHERE evaluable_id = $1", evaluable_id, state
            )
            await touch(service, case.evaluable_id)
        case "silence":
            await service.fetch(
                "UPDATE evaluable SET open_until = '2026-01-01' WHERE id = $1", evaluable_id
            )
            await rate_all_silent(RatingLevel.satisfied, service.database)


async def test_chunks_of_events_and_ratings_at_once_wait_for_each_other_in_no_circle(evaluation):
    """Transactions that touch many services in opposite orders, beside single ratings."""
    cases = [
        await finish_case(
            evaluation, unit_code=(UNIT, OTHER_UNIT)[n % 2], division_code=(VILLAGE, COUNTY)[n % 2]
        )
        for n in range(12)
    ]

    async def chunk(order):
        async with evaluation.database.transaction() as session:
            for case in order:
                scores.touch(session, UUID(case.evaluable_id))
                await session.connection()

    await evaluation.fetch("UPDATE evaluable SET opened_at = opened_at - interval '40 days'")
    answers = await asyncio.gather(
        *(case.rate("satisfied") for case in cases[:6]),
        *(chunk(cases if n % 2 else cases[::-1]) for n in range(6)),
    )
    assert [answer.status_code for answer in answers if answer] == [201] * 6
    await assert_equal_to_a_recount(evaluation)
