"""需求: wishes, searches without results and refused requests, counted and listed by month."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import SearchMissed
from contracts.evaluation import UnmetNeedsListed
from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.demand.lists import tell_due
from services.evaluation.demand.rules import (
    Need,
    due_month,
    fold,
    gather,
    listed_for,
    month_of,
)
from services.evaluation.models import NeedKind
from tests.evaluation.factories import (
    COUNTY,
    VILLAGE,
    all_pages,
    deliver,
    division,
    handler,
    refused,
    supervisor,
)
from tests.support.tokens import bearer, resident

SIBLING = "140802001006"
TOWNSHIP = "140802001000"
#: Long over, so that its list is due.
MONTH = date(2026, 9, 1)


def missed(query: str = "老年食堂", searches: int = 1, **values) -> SearchMissed:
    defaults = {
        "division_code": VILLAGE,
        "query": query,
        "searches": searches,
        "occurred_on": MONTH + timedelta(days=9),
        "occurred_at": datetime(2026, 9, 10, 3, tzinfo=UTC),
    }
    return SearchMissed(**(defaults | values))


async def wish(service, headers=None, **values):
    body = {"division_code": VILLAGE, "topic": "老年食堂"} | values
    return await service.client.post("/v1/wishes", json=body, headers=headers or resident())


async def needs(service, **query):
    params = {"division": COUNTY} | query
    return await service.client.get("/v1/needs", params=params, headers=supervisor())


async def listed(service) -> list[UnmetNeedsListed]:
    return [
        UnmetNeedsListed.model_validate(body)
        for event_type, body in await service.events()
        if event_type == UnmetNeedsListed.event_type
    ]


@pytest.fixture
async def village(evaluation):
    await deliver(evaluation, division(VILLAGE, "常平村委会"))
    return evaluation


class TestWishing:
    async def test_is_counted_and_stays_the_residents_own(self, village):
        ann = resident()
        answer = await wish(
            village, ann, topic=" 老年 食堂 ", kind="facility", detail="母亲王桂英一个人吃饭"
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["topic"] == "老年食堂"
        assert "detail" not in answer.json()
        own = (await village.client.get("/v1/wishes", headers=ann)).json()["items"]
        assert [row["detail"] for row in own] == ["母亲王桂英一个人吃饭"]
        assert (await village.client.get("/v1/wishes", headers=resident())).json()["items"] == []
        [need] = (await needs(village)).json()["items"]
        assert need == {
            "topic": "老年食堂",
            "division_code": VILLAGE,
            "searches": 0,
            "wishes": 1,
            "refusals": 0,
            "asked": 1,
            "kind": "facility",
        }
        [row] = await village.fetch("SELECT detail FROM wish")
        assert "王桂英" not in row["detail"]

    async def test_once_a_month_and_topic_however_often_it_is_sent(self, village):
        ann = resident()
        key = {"Idempotency-Key": str(uuid4())}
        first = await wish(village, ann | key)
        assert (await wish(village, ann | key)).json() == first.json()
        answers = await asyncio.gather(*(wish(village, ann, topic="老年　食堂") for _ in range(4)))
        assert {answer.json()["code"] for answer in answers} == {"wish-made-already"}
        [need] = (await needs(village)).json()["items"]
        assert need["wishes"] == 1

    async def test_no_more_than_the_limit_even_at_once(self, village):
        ann = resident()
        answers = await asyncio.gather(*(wish(village, ann, topic=f"服务之{n}") for n in range(23)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] * 20 + [409] * 3
        assert await village.count("wish") == 20

    @pytest.mark.parametrize(
        ("values", "status", "code"),
        [
            ({"topic": "x"}, 422, "invalid-request"),
            ({"topic": "请打13700009051"}, 422, "topic-holds-personal-data"),
            ({"topic": "字" * 41}, 422, "invalid-request"),
            ({"kind": "money"}, 422, "invalid-request"),
            ({"division_code": "140802001099"}, 422, "division-unknown"),
            ({"resident_id": str(uuid4())}, 422, "invalid-request"),
        ],
    )
    async def test_refusals_write_nothing(self, village, values, status, code):
        answer = await wish(village, **values)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await village.count("wish") == await village.count("need_count") == 0

    async def test_is_for_residents(self, village):
        assert (await wish(village, handler())).status_code == 403
        assert (await village.client.post("/v1/wishes", json={})).status_code == 401
        assert (await village.client.get("/v1/wishes", headers=supervisor())).status_code == 403


class TestCounting:
    async def test_an_event_delivered_twice_counts_once(self, evaluation):
        event_id = uuid4()
        for _ in range(2):
            await deliver(evaluation, missed(searches=4), event_id)
        refusal = refused(occurred_at=datetime(2026, 8, 31, 16, tzinfo=UTC))  # 1 September there
        await deliver(evaluation, refusal, event_id := uuid4())
        await deliver(evaluation, refusal, event_id)
        rows = (await needs(evaluation, month="2026-09-17")).json()["items"]
        counts = [(row["topic"], row["searches"], row["refusals"]) for row in rows]
        assert counts == [("老年食堂", 4, 0), (refusal.item_name, 0, 1)]

    async def test_what_looks_like_a_person_is_dropped(self, evaluation):
        await deliver(evaluation, missed("13700009051"))
        assert await evaluation.count("need_count") == 0

    async def test_reading_by_role_and_division(self, evaluation):
        await deliver(evaluation, missed())
        get = evaluation.client.get
        path = f"/v1/needs?division={COUNTY}&month={MONTH}"
        for headers, code in (
            (handler(), "wrong-role"),
            (resident(), "wrong-role"),
            (supervisor("140821000000"), "wrong-division"),
            (bearer("statistician", division=TOWNSHIP), "wrong-division"),
        ):
            answer = await get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        assert (await get(path)).status_code == 401
        allowed = await get(path, headers=bearer("statistician", division=COUNTY))
        assert len(allowed.json()["items"]) == 1

    async def test_pages(self, evaluation):
        for number, searches in enumerate((3, 1, 3, 2)):
            await deliver(evaluation, missed(f"主题{number}", searches))
        seen = await all_pages(
            evaluation, f"/v1/needs?division={COUNTY}&month={MONTH}", supervisor()
        )
        assert [row["asked"] for row in seen] == [3, 3, 2, 1]
        for cursor in ("WzEsMl0", "WyJ4IiwieCIsIngiXQ"):
            assert (await needs(evaluation, after=cursor)).status_code == 400


class TestLists:
    async def test_is_told_once_when_its_month_is_over(self, evaluation):
        await deliver(evaluation, missed("助浴", 5))
        await deliver(evaluation, missed("修伞", 2))
        await deliver(evaluation, missed("修伞", 1, division_code=SIBLING))
        await deliver(evaluation, missed("独一份", 1))
        await deliver(evaluation, missed("今天的", 9, occurred_on=local_day(now())))
        told = await asyncio.gather(
            *(tell_due(evaluation.settings, evaluation.database) for _ in range(3))
        )
        assert sum(told) == 1
        [event] = await listed(evaluation)
        assert (event.key, event.month) == (COUNTY, MONTH)
        shown = [(need.topic, need.division_code, need.searches) for need in event.needs]
        assert shown == [("助浴", VILLAGE, 5), ("修伞", TOWNSHIP, 3)]
        await deliver(evaluation, missed("助浴", 5))  # late: counted, but the list stands
        assert await tell_due(evaluation.settings, evaluation.database) == 0
        [public] = (await evaluation.client.get("/v1/need-lists")).json()["items"]
        assert [need["asked"] for need in public["needs"]] == [5, 3]
        none = await evaluation.client.get("/v1/need-lists?division=140821000000")
        assert none.json()["items"] == []

    async def test_pages(self, evaluation):
        for month in (7, 8, 9):
            await deliver(evaluation, missed(searches=3, occurred_on=date(2026, month, 5)))
        await tell_due(evaluation.settings, evaluation.database)
        seen = await all_pages(evaluation, "/v1/need-lists")
        assert [row["month"] for row in seen] == ["2026-09-01", "2026-08-01", "2026-07-01"]
        assert (await evaluation.client.get("/v1/need-lists?after=WzEsMl0")).status_code == 400

    def test_when_a_month_is_due(self):
        assert due_month(date(2026, 12, 2), 3) == date(2026, 10, 1)
        assert due_month(date(2026, 12, 3), 3) == date(2026, 11, 1)
        assert due_month(date(2027, 1, 31), 3) == date(2026, 12, 1)


class TestRules:
    def test_topics_are_one_however_they_are_typed(self):
        assert fold("ＡＴＭ　取款") == fold("atm取款") == "atm取款"

    def test_lists_belong_to_counties(self):
        assert listed_for(VILLAGE) == listed_for(TOWNSHIP) == listed_for(COUNTY) == COUNTY
        assert listed_for("140800000000") == "140800000000"
        assert month_of(date(2026, 11, 22)) == date(2026, 11, 1)

    def test_kind_is_what_most_say(self):
        need = Need("甲", VILLAGE, wishes=3, service_wishes=1, facility_wishes=2)
        assert need.kind is NeedKind.facility
        assert Need("甲", VILLAGE, searches=9).kind is None

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.builds(
                Need,
                st.sampled_from(["甲", "乙"]),
                st.sampled_from([VILLAGE, SIBLING, TOWNSHIP, "140802100201", COUNTY]),
                searches=st.integers(0, 4),
                wishes=st.integers(0, 2),
            ),
            max_size=12,
        ),
        st.integers(1, 5),
    )
    def test_nothing_rare_is_told_and_nothing_frequent_lost(self, asked, minimum):
        told = gather(asked, minimum=minimum, most=100)
        assert all(need.asked >= minimum for need in told)
        assert len({(need.topic, need.division_code) for need in told}) == len(told)
        for topic in ("甲", "乙"):
            before = sum(need.asked for need in asked if need.topic == topic)
            after = sum(need.asked for need in told if need.topic == topic)
            assert before - minimum < after <= before
