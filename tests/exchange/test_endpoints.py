import asyncio
from uuid import uuid4

import pytest

from contracts.requests import CaseAccepted, CaseCompleted, CaseDecided, RequestSubmitted
from tests.exchange.factories import deliver, happened, somebody
from tests.support.tokens import bearer, resident

URL = "/v1/notices"
STEPS = (RequestSubmitted, CaseAccepted, CaseDecided, CaseCompleted)


async def tell(exchange, account, *event_classes):
    for event_class in event_classes or STEPS:
        await deliver(exchange, happened(event_class, applicant_id=account))


async def listed(exchange, account, **query):
    answer = await exchange.client.get(URL, params=query, headers=resident(account))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def unread(exchange, account):
    answer = await exchange.client.get(f"{URL}/unread-count", headers=resident(account))
    return answer.json()["unread"]


class TestListNotices:
    async def test_ones_own_newest_first(self, exchange):
        me, other = somebody(), somebody()
        await tell(exchange, me)
        await tell(exchange, other, CaseDecided)
        body = await listed(exchange, me)
        assert [notice["template"] for notice in body["items"]] == [
            "case-completed", "case-granted", "case-accepted", "request-submitted",
        ]  # fmt: skip
        assert body["next"] is None
        newest = body["items"][0]
        assert newest["title"] == "您的申请已办结"
        assert newest["case_number"] in newest["body"]
        assert newest["read_at"] is None
        assert set(newest) == {
            "id", "template", "title", "body", "request_number", "case_number", "created_at",
            "read_at",
        }  # fmt: skip

    async def test_pages_join_without_gap_or_repeat(self, exchange):
        me = somebody()
        await tell(exchange, me)
        first = await listed(exchange, me, limit=3)
        rest = await listed(exchange, me, limit=3, after=first["next"])
        seen = [notice["id"] for notice in first["items"] + rest["items"]]
        assert seen == [notice["id"] for notice in (await listed(exchange, me))["items"]]
        assert rest["next"] is None

    async def test_only_unread_ones(self, exchange):
        me = somebody()
        await tell(exchange, me)
        newest = (await listed(exchange, me))["items"][0]
        await exchange.client.post(f"{URL}/{newest['id']}/read", headers=resident(me))
        body = await listed(exchange, me, unread="true")
        assert len(body["items"]) == 3
        assert newest["id"] not in {notice["id"] for notice in body["items"]}

    async def test_nobody_has_none(self, exchange):
        assert await listed(exchange, somebody()) == {"items": [], "next": None}

    async def test_who_is_not_signed_in(self, exchange):
        for url in (URL, f"{URL}/unread-count"):
            answer = await exchange.client.get(url)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

    async def test_staff_see_their_own_and_not_the_residents(self, exchange):
        await tell(exchange, somebody())
        for role in ("handler", "supervisor", "auditor", "operator"):
            answer = await exchange.client.get(URL, headers=bearer(role))
            assert answer.json()["items"] == []

    @pytest.mark.parametrize("after", ["AAAA", "WzFd", "WyJ4Il0", "W251bGxd"])
    async def test_a_foreign_cursor_is_refused(self, exchange, after):
        answer = await exchange.client.get(URL, params={"after": after}, headers=resident())
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor-malformed")

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "unread=perhaps"])
    async def test_bad_questions_are_refused(self, exchange, query):
        answer = await exchange.client.get(f"{URL}?{query}", headers=resident())
        assert answer.status_code == 422


