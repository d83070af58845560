"""What villages were is told once for each month, whatever a clock says."""

from services.facilities.indicators import past, repository, service
from tests.facilities.factories import VILLAGE, recorded


class TestPast:
    async def test_a_clock_that_goes_back_over_a_month_tells_no_month_twice(self, counted):
        this = service.this_month()
        url = f"/v1/indicators/rural-facility-coverage/history?division={VILLAGE}"
        await recorded(counted, division_code=VILLAGE)
        for month, area in (
            (past.next_month(this), 701),
            (this, 702),
            (past.next_month(this), 703),
        ):
            await counted.fetch("UPDATE facility SET total_area_m2 = $1", area)
            async with counted.database.transaction() as session:
                await repository.refresh(session, [VILLAGE], month=month)
        rows = await counted.fetch("SELECT since, until FROM indicator_past")
        assert [(row["since"], row["until"]) for row in rows] == [(this, this)]
        (month,) = (await counted.client.get(url)).json()["months"]
        assert (month["month"], month["value"]) == (f"{this}", 1)
