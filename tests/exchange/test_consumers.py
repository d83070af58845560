from uuid import uuid4

import pytest

from contracts.evaluation import EvaluationOpened, RectificationClosed
from contracts.exchange import NoticeDelivered
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseDecided,
    CaseFollowUpDue,
    CaseRescheduled,
    CorrectionRequested,
    RequestClaimed,
    RequestSubmitted,
)
from contracts.samples import samples_of
from services.exchange.definition import SERVICE
from services.exchange.notices.consumers import GROUP, TOLD
from services.exchange.settings import ExchangeSettings
from tests.exchange.factories import DATA, SUBSCRIPTION, deliver, envelope_of, handle, happened
from tests.support.service import settings_for


async def notices(exchange):
    return await exchange.fetch("SELECT * FROM notice ORDER BY id")


class TestTellApplicant:
    @pytest.mark.parametrize("event_class", TOLD)
    async def test_each_event_makes_one_notice_and_says_so(self, exchange, event_class):
        event = happened(event_class)
        await deliver(exchange, event)
        [notice] = await notices(exchange)
        receiver = getattr(event, "account_id", event.applicant_id)
        assert notice["receiver_id"] == receiver
        assert notice["case_number"] == getattr(event, "case_number", None)
        assert notice["request_number"] == getattr(event, "request_number", None)
        assert notice["read_at"] is None
        [(event_type, body)] = await exchange.events()
        assert event_type == NoticeDelivered.event_type
        told = NoticeDelivered.model_validate(body)
        assert (told.notice_id, told.receiver_id) == (notice["id"], receiver)
        assert (told.template, told.channel) == (notice["template"], "in-app")

    @pytest.mark.parametrize("event_class", TOLD)
    async def test_delivered_twice_it_is_told_once(self, exchange, event_class):
        event, event_id = happened(event_class), uuid4()
        await deliver(exchange, event, event_id)
        await deliver(exchange, event, event_id)
        assert len(await notices(exchange)) == 1
        assert len(await exchange.events()) == 1

    async def test_it_is_told_once_even_when_the_inbox_has_forgotten(self, exchange):
        event = happened(CaseDecided)
        envelope = envelope_of(event)
        for _ in range(2):
            async with exchange.database.transaction() as session:
                await handle(session, event, envelope)
        assert len(await notices(exchange)) == 1
        assert len(await exchange.events()) == 1

    async def test_notices_of_a_request_stand_in_the_order_of_its_events(self, exchange):
        order = (
            RequestSubmitted,
            CorrectionRequested,
            CaseAccepted,
            CaseDecided,
            CaseCompleted,
            EvaluationOpened,
            RectificationClosed,
        )
        # As the bus does it: many events of a partition in one transaction.
        async with exchange.database.transaction() as session:
            for event_class in order:
                event = happened(event_class)
                await handle(session, event, envelope_of(event))
        assert [notice["template"] for notice in await notices(exchange)] == [
            "request-submitted",
            "correction-requested",
            "case-accepted",
            "case-granted",
            "case-completed",
            "evaluation-opened",
            "rectification-closed",
        ]

    async def test_a_check_by_staff_and_a_stopped_clock_are_no_news_for_residents(self, exchange):
        await deliver(exchange, happened(CaseFollowUpDue, kind="commitment"))
        await deliver(exchange, happened(CaseFollowUpDue, overdue=True))
        await deliver(exchange, happened(CaseRescheduled, due_on=None))
        assert await notices(exchange) == []
        await deliver(exchange, happened(CaseRescheduled))
        await deliver(exchange, happened(CaseRescheduled, former_due_on=None))
        changed, found = [notice["body"] for notice in await notices(exchange)]
        assert "承诺办结日由2026年12月17日改为2026年12月18日" in changed
        assert "承诺办结日改为2026年12月18日" in found

    async def test_nothing_of_the_person_is_stored(self, exchange):
        await deliver(exchange, happened(CaseCompleted, handler_name="王大友"))
        told = ("请王某携带140802199001011234", "回电13812345678")
        await deliver(exchange, happened(CorrectionRequested, missing=told))
        [completed, correction] = await notices(exchange)
        assert "王大友" not in completed["title"] + completed["body"]
        assert "140802199001011234" not in correction["body"]
        assert "13812345678" not in correction["body"]
        for _, body in await exchange.events():
            assert set(body) == set(NoticeDelivered.model_fields)

    async def test_whoever_claimed_a_request_reads_what_was_told_and_will_be(self, exchange):
        submitted = happened(RequestSubmitted)
        [case, *_] = submitted.cases
        nobody, mine, agent = uuid4(), uuid4(), uuid4()
        of_it = {"request_id": submitted.request_id, "applicant_id": nobody}
        numbers = {"request_number": submitted.request_number}
        await deliver(exchange, submitted.model_copy(update={"applicant_id": nobody}))
        claim = {
            "cases": [{"case_id": case.case_id, "case_number": case.case_number}],
            "taken_in_by_staff": True,
        }
        for account, role in ((agent, "agent"), (mine, "applicant")):
            as_one = {"account_id": account, "claimed_as": role}
            await deliver(exchange, happened(RequestClaimed, **of_it, **numbers, **claim, **as_one))
        await deliver(exchange, happened(CaseDecided, **of_it, **numbers))
        opened = {"applicant_id": nobody, "case_id": case.case_id}
        await deliver(exchange, happened(EvaluationOpened, **opened))
        await deliver(exchange, happened(CaseDecided, applicant_id=nobody, request_id=uuid4()))

        async def read_by(account):
            return [
                each["template"]
                for each in await notices(exchange)
                if each["receiver_id"] == account
            ]

        claimed = ["request-claimed-by-agent", "request-claimed"]
        later = ["case-granted", "evaluation-opened"]
        assert await read_by(mine) == ["request-submitted", *claimed, *later]
        assert await read_by(agent) == [*claimed, *later]
        assert await read_by(nobody) == [*later, "case-granted"]

    async def test_a_failure_leaves_neither_notice_nor_event(self, exchange):
        event = happened(CaseDecided)
        with pytest.raises(RuntimeError):
            await self.handled_by_a_machine_that_stops(exchange, event)
        assert await notices(exchange) == []
        assert await exchange.events() == []

    async def handled_by_a_machine_that_stops(self, exchange, event):
        async with exchange.database.transaction() as session:
            await handle(session, event, envelope_of(event))
            raise RuntimeError("the machine stops")


class TestWorker:
    def test_it_subscribes_to_what_it_has_words_for(self):
        settings = settings_for(ExchangeSettings, "postgresql://unused", data_directory=DATA)
        assert SERVICE.create_worker is not None
        [subscription] = SERVICE.create_worker(settings).subscriptions
        assert subscription.group == GROUP == "exchange.notices"
        assert set(subscription.handlers) == set(TOLD)
        assert subscription.topics == [
            "yichuang.evaluation.v1",
            "yichuang.facilities.facts.v1",
            "yichuang.requests.v1",
        ]
        assert set(SUBSCRIPTION.handlers) == set(TOLD)

    def test_without_templates_it_does_not_start(self, tmp_path):
        settings = settings_for(ExchangeSettings, "postgresql://unused", data_directory=tmp_path)
        assert SERVICE.create_worker is not None
        with pytest.raises(FileNotFoundError):
            SERVICE.create_worker(settings)

    def test_every_event_told_of_is_published_with_samples(self):
        assert all(samples_of(event_class) for event_class in TOLD)