class TestMarkRead:
    async def test_the_first_time_counts(self, exchange):
        me = somebody()
        await tell(exchange, me)
        assert await unread(exchange, me) == 4
        notice = (await listed(exchange, me))["items"][0]
        first = await exchange.client.post(f"{URL}/{notice['id']}/read", headers=resident(me))
        assert first.status_code == 200
        assert first.json() == notice | {"read_at": first.json()["read_at"]}
        assert first.json()["read_at"] is not None
        again = await exchange.client.post(f"{URL}/{notice['id']}/read", headers=resident(me))
        assert again.json() == first.json()
        assert await unread(exchange, me) == 3

    async def test_somebody_elses_notice_is_as_good_as_none(self, exchange):
        me, other = somebody(), somebody()
        await tell(exchange, other, CaseDecided)
        theirs = (await listed(exchange, other))["items"][0]
        answer = await exchange.client.post(f"{URL}/{theirs['id']}/read", headers=resident(me))
        nothing = await exchange.client.post(f"{URL}/{uuid4()}/read", headers=resident(me))
        assert (answer.status_code, answer.json()["code"]) == (404, "notice-not-found")
        without_instance = [
            {name: value for name, value in one.json().items() if name != "instance"}
            for one in (answer, nothing)
        ]
        assert without_instance[0] == without_instance[1]
        assert await unread(exchange, other) == 1

    async def test_staff_cannot_read_it_for_the_resident(self, exchange):
        me = somebody()
        await tell(exchange, me, CaseDecided)
        mine = (await listed(exchange, me))["items"][0]
        answer = await exchange.client.post(
            f"{URL}/{mine['id']}/read", headers=bearer("handler", "supervisor", "operator")
        )
        assert answer.status_code == 404
        assert await unread(exchange, me) == 1

    async def test_read_by_many_hands_at_once(self, exchange):
        me = somebody()
        await tell(exchange, me, CaseDecided)
        mine = (await listed(exchange, me))["items"][0]
        answers = await asyncio.gather(
            *(
                exchange.client.post(f"{URL}/{mine['id']}/read", headers=resident(me))
                for _ in range(4)
            )
        )
        assert len({answer.json()["read_at"] for answer in answers}) == 1

    async def test_a_repeat_answers_alike(self, exchange):
        me = somebody()
        await tell(exchange, me, CaseDecided)
        mine = (await listed(exchange, me))["items"][0]
        headers = resident(me) | {"Idempotency-Key": "read-1"}
        first = await exchange.client.post(f"{URL}/{mine['id']}/read", headers=headers)
        second = await exchange.client.post(f"{URL}/{mine['id']}/read", headers=headers)
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"

    async def test_bad_calls(self, exchange):
        assert (await exchange.client.post(f"{URL}/{uuid4()}/read")).status_code == 401
        answer = await exchange.client.post(f"{URL}/1/read", headers=resident())
        assert answer.status_code == 422


class TestMarkAllRead:
    async def test_all_of_ones_own(self, exchange):
        me, other = somebody(), somebody()
        await tell(exchange, me)
        await tell(exchange, other)
        answer = await exchange.client.post(f"{URL}/read-all", headers=resident(me))
        assert (answer.status_code, answer.json()) == (200, {"marked": 4})
        assert (await unread(exchange, me), await unread(exchange, other)) == (0, 4)
        again = await exchange.client.post(f"{URL}/read-all", headers=resident(me))
        assert again.json() == {"marked": 0}

    async def test_up_to_what_was_on_the_screen(self, exchange):
        me = somebody()
        await tell(exchange, me, RequestSubmitted, CaseAccepted)
        on_screen = (await listed(exchange, me))["items"][0]["id"]
        await tell(exchange, me, CaseDecided)
        answer = await exchange.client.post(
            f"{URL}/read-all", params={"up_to": on_screen}, headers=resident(me)
        )
        assert answer.json() == {"marked": 2}
        [new] = (await listed(exchange, me, unread="true"))["items"]
        assert new["template"] == "case-granted"

    async def test_who_is_not_signed_in(self, exchange):
        answer = await exchange.client.post(f"{URL}/read-all")
        assert answer.status_code == 401

    async def test_no_identifier(self, exchange):
        answer = await exchange.client.post(f"{URL}/read-all?up_to=x", headers=resident())
        assert answer.status_code == 422
