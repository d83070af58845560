"""Repeated requests beyond the usual case: odd keys, nobody signed in, headers of the answer."""

import asyncio
from uuid import uuid4

import pytest

from servicekit.idempotency import MAX_KEY_LENGTH
from tests.support.tokens import resident


def keyed(key: str, headers: dict[str, str] | None = None) -> dict[str, str]:
    return (resident() if headers is None else headers) | {"Idempotency-Key": key}


class TestKey:
    @pytest.mark.parametrize("key", ["", "x" * (MAX_KEY_LENGTH + 1), "a\x7fb", "a\tb"])
    async def test_a_malformed_one_is_refused_and_nothing_written(self, sample, key):
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=keyed(key))
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-malformed")
        assert await sample.count("note") == 0
        assert await sample.events() == []

    @pytest.mark.parametrize("key", ["x", "x" * MAX_KEY_LENGTH, "a b", "01J9-_:/+="])
    async def test_any_printable_one_is_taken(self, sample, key):
        headers = keyed(key)
        for _ in range(2):
            answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
            assert answer.status_code == 201
        assert await sample.count("note") == 1

    async def test_belongs_to_one_path(self, sample):
        headers = keyed(str(uuid4()))
        await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        answer = await sample.client.post(
            "/v1/notes-of-anybody", json={"title": "一"}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")

    async def test_without_one_a_repeat_is_a_second_request(self, sample):
        answers = [
            await sample.client.post("/v1/notes", json={"title": title}, headers=resident())
            for title in ("一", "二")
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert await sample.count("idempotency_key") == 0

    async def test_is_not_claimed_by_a_body_that_does_not_fit(self, sample):
        headers = keyed(str(uuid4()))
        refused = await sample.client.post("/v1/notes", json={"title": ""}, headers=headers)
        assert refused.status_code == 422
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert answer.status_code == 201


class TestReplay:
    async def test_keeps_status_body_etag_and_location(self, sample):
        headers = keyed(str(uuid4()))
        first, second = [
            await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
            for _ in range(2)
        ]
        assert second.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        assert (second.status_code, second.content) == (first.status_code, first.content)
        for name in ("content-type", "etag", "location"):
            assert second.headers[name] == first.headers[name]
        assert second.headers["x-request-id"] != first.headers["x-request-id"]

    async def test_records_no_second_event(self, sample):
        headers = keyed(str(uuid4()))
        for _ in range(3):
            await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert len(await sample.events()) == 1

    async def test_of_a_refusal_does_not_happen(self, sample):
        await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        headers = keyed(str(uuid4()))
        for _ in range(2):
            answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (409, "title-taken")
            assert "idempotent-replayed" not in answer.headers


class TestAnswersThatAreSecret:
    async def test_are_not_stored_and_not_given_again(self, sample):
        headers = keyed(str(uuid4()))
        answers = [
            await sample.client.post("/v1/keys-of-notes", json={"title": title}, headers=headers)
            for title in ("一", "二")
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() != answers[1].json()
        assert await sample.count("idempotency_key") == 0
        assert len(await sample.events()) == 2


class TestNobodySignedIn:
    async def test_a_repeat_gets_the_first_answer(self, sample):
        headers = keyed(str(uuid4()), {})
        answers = [
            await sample.client.post("/v1/notes-of-anybody", json={"title": "一"}, headers=headers)
            for _ in range(2)
        ]
        assert answers[0].content == answers[1].content
        assert await sample.count("note") == 1

    async def test_another_body_under_their_key_is_refused(self, sample):
        headers = keyed(str(uuid4()), {})
        await sample.client.post("/v1/notes-of-anybody", json={"title": "一"}, headers=headers)
        answer = await sample.client.post(
            "/v1/notes-of-anybody", json={"title": "二"}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")

    async def test_their_key_is_not_that_of_somebody_signed_in(self, sample):
        key = str(uuid4())
        for title, headers in (("一", {}), ("二", resident())):
            answer = await sample.client.post(
                "/v1/notes-of-anybody", json={"title": title}, headers=keyed(key, headers)
            )
            assert answer.status_code == 201
        assert await sample.count("note") == 2

    async def test_racing_repeats_write_once(self, sample):
        headers = keyed(str(uuid4()), {})
        answers = await asyncio.gather(
            *(
                sample.client.post("/v1/notes-of-anybody", json={"title": "一"}, headers=headers)
                for _ in range(6)
            )
        )
        assert len({answer.content for answer in answers}) == 1
        assert await sample.count("note") == 1
