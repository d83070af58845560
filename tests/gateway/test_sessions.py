"""Sessions: refreshing, losing answers, stolen copies, signing out."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.rules import (
    REPEAT_WINDOW,
    RefreshFacts,
    RefreshVerdict,
    judge_refresh,
)
from gateway.sessions.upkeep import refresh_revocations
from servicekit.personal_data import mask_mobile
from tests.gateway.conftest import running_gateway

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def facts(**changes) -> RefreshFacts:
    values = {
        "used_at": None,
        "expires_at": NOW + timedelta(days=1),
        "is_successor_used": False,
        "session_expires_at": NOW + timedelta(days=2),
        "is_session_revoked": False,
    }
    return RefreshFacts(**(values | changes))


JUST_NOW = NOW - timedelta(seconds=3)


class TestJudgeRefresh:
    @pytest.mark.parametrize(
        ("changes", "verdict"),
        [
            ({}, RefreshVerdict.rotate),
            ({"expires_at": NOW}, RefreshVerdict.expired),
            ({"session_expires_at": NOW}, RefreshVerdict.expired),
            ({"is_session_revoked": True}, RefreshVerdict.revoked),
            ({"used_at": JUST_NOW}, RefreshVerdict.repeat),
            ({"used_at": NOW - REPEAT_WINDOW}, RefreshVerdict.repeat),
            ({"used_at": NOW - REPEAT_WINDOW * 1.01}, RefreshVerdict.reused),
            ({"used_at": JUST_NOW, "is_successor_used": True}, RefreshVerdict.reused),
            ({"used_at": JUST_NOW, "is_session_revoked": True}, RefreshVerdict.revoked),
        ],
    )
    def test_verdicts(self, changes, verdict):
        assert judge_refresh(facts(**changes), NOW) is verdict

    @given(st.none() | st.integers(0, 100_000), st.booleans(), st.booleans(), st.integers(-9, 9))
    def test_a_used_token_is_never_rotated_twice(self, used, successor_used, revoked, left):
        verdict = judge_refresh(
            facts(
                used_at=None if used is None else NOW - timedelta(milliseconds=used),
                is_successor_used=successor_used,
                is_session_revoked=revoked,
                expires_at=NOW + timedelta(seconds=left),
            ),
            NOW,
        )
        if used is not None or revoked:
            assert verdict is not RefreshVerdict.rotate


async def refresh(gateway, token: str) -> tuple[int, dict]:
    answer = await gateway.client.post("/v1/tokens/refresh", json={"refresh_token": token})
    return answer.status_code, answer.json()


async def me(gateway, tokens: dict) -> tuple[int, dict]:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await gateway.client.get("/v1/me", headers=headers)
    return answer.status_code, answer.json()


def claims_of(token: str) -> dict:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class TestAccessTokens:
    async def test_carry_exactly_what_services_expect(self, gateway):
        tokens = await gateway.sign_in()
        claims = claims_of(tokens["access_token"])
        assert set(claims) == {"iss", "aud", "sub", "kind", "roles", "sid", "exp", "iat", "jti"}
        assert (claims["iss"], claims["aud"]) == ("yichuang", "yichuang")
        assert (claims["kind"], claims["roles"]) == ("resident", ["resident"])
        assert claims["sub"] == tokens["account"]["id"]
        assert claims["exp"] - claims["iat"] == 600

    async def test_a_proof_says_what_the_sign_in_proved_and_is_no_token(self, gateway):
        tokens = await gateway.sign_in()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        answer = await gateway.client.post("/v1/me/proofs", headers=headers)
        assert (answer.status_code, answer.json()["expires_in"]) == (200, 120)
        assert answer.headers["cache-control"] == "no-store"
        proof = answer.json()["proof"]
        claims = claims_of(proof)
        assert set(claims) == {"iss", "aud", "sub", "mobile", "iat", "exp"}
        assert claims["sub"] == tokens["account"]["id"]
        assert mask_mobile(claims["mobile"]) == tokens["account"]["phone"]
        assert claims["exp"] - claims["iat"] == 120
        status, refused = await me(gateway, {"access_token": proof})
        assert (status, refused["code"]) == (401, "token-invalid")
        assert (await gateway.client.post("/v1/me/proofs")).status_code == 401

    async def test_show_who_is_signed_in(self, gateway):
        tokens = await gateway.sign_in()
        status, answer = await me(gateway, tokens)
        assert status == 200
        assert answer["phone"] == "137****0001"
        assert answer["roles"] == ["resident"]
        assert answer["session_id"] == claims_of(tokens["access_token"])["sid"]


class TestRefresh:
    async def test_gives_a_new_pair_of_the_same_session(self, gateway):
        first = await gateway.sign_in()
        status, second = await refresh(gateway, first["refresh_token"])
        assert status == 200
        assert second["refresh_token"] != first["refresh_token"]
        before, after = claims_of(first["access_token"]), claims_of(second["access_token"])
        assert after["sid"] == before["sid"]
        assert after["jti"] != before["jti"]
        assert (await refresh(gateway, second["refresh_token"]))[0] == 200

    async def test_nothing_readable_is_stored(self, gateway):
        tokens = await gateway.sign_in()
        (row,) = await gateway.fetch("SELECT * FROM refresh_token")
        assert tokens["refresh_token"].encode() not in row["token_hash"]
        assert (
            await gateway.fetch("SELECT 1 FROM pg_tables WHERE tablename = 'idempotency_key'") == []
        )

    async def test_a_lost_answer_is_given_again(self, gateway):
        """The phone did not get the answer and asks again: same successor, still signed in."""
        first = await gateway.sign_in()
        _, lost = await refresh(gateway, first["refresh_token"])
        status, again = await refresh(gateway, first["refresh_token"])
        assert status == 200
        assert again["refresh_token"] == lost["refresh_token"]
        assert (await refresh(gateway, again["refresh_token"]))[0] == 200
        assert await gateway.count("refresh_token") == 3

    async def test_of_two_at_once_both_get_the_same_successor(self, gateway):
        first = await gateway.sign_in()
        answers = await asyncio.gather(
            *(refresh(gateway, first["refresh_token"]) for _ in range(5))
        )
        assert {status for status, _ in answers} == {200}
        assert len({answer["refresh_token"] for _, answer in answers}) == 1
        assert await gateway.count("refresh_token") == 2

    async def test_a_copy_shown_later_ends_the_whole_family(self, gateway):
        first = await gateway.sign_in()
        _, second = await refresh(gateway, first["refresh_token"])
        await gateway.execute("UPDATE refresh_token SET used_at = used_at - interval '11 s'")
        status, answer = await refresh(gateway, first["refresh_token"])
        assert (status, answer["code"]) == (401, "refresh-token-reused")
        status, answer = await refresh(gateway, second["refresh_token"])
        assert (status, answer["code"]) == (401, "session-revoked")
        status, answer = await me(gateway, second)
        assert (status, answer["code"]) == (401, "session-revoked")
        (row,) = await gateway.fetch("SELECT revoked_reason FROM session")
        assert row["revoked_reason"] == "token-reused"

    async def test_a_copy_shown_after_the_successor_was_used_ends_it_at_once(self, gateway):
        first = await gateway.sign_in()
        _, second = await refresh(gateway, first["refresh_token"])
        _, third = await refresh(gateway, second["refresh_token"])
        status, answer = await refresh(gateway, first["refresh_token"])
        assert (status, answer["code"]) == (401, "refresh-token-reused")
        assert (await refresh(gateway, third["refresh_token"]))[0] == 401

    async def test_one_stolen_session_leaves_the_others_alone(self, gateway):
        stolen = await gateway.sign_in("13700000001")
        other = await gateway.sign_in("13700000002")
        await refresh(gateway, stolen["refresh_token"])
        await gateway.execute("UPDATE refresh_token SET used_at = used_at - interval '11 s'")
        assert (await refresh(gateway, stolen["refresh_token"]))[0] == 401
        assert (await refresh(gateway, other["refresh_token"]))[0] == 200

    @pytest.mark.parametrize("table", ["refresh_token", "session"])
    async def test_expires(self, gateway, table):
        tokens = await gateway.sign_in()
        await gateway.execute(f"UPDATE {table} SET expires_at = now() - interval '1 s'")
        status, answer = await refresh(gateway, tokens["refresh_token"])
        assert (status, answer["code"]) == (401, "refresh-token-invalid")

    async def test_does_not_outlive_the_session(self, gateway):
        tokens = await gateway.sign_in()
        await gateway.execute("UPDATE session SET expires_at = now() + interval '1 hour'")
        await refresh(gateway, tokens["refresh_token"])
        rows = await gateway.fetch(
            "SELECT token.expires_at <= session.expires_at AS is_within FROM refresh_token AS token "
            "JOIN session ON session.id = session_id ORDER BY issued_at DESC LIMIT 1"
        )
        assert rows[0]["is_within"]

    async def test_nonsense_is_refused(self, gateway):
        status, answer = await refresh(gateway, "yrt_" + "x" * 43)
        assert (status, answer["code"]) == (401, "refresh-token-invalid")
        assert (await refresh(gateway, "short"))[0] == 422

    async def test_an_expired_access_token_at_hand_does_no_harm(self, gateway):
        tokens = await gateway.sign_in()
        answer = await gateway.client.post(
            "/v1/tokens/refresh",
            json={"refresh_token": tokens["refresh_token"]},
            headers={"Authorization": "Bearer long-expired"},
        )
        assert answer.status_code == 200

    async def test_a_suspended_account_is_not_refreshed(self, gateway):
        tokens = await gateway.sign_in()
        await gateway.execute("UPDATE account SET status = 'suspended'")
        status, answer = await refresh(gateway, tokens["refresh_token"])
        assert (status, answer["code"]) == (403, "account-suspended")
        (row,) = await gateway.fetch("SELECT revoked_reason FROM session")
        assert row["revoked_reason"] == "account-suspended"


async def sign_out(gateway, tokens: dict) -> int:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return (await gateway.client.post("/v1/sign-out", headers=headers)).status_code


class TestSignOut:
    async def test_ends_the_session_here_at_once(self, gateway):
        tokens = await gateway.sign_in()
        assert await sign_out(gateway, tokens) == 204
        status, answer = await me(gateway, tokens)
        assert (status, answer["code"]) == (401, "session-revoked")
        status, answer = await refresh(gateway, tokens["refresh_token"])
        assert (status, answer["code"]) == (401, "session-revoked")

    async def test_ends_it_on_every_other_gateway_soon(self, gateway, tmp_path):
        """Another process with the same keys learns of it from the database."""
        tokens = await gateway.sign_in()
        keys = gateway.settings.signing_keys_file
        async for other in running_gateway(
            gateway.at, gateway.issuer, tmp_path, signing_keys_file=keys
        ):
            assert (await me(other, tokens))[0] == 200
            assert await sign_out(gateway, tokens) == 204
            await refresh_revocations(other.app.state.identity, other.database)
            assert (await me(other, tokens))[0] == 401

    async def test_leaves_other_devices_signed_in(self, gateway):
        phone = await gateway.sign_in()
        await gateway.execute("UPDATE sign_in_code SET created_at = created_at - interval '2 min'")
        tablet = await gateway.sign_in()
        await sign_out(gateway, phone)
        assert (await me(gateway, tablet))[0] == 200

    async def test_needs_a_token(self, gateway):
        answer = await gateway.client.post("/v1/sign-out")
        assert answer.status_code == 401

    async def test_revocations_older_than_a_token_are_forgotten(self, gateway):
        tokens = await gateway.sign_in()
        await sign_out(gateway, tokens)
        await gateway.execute("UPDATE session SET revoked_at = now() - interval '11 minutes'")
        identity = gateway.app.state.identity
        await refresh_revocations(identity, gateway.database)
        assert identity.revocations._sessions == frozenset()


class TestPurge:
    async def test_deletes_what_has_long_ended_and_nothing_else(self, gateway):
        from gateway.sessions import repository

        live = await gateway.sign_in("13700000001")
        await gateway.sign_in("13700000002")
        await gateway.execute(
            "UPDATE session SET expires_at = now() - interval '31 days' WHERE account_id = "
            "(SELECT id FROM account ORDER BY id DESC LIMIT 1)"
        )
        await gateway.execute("UPDATE sign_in_code SET created_at = now() - interval '3 days'")
        async with gateway.database.transaction() as session:
            assert await repository.purge(session) == 3
        assert await gateway.count("session") == 1
        assert await gateway.count("refresh_token") == 1
        assert await gateway.count("sign_in_code") == 0
        assert (await refresh(gateway, live["refresh_token"]))[0] == 200
