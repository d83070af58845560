"""Places are held, confirmed, given back and used; who waits moves up; nobody is overbooked."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from servicekit.paging import encode_cursor
from servicekit.timers import Timers
from services.facilities.bookings import clock
from services.facilities.hours.rules import LOCAL
from tests.facilities.factories import COUNTY, OTHER_COUNTY, manager, recorded, workdays
from tests.support.tokens import bearer, resident

ALL_DAYS = dict.fromkeys([*workdays(), "saturday", "sunday"], workdays()["monday"])
CLERK = bearer("window-clerk", division=COUNTY, name="窗口小李")


def tomorrow(hour=8, minute=30, days=1):
    day = datetime.now(LOCAL).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LOCAL)


class Counter:
    """A counter that takes bookings, and people who book."""

    def __init__(self, service, place, resource):
        self.service, self.place, self.resource = service, place, resource

    async def book(self, who, at=None, *, key=None, **body):
        headers = who | ({"Idempotency-Key": key} if key else {})
        values = {"resource_id": self.resource["id"], "starts_at": (at or tomorrow()).isoformat()}
        return await self.service.client.post("/v1/bookings", json=values | body, headers=headers)

    async def booked(self, who, at=None, **body):
        answer = await self.book(who, at, **body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def confirmed(self, who, at=None):
        held = await self.booked(who, at)
        answer = await self.post(held, "confirmation", who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, booking, what, who, body=None):
        url = f"/v1/bookings/{booking['id']}/{what}"
        return await self.service.client.post(url, json=body or {}, headers=who)

    async def state(self, booking):
        rows = await self.service.fetch(
            "SELECT state FROM booking WHERE id = $1", UUID(booking["id"])
        )
        return rows[0]["state"]

    async def taken(self, at=None):
        rows = await self.service.fetch(
            "SELECT taken FROM booking_slot WHERE starts_at = $1", at or tomorrow()
        )
        return rows[0]["taken"]

    async def due(self, kind, booking):
        """Let a timer of a booking be due now, and the worker see it."""
        rows = await self.service.fetch(
            "UPDATE timer SET due_at = now() WHERE kind = $1 AND subject_id = $2 RETURNING kind",
            kind, UUID(booking["id"]),
        )  # fmt: skip
        assert len(rows) == 1
        await Timers(self.service.database, clock.TIMERS).run_due()

    async def told(self, name):
        return [body for kind, body in await self.service.events() if kind.endswith(f".{name}.v1")]


async def counter_of(service, **rules):
    place = await recorded(service, weekly_hours=ALL_DAYS)
    counter = uuid4()
    await service.fetch(
        "INSERT INTO counter (id, facility_id, version, name, is_open, recorded_at) "
        "VALUES ($1, $2, 1, '综合窗口', true, now())", counter, UUID(place["id"]),
    )  # fmt: skip
    answer = await service.client.post(
        f"/v1/facilities/{place['id']}/booking-resources",
        json={"counter_id": str(counter), **rules},
        headers=manager(),
    )
    assert answer.status_code == 201, answer.text
    return Counter(service, place, answer.json())


@pytest.fixture
async def counter(facilities):
    return await counter_of(facilities, reminder_hours=1)


class TestSlots:
    async def test_follow_the_hours_of_the_day_and_show_what_is_free(self, counter):
        await counter.booked(resident())
        url = f"/v1/booking-resources/{counter.resource['id']}/slots"
        day = tomorrow().date()
        body = (await counter.service.client.get(url, params={"day": day})).json()
        assert len(body["items"]) == 7 + 9
        assert [slot["free"] for slot in body["items"]] == [0] + [1] * 15
        assert [slot["is_bookable"] for slot in body["items"]][:2] == [False, True]
        far = (
            await counter.service.client.get(url, params={"day": day + timedelta(days=9)})
        ).json()
        assert not any(slot["is_bookable"] for slot in far["items"])

    async def test_a_day_that_is_closed_has_none_and_what_was_booked_is_marked(self, counter):
        await counter.confirmed(resident())
        day = tomorrow().date()
        version = (
            await counter.service.client.get(f"/v1/facilities/{counter.place['id']}")
        ).headers["etag"]
        closed = await counter.service.client.put(
            f"/v1/facilities/{counter.place['id']}/hours-exceptions/{day}",
            json={"intervals": [], "reason": "停电检修"},
            headers=manager() | {"If-Match": version},
        )
        assert closed.status_code == 200, closed.text
        url = f"/v1/booking-resources/{counter.resource['id']}"
        slots = (await counter.service.client.get(f"{url}/slots", params={"day": day})).json()
        assert (slots["items"], slots["because"]) == ([], "exception")
        assert (await counter.book(resident())).json()["code"] == "slot-unknown"
        listed = await counter.service.client.get(
            f"{url}/bookings", params={"day": day}, headers=CLERK
        )
        assert [item["is_outside_hours"] for item in listed.json()["items"]] == [True]


class TestBook:
    async def test_held_then_confirmed_and_told_with_nothing_but_an_account(self, counter):
        who, account = resident(account := uuid4()), account
        held = await counter.booked(who)
        assert (held["state"], len(held["code"])) == ("held", 8)
        assert held["expires_at"] is not None
        answer = await counter.post(held, "confirmation", who)
        assert (answer.json()["state"], answer.json()["expires_at"]) == ("confirmed", None)
        (told,) = await counter.told("booking-confirmed")
        assert (told["applicant_id"], told["from_time"], told["until_time"]) == (
            str(account), "08:30", "09:00",
        )  # fmt: skip
        assert await counter.post(held, "confirmation", who)  # again: nothing more is told
        assert len(await counter.told("booking-confirmed")) == 1

    async def test_a_repeat_with_its_key_is_one_booking(self, counter):
        who = resident(uuid4())
        first = await counter.book(who, key="same")
        second = await counter.book(who, key="same")
        assert first.json() == second.json()
        assert await counter.taken() == 1

    async def test_the_last_place_goes_to_one_of_many(self, facilities):
        counter = await counter_of(facilities, capacity=3)
        answers = await asyncio.gather(*(counter.book(resident()) for _ in range(24)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 21
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"slot-full"}
        assert (await counter.taken(), await facilities.count("booking")) == (3, 3)

    async def test_rules_for_one_person_hold_in_a_race(self, facilities):
        counter = await counter_of(facilities, capacity=10, max_open=2)
        who = resident(uuid4())
        at = [tomorrow(8, 30), tomorrow(8, 30), tomorrow(9), tomorrow(9, 30), tomorrow(10)]
        answers = await asyncio.gather(*(counter.book(who, moment) for moment in at))
        assert sum(answer.status_code == 201 for answer in answers) == 2
        codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert codes <= {"already-booked", "too-many-bookings"}

    @pytest.mark.parametrize(
        ("at", "status", "code"),
        [
            (tomorrow(8, 40), 422, "slot-unknown"),
            (tomorrow(12, 0), 422, "slot-unknown"),
            (tomorrow(days=-1), 409, "not-bookable"),
            (tomorrow(days=9), 409, "not-bookable"),
        ],
    )
    async def test_what_is_no_bookable_slot_is_refused(self, counter, at, status, code):
        answer = await counter.book(resident(), at)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await counter.service.count("booking") == 0
        assert await counter.service.count("timer") == 0

    async def test_is_for_residents_and_shown_to_nobody_else(self, counter):
        assert (await counter.book({})).status_code == 401
        assert (await counter.book(CLERK)).json()["code"] == "wrong-role"
        who = resident(uuid4())
        held = await counter.booked(who)
        for what, headers, body, code in (
            ("confirmation", resident(), {}, "wrong-person"),
            ("cancellation", resident(), {}, "wrong-person"),
            ("cancellation", CLERK, {"reason": "停电"}, "wrong-role"),
            ("cancellation", manager(OTHER_COUNTY), {"reason": "停电"}, "wrong-division"),
            ("cancellation", manager(), {}, "reason-missing"),
            ("check-in", who, {}, "wrong-role"),
            ("check-in", bearer("window-clerk", division=OTHER_COUNTY), {}, "wrong-division"),
        ):
            answer = await counter.post(held, what, headers, body)
            assert answer.json()["code"] == code, what
        assert await counter.state(held) == "held"
        url = f"/v1/bookings/{held['id']}"
        for path in (url, f"{url}/history"):
            assert (await counter.service.client.get(path, headers=resident())).status_code == 403
            assert (await counter.service.client.get(path, headers=who)).status_code == 200
            assert (await counter.service.client.get(path, headers=CLERK)).status_code == 200
        own = (await counter.service.client.get("/v1/bookings", headers=who)).json()["items"]
        assert [one["id"] for one in own] == [held["id"]]
        assert (await counter.service.client.get("/v1/bookings", headers=resident())).json()[
            "items"
        ] == []


class TestCancel:
    async def test_gives_the_place_back_and_tells_by_whom(self, counter):
        who = resident(uuid4())
        booking = await counter.confirmed(who)
        assert (await counter.post(booking, "cancellation", who)).json()["state"] == "cancelled"
        assert await counter.taken() == 0
        assert [body["by"] for body in await counter.told("booking-cancelled")] == ["resident"]
        assert await counter.service.count("timer") == 0
        await counter.booked(who)

    async def test_shortly_before_only_the_place_can(self, facilities):
        counter = await counter_of(facilities, cancel_minutes=10_080)
        who = resident(uuid4())
        booking = await counter.confirmed(who)
        refused = await counter.post(booking, "cancellation", who)
        assert refused.json()["code"] == "too-late-to-cancel"
        answer = await counter.post(
            booking, "cancellation", manager(), {"reason": "停电，暂停服务"}
        )
        assert answer.status_code == 200
        (told,) = await counter.told("booking-cancelled")
        assert (told["by"], told["reason"]) == ("place", "停电，暂停服务")


class TestWaiting:
    async def test_moves_up_in_order_when_places_come_free(self, counter):
        first, *others = [resident(uuid4()) for _ in range(4)]
        taken = await counter.confirmed(first)
        refused = await counter.book(others[0])
        assert (refused.json()["code"], refused.json()["can_wait"]) == ("slot-full", True)
        waiting = [await counter.booked(who, wait=True) for who in others]
        assert [one["waiting_position"] for one in waiting] == [1, 2, 3]
        await counter.post(taken, "cancellation", first)
        assert [await counter.state(one) for one in waiting] == ["held", "waiting", "waiting"]
        (moved,) = await counter.told("booking-moved-up")
        assert moved["booking_id"] == waiting[0]["id"]
        await counter.due("booking-hold", waiting[0])
        assert [await counter.state(one) for one in waiting] == ["expired", "held", "waiting"]
        late = await counter.post(waiting[0], "confirmation", others[0])
        assert late.json()["code"] == "hold-over"
        assert (await counter.post(waiting[1], "confirmation", others[1])).status_code == 200
        await counter.due("booking-wait", waiting[2])
        assert await counter.state(waiting[2]) == "expired"
        assert [body["was_waiting"] for body in await counter.told("booking-expired")] == [
            False,
            True,
        ]
        assert await counter.taken() == 1

    async def test_has_an_end(self, facilities):
        counter = await counter_of(facilities, waiting_places=1)
        await counter.booked(resident())
        answers = await asyncio.gather(*(counter.book(resident(), wait=True) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
        full = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert full == {"waiting-list-full"}

    async def test_more_room_lets_them_move_up(self, counter):
        await counter.booked(resident())
        waiting = [await counter.booked(resident(), wait=True) for _ in range(2)]
        url = f"/v1/booking-resources/{counter.resource['id']}"
        rules = {"capacity": 2, "reminder_hours": 1}
        headers = manager() | {"If-Match": '"1"'}
        changed = await counter.service.client.put(url, json=rules, headers=headers)
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert [await counter.state(one) for one in waiting] == ["held", "waiting"]
        stale = await counter.service.client.put(url, json=rules, headers=headers)
        assert stale.json()["code"] == "stale-version"
        longer = {"slot_minutes": 60}
        headers = manager() | {"If-Match": '"2"'}
        refused = await counter.service.client.put(url, json=longer, headers=headers)
        assert refused.json()["code"] == "slots-booked"

    async def test_giving_back_and_taking_at_the_same_moment_never_overbooks(self, facilities):
        counter = await counter_of(facilities, capacity=4, waiting_places=50)
        people = [resident(uuid4()) for _ in range(4)]
        held = [await counter.booked(who) for who in people]
        await asyncio.gather(
            *(
                counter.post(one, "cancellation", who)
                for one, who in zip(held, people, strict=True)
            ),
            *(counter.book(resident(), wait=True) for _ in range(12)),
        )
        rows = await facilities.fetch("SELECT state, count(*) AS n FROM booking GROUP BY 1")
        assert {row["state"]: row["n"] for row in rows} == {"cancelled": 4, "held": 4, "waiting": 8}
        assert await counter.taken() == 4


class TestOnTheDay:
    async def test_a_reminder_then_a_no_show_then_checked_in_after_all(self, counter):
        booking = await counter.confirmed(resident())
        await counter.due("booking-reminder", booking)
        assert len(await counter.told("booking-reminder-due")) == 1
        early = await counter.post(booking, "check-in", CLERK)
        assert early.json()["code"] == "not-that-day"
        await self.move_to_now(counter, booking)
        await counter.due("booking-end", booking)
        assert await counter.state(booking) == "missed"
        here = await counter.post(booking, "check-in", CLERK)
        assert here.json()["state"] == "attended"
        assert "applicant_id" not in here.json()
        history = await counter.service.client.get(
            f"/v1/bookings/{booking['id']}/history", headers=CLERK
        )
        assert [(entry["action"], entry["by"]) for entry in history.json()] == [
            ("hold", "本人"), ("confirm", "本人"), ("miss", "系统"), ("check-in", "窗口小李"),
        ]  # fmt: skip

    async def test_no_shows_block_for_a_while(self, facilities):
        counter = await counter_of(facilities, no_show_limit=2, block_days=30)
        who = resident(uuid4())
        for hour in (8, 9):
            booking = await counter.confirmed(who, tomorrow(hour, 30))
            await facilities.fetch(
                "UPDATE booking SET starts_at = starts_at - interval '2 days', "
                "ends_at = ends_at - interval '2 days' WHERE id = $1", UUID(booking["id"]),
            )  # fmt: skip
            await counter.due("booking-end", booking)
        told = [body["blocked_until"] for body in await counter.told("booking-missed")]
        until = (datetime.now(LOCAL).date() + timedelta(days=29)).isoformat()
        assert told == [None, until]
        refused = await counter.book(who)
        assert (refused.json()["code"], refused.json()["blocked_until"]) == (
            "booking-blocked",
            until,
        )
        await counter.booked(resident(), tomorrow(10))

    async def move_to_now(self, counter, booking):
        await counter.service.fetch(
            "UPDATE booking SET starts_at = now() - interval '1 second', ends_at = now() WHERE id = $1",
            UUID(booking["id"]),
        )


class TestResources:
    async def test_a_counter_with_bookings_cannot_be_removed(self, counter):
        version = (
            await counter.service.client.get(f"/v1/facilities/{counter.place['id']}")
        ).headers["etag"]
        url = f"/v1/facilities/{counter.place['id']}/counters/{counter.resource['counter_id']}"
        answer = await counter.service.client.delete(url, headers=manager() | {"If-Match": version})
        assert (answer.status_code, answer.json()["code"]) == (409, "booking-resource-in-use")

    async def test_is_opened_once_by_the_places_manager(self, counter):
        url = f"/v1/facilities/{counter.place['id']}/booking-resources"
        body = {"counter_id": counter.resource["counter_id"]}
        for headers, sent, code in (
            (manager(), body, "booking-resource-taken"),
            (manager(), {"room_id": str(uuid4())}, "not-of-this-place"),
            (manager(), body | {"room_id": str(uuid4())}, "invalid-request"),
            (manager(), body | {"capacity": 0}, "invalid-request"),
            (manager(OTHER_COUNTY), body, "wrong-division"),
            (CLERK, body, "wrong-role"),
        ):
            answer = await counter.service.client.post(url, json=sent, headers=headers)
            assert answer.json()["code"] == code
        listed = (await counter.service.client.get(url)).json()
        assert [one["name"] for one in listed] == ["综合窗口"]
        assert await counter.service.count("booking_resource") == 1

    async def test_a_closed_place_takes_no_bookings(self, counter):
        version = (
            await counter.service.client.get(f"/v1/facilities/{counter.place['id']}")
        ).headers["etag"]
        await counter.service.client.post(
            f"/v1/facilities/{counter.place['id']}/transitions",
            json={"action": "start-repair", "note": "屋顶漏水"},
            headers=manager() | {"If-Match": version},
        )
        assert (await counter.book(resident())).json()["code"] == "not-bookable"

    async def test_pages_of_a_counters_day(self, facilities):
        counter = await counter_of(facilities, capacity=5)
        made = [await counter.booked(resident()) for _ in range(3)]
        url = f"/v1/booking-resources/{counter.resource['id']}/bookings"
        day = {"day": tomorrow().date(), "limit": 2}
        first = (await facilities.client.get(url, params=day, headers=CLERK)).json()
        rest = await facilities.client.get(
            url, params=day | {"after": first["next"]}, headers=CLERK
        )
        for cursor in (encode_cursor("2026-01-01T00:00:00", 1), encode_cursor("x"), "?"):
            bad = await facilities.client.get(url, params=day | {"after": cursor}, headers=CLERK)
            assert bad.json()["code"] == "cursor-malformed"
        codes = [one["code"] for one in first["items"] + rest.json()["items"]]
        assert codes == [one["code"] for one in made]
        other = bearer("window-clerk", division=OTHER_COUNTY)
        assert (await facilities.client.get(url, params=day, headers=other)).status_code == 403
        assert (await facilities.client.get(url, params=day, headers=resident())).status_code == 403
