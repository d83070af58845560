from datetime import date

from services.evaluation.models import SERVICE_NAMES, ServiceNumber
from services.evaluation.seed import published_days, seed
from tests.evaluation.conftest import DATA


class TestSeed:
    async def test_a_second_time_changes_nothing(self, evaluation):
        before = await evaluation.fetch("SELECT * FROM rating_tag ORDER BY code")
        line = await seed(evaluation.database, DATA)
        assert "40 rating tags in use" in line
        assert f"2004-{max(published_days()).year}" in line
        assert await evaluation.fetch("SELECT * FROM rating_tag ORDER BY code") == before

    async def test_a_tag_that_left_the_file_is_retired_not_deleted(self, evaluation):
        await evaluation.fetch(
            "INSERT INTO rating_tag VALUES ('599', 'very-satisfied', '旧标签', 2, false, false)"
        )
        await seed(evaluation.database, DATA)
        [row] = await evaluation.fetch("DELETE FROM rating_tag WHERE code = '599' RETURNING *")
        assert row["is_retired"]

    async def test_calendar_is_as_published(self, evaluation):
        years = await evaluation.fetch("SELECT year FROM working_year WHERE source <> 'test'")
        assert {row["year"] for row in years} == {day.year for day in published_days()}
        assert {row["year"] for row in years} >= set(range(2004, 2027))
        rows = await evaluation.fetch("SELECT day, is_working FROM working_day")
        days = {row["day"]: row["is_working"] for row in rows}
        assert days[date(2026, 2, 14)] is True
        assert days[date(2026, 10, 1)] is False
        assert len(days) == len(published_days())


def test_services_are_named():
    assert set(SERVICE_NAMES) == set(ServiceNumber)
    assert SERVICE_NAMES[ServiceNumber.completion] == "办结"
