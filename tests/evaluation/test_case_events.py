from datetime import date, timedelta
from uuid import uuid4

from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.evaluables.consumers import create_subscription
from tests.evaluation.factories import (
    OTHER_UNIT,
    UNIT,
    accepted,
    completed,
    correction,
    deliver,
)

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


def test_every_subscribed_event_has_a_handler(evaluation_session):
    subscription = create_subscription(evaluation_session.settings)
    assert subscription.group == "evaluation.cases"
    assert subscription.topics == ["yichuang.requests.v1"]
    assert all(subscription.handlers.values())
