from datetime import date, timedelta
from uuid import uuid4

from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables.consumers import create_subscription
from tests.evaluation.factories import (
    OTHER_UNIT,
    UNIT,
    accepted,
    answered,
    assert_equal_to_a_recount,
    completed,
    correction,
    deliver,
    paid,
    submitted,
)
from tests.support.tokens import resident

OPENED = "cn.yichuang.evaluation.evaluation-opened.v1"


async def copy_of(evaluation, case_id):
    [row] = await evaluation.fetch("SELECT * FROM case_copy WHERE case_id = $1", case_id)
    return row


class TestCaseCompleted:
    async def test_opens_the_last_service_of_the_case(self, evaluation):
        event = completed()
        await deliver(evaluation, event)
        [row] = await evaluation.fetch("SELECT * FROM evaluable")
        assert row["case_id"] == event.case_id
        assert row["service_number"] == 5
        assert row["applicant_id"] == event.applicant_id
        assert row["unit_code"] == UNIT
        today = local_day(now())
        assert row["open_until"] in (today + timedelta(days=30), today + timedelta(days=29))
        [(event_type, body)] = await evaluation.events()
        assert event_type == OPENED
        assert body["evaluable_id"] == str(row["id"])
        assert body["service_name"] == "办结"
        assert body["open_until"] == row["open_until"].isoformat()
        assert body["case_number"] == event.case_number

    async def test_delivered_twice_opens_once(self, evaluation):
        event, event_id = completed(), uuid4()
        await deliver(evaluation, event, event_id)
        await deliver(evaluation, event, event_id)
        assert await evaluation.count("evaluable") == 1
        assert len(await evaluation.events()) == 1

    async def test_told_twice_under_two_ids_opens_once(self, evaluation):
        event = completed()
        await deliver(evaluation, event)
        await deliver(evaluation, event)
        assert await evaluation.count("evaluable") == 1
        assert len(await evaluation.events()) == 1

    async def test_without_a_unit_is_open_too(self, evaluation):
        await deliver(evaluation, completed(unit_code=None, unit_name=None))
        assert await evaluation.count("evaluable") == 1


class TestOrder:
    async def test_older_facts_do_not_undo_newer_ones(self, evaluation):
        event = completed(5, unit_code=UNIT)
        same = {"case_id": event.case_id, "applicant_id": event.applicant_id}
        await deliver(evaluation, event)
        await deliver(evaluation, accepted(3, unit_code=OTHER_UNIT, **same))
        await deliver(evaluation, correction(2, unit_code=None, **same))
        copy = await copy_of(evaluation, event.case_id)
        assert copy["unit_code"] == UNIT
        assert copy["case_version"] == 5
        assert copy["completed_on"] == date(2026, 11, 20)
        assert copy["handler_name"] == "李办事"

    async def test_late_completion_still_opens_and_is_remembered(self, evaluation):
        later = accepted(7, unit_code=OTHER_UNIT)
        event = completed(5, case_id=later.case_id, applicant_id=later.applicant_id)
        await deliver(evaluation, later)
        await deliver(evaluation, event)
        copy = await copy_of(evaluation, event.case_id)
        assert copy["unit_code"] == OTHER_UNIT
        assert copy["completed_on"] == date(2026, 11, 20)
        [row] = await evaluation.fetch("SELECT unit_code FROM evaluable")
        assert row["unit_code"] == UNIT  # who did the work answers for it

    async def test_facts_before_the_completion_open_nothing(self, evaluation):
        await deliver(evaluation, correction())
        await deliver(evaluation, accepted())
        assert await evaluation.count("case_copy") == 2
        assert await evaluation.count("evaluable") == 0
        assert await evaluation.events() == []


