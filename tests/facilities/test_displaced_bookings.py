"""When hours change, bookings outside them give their places back; people are told and come first."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.requests import CalendarYearRecorded
from servicekit.timers import Timers
from services.facilities.bookings import displacing
from services.facilities.hours.calendar import keep_year
from services.facilities.hours.changed import PLACE_CHANGED
from tests.facilities.factories import OTHER_COUNTY, deliver, manager
from tests.facilities.test_bookings import ALL_DAYS, CLERK, counter_of, tomorrow
from tests.support.tokens import bearer, resident

SHORTER = {weekday: [{"opens": "09:00", "closes": "12:00"}] for weekday in ALL_DAYS}


@pytest.fixture
async def counter(facilities):
    return await counter_of(facilities, reminder_hours=1)


async def changed(counter, path, method="PUT", **body):
    """Change the place as its manager, and let the worker see it."""
    url = f"/v1/facilities/{counter.place['id']}"
    version = (await counter.service.client.get(url)).headers["etag"]
    answer = await counter.service.client.request(
        method, f"{url}{path}", json=body, headers=manager() | {"If-Match": version}
    )
    assert answer.status_code == 200, answer.text
    await looked_at(counter)


async def looked_at(counter):
    await Timers(counter.service.database, displacing.TIMERS).run_due()


async def closed_tomorrow(counter, reason="停电检修", intervals=()):
    await changed(
        counter,
        f"/hours-exceptions/{tomorrow().date()}",
        intervals=list(intervals),
        reason=reason,
    )


async def listed(counter, headers=CLERK, **params):
    url = f"/v1/facilities/{counter.place['id']}/displaced-bookings"
    return await counter.service.client.get(url, params=params, headers=headers)


async def rebooked(counter, booking, who, at, **body):
    body |= {"starts_at": at.isoformat()}
    return await counter.post(booking, "rebooking", who, body)


class TestDisplaced:
    async def test_places_are_freed_and_everybody_is_told_why(self, counter):
        people = [resident(uuid4()) for _ in range(3)]
        taken = await counter.confirmed(people[0])
        waiting = await counter.booked(people[1], wait=True)
        other_day = await counter.confirmed(people[2], tomorrow(days=2))
        await closed_tomorrow(counter)
        states = [await counter.state(one) for one in (taken, waiting, other_day)]
        assert states == ["cancelled", "cancelled", "confirmed"]
        assert await counter.taken() == 0
        told = {body["booking_id"]: body for body in await counter.told("booking-displaced")}
        assert {one["id"] for one in (taken, waiting)} == told.keys()
        assert told[taken["id"]]["reason"] == told[waiting["id"]]["reason"] == "停电检修"
        assert [told[one["id"]]["had_place"] for one in (taken, waiting)] == [True, False]
        until = told[taken["id"]]["rebook_until_day"]
        assert until == (tomorrow().date() + timedelta(days=14)).isoformat()
        assert told[waiting["id"]]["rebook_until"] is None
        left = await counter.service.fetch("SELECT DISTINCT subject_id FROM timer")
        assert [str(row["subject_id"]) for row in left] == [other_day["id"]]
        url = f"/v1/bookings/{taken['id']}"
        shown = (await counter.service.client.get(url, headers=people[0])).json()
        assert shown["displaced_because"] == "停电检修"
        history = await counter.service.client.get(f"{url}/history", headers=people[0])
        assert [(one["action"], one["by"], one["note"]) for one in history.json()][-1] == (
            "displace", "系统", "停电检修",
        )  # fmt: skip

    async def test_what_the_new_hours_still_hold_stays(self, counter):
        early, late = [await counter.confirmed(resident(), tomorrow(hour, 30)) for hour in (8, 11)]
        await closed_tomorrow(counter, "上午开会", [{"opens": "11:15", "closes": "18:00"}])
        assert [await counter.state(one) for one in (early, late)] == ["cancelled", "confirmed"]
        url = f"/v1/booking-resources/{counter.resource['id']}/bookings"
        day = {"day": tomorrow().date()}
        items = (await counter.service.client.get(url, params=day, headers=CLERK)).json()["items"]
        assert [one["is_outside_hours"] for one in items] == [True, False]

    @pytest.mark.parametrize(
        ("path", "method", "body", "reason"),
        [
            ("/transitions", "POST", {"action": "start-repair", "note": "屋顶漏水"}, "场所停用维修：屋顶漏水"),
            ("/transitions", "POST", {"action": "close", "note": "并入新馆"}, "场所停用：并入新馆"),
            ("", "PATCH", {"weekly_hours": SHORTER}, "开放时间调整"),
            ("/counters/{counter}", "PUT", {"name": "综合窗口", "is_open": False, "items": []}, "窗口停办"),
        ],
    )  # fmt: skip
    async def test_every_change_of_hours_counts(self, counter, path, method, body, reason):
        taken = await counter.confirmed(resident())
        path = path.format(counter=counter.resource["counter_id"])
        await changed(counter, path, method, **body)
        assert await counter.state(taken) == "cancelled"
        (told,) = await counter.told("booking-displaced")
        assert told["reason"] == reason

    async def test_nothing_known_takes_nothing_back(self, counter):
        taken = await counter.confirmed(resident())
        await changed(counter, "", "PATCH", weekly_hours=None)
        assert await counter.state(taken) == "confirmed"

    async def test_a_holiday_made_known_later_counts(self, counter):
        policy = {"holidays": "closed", "make_up_days": "as-usual"}
        day = tomorrow().date()

        def calendar(revision, *days):
            return CalendarYearRecorded.model_validate(
                {
                    "calendar_key": f"national:{day.year}",
                    "division_code": None,
                    "ordered_by": "示例，非真实文件",
                    "year": day.year,
                    "provisional": False,
                    "days": [
                        {"day": one, "is_working": False, "label": "临时放假"} for one in days
                    ],
                    "revision": revision,
                    "recorded_at": datetime.now(UTC),
                }
            )

        await deliver(counter.service, keep_year, calendar(1))
        await changed(counter, "", "PATCH", holiday_policy=policy)
        taken = await counter.confirmed(resident())
        await deliver(counter.service, keep_year, calendar(2, day), times=2)
        await looked_at(counter)
        assert await counter.state(taken) == "cancelled"
        assert [one["reason"] for one in await counter.told("booking-displaced")] == ["临时放假"]
        await deliver(counter.service, keep_year, calendar(1))  # late: nothing to look at
        rows = await counter.service.fetch("SELECT 1 FROM timer WHERE kind = $1", PLACE_CHANGED)
        assert rows == []

    async def test_who_books_while_hours_change_is_never_left_outside(self, facilities):
        counter = await counter_of(facilities, capacity=50)
        people = [resident(uuid4()) for _ in range(10)]
        url = f"/v1/facilities/{counter.place['id']}"
        headers = manager() | {"If-Match": (await facilities.client.get(url)).headers["etag"]}
        closing = facilities.client.put(
            f"{url}/hours-exceptions/{tomorrow().date()}",
            json={"intervals": [], "reason": "停电检修"},
            headers=headers,
        )
        answers = await asyncio.gather(
            *map(counter.book, people[:5]), closing, *map(counter.book, people[5:])
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 422}
        await looked_at(counter)
        rows = await facilities.fetch(
            "SELECT count(*) AS n FROM booking WHERE state <> 'cancelled'"
        )
        assert rows[0]["n"] == 0

    async def test_more_than_one_transaction_holds_are_all_seen(self, facilities, monkeypatch):
        monkeypatch.setattr(displacing, "MOST_AT_ONCE", 2)
        counter = await counter_of(facilities, capacity=3)
        for _ in range(3):
            await counter.confirmed(resident())
        waiting = [await counter.booked(resident(), wait=True) for _ in range(2)]
        await closed_tomorrow(counter)
        assert len(await counter.told("booking-displaced")) == 5
        assert (await counter.taken(), await counter.state(waiting[1])) == (0, "cancelled")


class TestRebook:
    async def test_comes_first_and_is_confirmed_at_once(self, facilities):
        counter = await counter_of(facilities, max_open=1)
        who, others = resident(uuid4()), [resident(uuid4()) for _ in range(2)]
        lost = await counter.confirmed(who)
        later = tomorrow(days=2)
        full = await counter.confirmed(others[0], later)
        ordinary = await counter.booked(others[1], later, wait=True)
        await closed_tomorrow(counter)
        refused = await rebooked(counter, lost, who, later)
        assert (refused.json()["code"], refused.json()["can_wait"]) == ("slot-full", True)
        first = await rebooked(counter, lost, who, later, wait=True)
        assert (first.json()["state"], first.json()["waiting_position"]) == ("waiting", 1)
        assert first.json()["replaces_id"] == lost["id"]
        again = await rebooked(counter, lost, who, tomorrow(10, 0, days=2))
        assert again.json()["code"] == "already-rebooked"
        await counter.post(full, "cancellation", others[0])
        assert await counter.state(first.json()) == "held"
        assert await counter.state(ordinary) == "waiting"

    async def test_goes_to_a_free_slot_past_the_rules_for_one_person(self, facilities):
        counter = await counter_of(facilities, max_open=1)
        who = resident(uuid4())
        lost = await counter.confirmed(who)
        await closed_tomorrow(counter)
        busy = await counter.confirmed(who, tomorrow(days=2))  # and so at the limit
        body = (await rebooked(counter, lost, who, tomorrow(days=2))).json()
        assert body["code"] == "already-booked"
        new = await rebooked(counter, lost, who, tomorrow(days=3))
        assert (new.status_code, new.json()["state"]) == (201, "confirmed")
        assert len(await counter.told("booking-confirmed")) == 3
        (entry,) = (await listed(counter)).json()["items"]
        assert (entry["new_code"], entry["new_state"]) == (new.json()["code"], "confirmed")
        refused = await rebooked(counter, busy, who, tomorrow(days=4))
        assert refused.json()["code"] == "not-displaced"

    async def test_is_for_who_lost_a_place_and_for_a_while(self, counter):
        who, other = resident(uuid4()), resident(uuid4())
        lost = await counter.confirmed(who)
        waited = await counter.booked(other, wait=True)
        await closed_tomorrow(counter)
        later = tomorrow(days=2)
        for headers, one, at, code in (
            (resident(), lost, later, "wrong-person"),
            (CLERK, lost, later, "wrong-role"),
            (other, waited, later, "not-displaced"),
            (who, lost, tomorrow(), "slot-unknown"),
            (who, {"id": uuid4()}, later, "booking-not-found"),
        ):
            assert (await rebooked(counter, one, headers, at)).json()["code"] == code
        bad = await counter.post(lost, "rebooking", who, {"starts_at": "morgen"})
        assert bad.status_code == 422
        await counter.service.fetch("UPDATE booking SET rebook_until = now()")
        assert (await rebooked(counter, lost, who, later)).json()["code"] == "rebooking-over"
        assert await counter.service.count("booking") == 2

    async def test_once_in_a_race_and_by_key(self, counter):
        who = resident(uuid4())
        lost = await counter.confirmed(who)
        await closed_tomorrow(counter)
        answers = await asyncio.gather(
            *(rebooked(counter, lost, who, tomorrow(hour, days=2)) for hour in (8, 9, 10)),
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        url, body = (
            f"/v1/bookings/{lost['id']}/rebooking",
            {"starts_at": tomorrow(11, days=2).isoformat()},
        )
        await counter.service.fetch("UPDATE booking SET replaces_id = NULL")
        keyed = [
            await counter.service.client.post(
                url, json=body, headers=who | {"Idempotency-Key": "k"}
            )
            for _ in range(2)
        ]
        assert keyed[0].json()["id"] == keyed[1].json()["id"]


class TestRestore:
    async def test_the_place_serves_it_after_all(self, counter):
        lost = await counter.confirmed(resident())
        await closed_tomorrow(counter)
        url = f"/v1/bookings/{lost['id']}/restoration"
        for headers, body, status in (
            (CLERK, {}, 403),
            (resident(), {}, 403),
            (manager(OTHER_COUNTY), {}, 403),
            (manager(), {"note": "x"}, 422),
        ):
            answer = await counter.service.client.post(url, json=body, headers=headers)
            assert answer.status_code == status
        for _ in range(2):
            answer = await counter.post(lost, "restoration", manager(), {"note": "请走侧门"})
            assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")
        (told,) = await counter.told("booking-restored")
        assert told["advice"] == "请走侧门"
        assert await counter.taken() == 1
        await closed_tomorrow(counter, "还是停电")
        assert await counter.state(lost) == "confirmed"
        assert (await listed(counter)).json()["items"] == []
        kinds = await counter.service.fetch("SELECT kind FROM timer ORDER BY kind")
        assert [row["kind"] for row in kinds] == ["booking-end", "booking-reminder"]

    async def test_not_where_somebody_else_is_or_its_resident_is_elsewhere(self, counter):
        who, other = resident(uuid4()), resident(uuid4())
        lost = await counter.confirmed(who)
        await closed_tomorrow(counter)
        await changed(counter, f"/hours-exceptions/{tomorrow().date()}", "DELETE")
        taken = await counter.confirmed(other)
        refused = await counter.post(lost, "restoration", manager())
        assert refused.json()["code"] == "slot-full"
        await counter.post(taken, "cancellation", other)
        await counter.confirmed(who)
        refused = await counter.post(lost, "restoration", manager())
        assert refused.json()["code"] == "person-busy"
        untouched = await counter.confirmed(resident(), tomorrow(10))
        refused = await counter.post(untouched, "restoration", manager())
        assert refused.json()["code"] == "not-displaced"
        assert len(await counter.told("booking-restored")) == 0


class TestStaffsList:
    async def test_in_pages_by_time_for_those_of_the_place(self, facilities):
        counter = await counter_of(facilities, capacity=2)
        lost = [await counter.confirmed(resident(), tomorrow(hour)) for hour in (9, 8, 10)]
        await closed_tomorrow(counter)
        first = (await listed(counter, limit=2)).json()
        rest = (await listed(counter, limit=2, after=first["next"])).json()
        codes = [one["code"] for one in first["items"] + rest["items"]]
        assert codes == [lost[1]["code"], lost[0]["code"], lost[2]["code"]]
        assert all(one["new_code"] is None for one in first["items"])
        assert "applicant_id" not in first["items"][0]
        assert (await listed(counter, since=tomorrow(days=2).date())).json()["items"] == []
        assert (await listed(counter, headers={})).status_code == 401
        assert (await listed(counter, headers=resident())).status_code == 403
        other = bearer("window-clerk", division=OTHER_COUNTY)
        assert (await listed(counter, headers=other)).status_code == 403
        missing = await facilities.client.get(
            f"/v1/facilities/{UUID(int=0)}/displaced-bookings", headers=CLERK
        )
        assert missing.status_code == 404
