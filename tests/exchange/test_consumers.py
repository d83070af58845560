from uuid import uuid4

import pytest

from contracts.evaluation import EvaluationOpened, RectificationClosed
from contracts.exchange import NoticeDelivered
from contracts.requests import (
    CaseAccepted,
    CaseCompleted,
    CaseDecided,
    CorrectionRequested,
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
        assert notice["receiver_id"] == event.applicant_id
        assert notice["case_number"] == getattr(event, "case_number", None)
        assert notice["request_number"] == getattr(event, "request_number", None)
        assert notice["read_at"] is None
        [(event_type, body)] = await exchange.events()
        assert event_type == NoticeDelivered.event_type
        told = NoticeDelivered.model_validate(body)
        assert (told.notice_id, told.receiver_id) == (notice["id"], event.applicant_id)
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