class TestServicesOfACase:
    async def test_each_service_of_a_case_opens_once_and_one_invites(self, evaluation):
        end = completed(handler_id=uuid4(), window_code=None)
        start = submitted(end, window_code="A3", facility_id=uuid4())
        middle = answered(**shared(end))
        for event in (start, middle, end):
            event_id = uuid4()
            await deliver(evaluation, event, event_id)
            await deliver(evaluation, event, event_id)
            await deliver(evaluation, event)  # told again by a producer that was killed
        rows = await evaluation.fetch("SELECT * FROM evaluable ORDER BY service_number")
        assert [row["service_number"] for row in rows] == [2, 3, 5]
        assert {row["service_channel"] for row in rows} == {"window"}
        assert {row["window_code"] for row in rows} == {"A3"}
        assert {row["facility_id"] for row in rows} == {start.facility_id}
        assert rows[2]["handler_id"] == end.handler_id
        told = [body for kind, body in await evaluation.events() if kind == OPENED]
        assert [(body["service_name"], body["invites"]) for body in told] == [
            ("申报", False),
            ("补正", False),
            ("办结", True),
        ]

    async def test_a_fee_that_was_paid_opens_the_payment_once(self, evaluation):
        first = paid(window_code="B2", handler_id=uuid4(), handler_name="钱收费")
        second = paid(5, **shared(first))
        for event in (first, first, second):  # two receipts, one of them told twice
            await deliver(evaluation, event)
        [row] = await evaluation.fetch("SELECT * FROM evaluable")
        assert (row["service_number"], row["window_code"]) == (4, "B2")
        assert (row["handler_id"], row["handler_name"]) == (first.handler_id, "钱收费")
        [(_, told)] = await evaluation.events()
        assert (told["service_name"], told["invites"]) == ("缴费", False)

    async def test_who_takes_a_case_up_answers_for_the_application(self, evaluation):
        end, place, person = completed(), uuid4(), uuid4()
        await deliver(evaluation, submitted(end, channel="portal"))
        headers = resident(end.applicant_id)
        [row] = await evaluation.fetch("SELECT id FROM evaluable")
        body = {"evaluable_id": str(row["id"]), "level": "dissatisfied", "channel": "portal"}
        rated = await evaluation.client.post("/v1/ratings", json=body, headers=headers)
        assert rated.status_code == 201, rated.text
        event = accepted(
            **shared(end),
            handler_id=person,
            handler_name="周窗口",
            window_code="A1",
            facility_id=place,
        )
        await deliver(evaluation, event)
        await deliver(evaluation, accepted(4, **shared(end), handler_id=uuid4(), window_code="Z"))
        subjects = {
            (score["subject_kind"], score["subject_id"]): score["rated"]
            for score in await evaluation.fetch("SELECT * FROM score")
        }
        for subject in (
            ("person", str(person)),
            ("window", f"{UNIT}:A1"),
            ("facility", str(place)),
            ("unit", UNIT),
        ):
            assert subjects.pop(subject) == 1, subject
        assert not {"person", "window", "facility"} & {kind for kind, _ in subjects}
        await assert_equal_to_a_recount(evaluation)

    async def test_the_window_of_the_submission_stays(self, evaluation):
        end = completed()
        await deliver(evaluation, submitted(end, window_code="A3"))
        await deliver(evaluation, accepted(**shared(end), window_code="C9", handler_id=uuid4()))
        [row] = await evaluation.fetch("SELECT window_code, handler_id FROM evaluable")
        assert row["window_code"] == "A3"
        assert row["handler_id"] is not None

    async def test_a_late_submission_takes_nothing_back(self, evaluation):
        end = completed()
        await deliver(evaluation, end)
        await deliver(evaluation, submitted(end))
        copy = await copy_of(evaluation, end.case_id)
        assert copy["case_version"] == end.case_version
        assert copy["service_channel"] == "window"
        assert copy["completed_on"] == end.completed_on
        assert await evaluation.count("evaluable") == 2

    async def test_services_are_rated_apart(self, evaluation):
        end = completed()
        await deliver(evaluation, submitted(end))
        await deliver(evaluation, end)
        headers = resident(end.applicant_id)
        for row in await evaluation.fetch("SELECT id FROM evaluable"):
            body = {"evaluable_id": str(row["id"]), "level": "satisfied", "channel": "portal"}
            answer = await evaluation.client.post("/v1/ratings", json=body, headers=headers)
            assert answer.status_code == 201, answer.text
        [score] = await evaluation.fetch("SELECT rated FROM score WHERE subject_kind = 'unit'")
        assert score["rated"] == 2


def shared(event):
    return event.model_dump(
        include={"case_id", "case_number", "applicant_id", "request_id", "item_id", "unit_code"}
    )


def test_every_subscribed_event_has_a_handler(evaluation_session):
    subscription = create_subscription(evaluation_session.settings)
    assert subscription.group == "evaluation.cases"
    assert subscription.topics == ["yichuang.requests.v1"]
    assert all(subscription.handlers.values())
