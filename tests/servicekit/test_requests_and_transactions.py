import asyncio

from sqlalchemy.ext.asyncio import create_async_engine

from tests.servicekit.sample.definition import SERVICE
from tests.support.service import running
from tests.support.tokens import bearer, resident, token


class TestOneTransactionPerRequest:
    async def test_state_and_event_are_written_together(self, sample):
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        assert answer.status_code == 201
        assert await sample.count("note") == 1
        [(event_type, body)] = await sample.events()
        assert event_type == "cn.yichuang.sample.note-written.v1"
        assert body["note_id"] == answer.json()["id"]

    async def test_refusal_at_commit_is_a_problem_and_leaves_nothing(self, sample):
        await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        assert answer.status_code == 409
        assert answer.json()["code"] == "title-taken"
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(await sample.events()) == 1

    async def test_stray_write_in_a_get_fails_in_the_database(self, sample):
        answer = await sample.client.get("/v1/stray-write")
        assert answer.status_code == 500
        assert await sample.count("note") == 0

    async def test_unexpected_failure_tells_nothing(self, sample):
        answer = await sample.client.get("/v1/broken")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert answer.json()["code"] == "internal-error"
        assert answer.json()["instance"] == answer.headers["x-request-id"]


class TestIdempotencyKey:
    async def test_same_key_and_body_gives_the_first_answer(self, sample):
        headers = resident() | {"Idempotency-Key": "abc-1"}
        first = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        second = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert second.status_code == 201
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"
        assert await sample.count("note") == 1

    async def test_same_key_and_other_body_is_refused(self, sample):
        headers = resident() | {"Idempotency-Key": "abc-2"}
        await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        answer = await sample.client.post("/v1/notes", json={"title": "二"}, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency-key-reused"
        assert await sample.count("note") == 1

    async def test_same_key_of_another_caller_is_another_key(self, sample):
        for title in ("一", "二"):
            headers = resident() | {"Idempotency-Key": "abc-3"}
            answer = await sample.client.post("/v1/notes", json={"title": title}, headers=headers)
            assert answer.status_code == 201
        assert await sample.count("note") == 2

    async def test_racing_repeats_write_once_and_answer_alike(self, sample):
        headers = resident() | {"Idempotency-Key": "abc-4"}
        answers = await asyncio.gather(
            *(
                sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
                for _ in range(8)
            )
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert await sample.count("note") == 1
        assert len(await sample.events()) == 1

    async def test_a_failed_write_frees_the_key(self, sample):
        await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        headers = resident() | {"Idempotency-Key": "abc-5"}
        refused = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert refused.status_code == 409
        assert await sample.count("idempotency_key") == 0


class TestBadInput:
    async def test_malformed_json(self, sample):
        headers = resident() | {"content-type": "application/json"}
        answer = await sample.client.post("/v1/notes", content=b"{", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")

    async def test_wrong_content_type(self, sample):
        headers = resident() | {"content-type": "text/plain"}
        answer = await sample.client.post("/v1/notes", content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")

    async def test_oversize_body(self, sample):
        answer = await sample.client.post(
            "/v1/notes", json={"title": "一" * 600_000}, headers=resident()
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    async def test_oversize_body_without_a_length(self, sample):
        async def chunks():
            for _ in range(40):
                yield b" " * 50_000

        headers = resident() | {"content-type": "application/json"}
        answer = await sample.client.post("/v1/notes", content=chunks(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    async def test_violations_are_listed_with_their_paths(self, sample):
        answer = await sample.client.post("/v1/notes", json={"title": ""}, headers=resident())
        assert answer.status_code == 422
        assert [error["path"] for error in answer.json()["errors"]] == ["/title"]
        assert await sample.count("note") == 0

    async def test_unknown_path_and_method(self, sample):
        assert (await sample.client.get("/v1/nothing")).json()["code"] == "not-found"
        assert (await sample.client.delete("/v1/notes")).json()["code"] == "method-not-allowed"


class TestPermission:
    async def test_nobody(self, sample):
        answer = await sample.client.post("/v1/notes", json={"title": "一"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

    async def test_wrong_role(self, sample):
        answer = await sample.client.get("/v1/notes-of-staff", headers=bearer("handler"))
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")

    async def test_right_role(self, sample):
        answer = await sample.client.get("/v1/notes-of-staff", headers=bearer("window-clerk"))
        assert answer.json() == {"name": "测试人员"}

    async def test_expired_token(self, sample):
        headers = resident(expires_in=-60)
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")

    async def test_changed_token(self, sample):
        header, payload, _ = token("resident", kind="resident").split(".")
        signature = token("operator").split(".")[2]
        headers = {"Authorization": f"Bearer {header}.{payload}.{signature}"}
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")

    async def test_garbage_token(self, sample):
        headers = {"Authorization": "Bearer nonsense"}
        answer = await sample.client.post("/v1/notes", json={"title": "一"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")


class TestVersions:
    async def test_lost_race_is_a_conflict(self, sample):
        created = await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        path = f"/v1/notes/{created.json()['id']}"
        tag = (await sample.client.get(path)).headers["etag"]
        answers = await asyncio.gather(
            *(
                sample.client.patch(path, json={"title": name}, headers={"If-Match": tag})
                for name in ("二", "三")
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]

    async def test_version_is_required(self, sample):
        created = await sample.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        answer = await sample.client.patch(
            f"/v1/notes/{created.json()['id']}", json={"title": "二"}
        )
        assert (answer.status_code, answer.json()["code"]) == (428, "version-required")


async def test_ready_at_the_migration_head(sample):
    assert (await sample.client.get("/readyz")).status_code == 200


async def test_a_lost_database_is_unavailable_and_told_so(databases):
    async with running(SERVICE, await databases.clone(SERVICE)) as service:
        await service.database.close()
        service.app.state.database.sessions.configure(
            bind=create_async_engine("postgresql+asyncpg://nobody:no@127.0.0.1:1/none")
        )
        answer = await service.client.post("/v1/notes", json={"title": "一"}, headers=resident())
        assert (answer.status_code, answer.json()["code"]) == (503, "database-unavailable")
        assert answer.headers["retry-after"] == "2"
