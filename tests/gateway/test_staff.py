"""Staff sign in at an identity provider that is strict, and is distrusted in return."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gateway.staff import states
from gateway.staff.oidc import OidcClient, OidcSettings, ProviderUnavailable
from gateway.staff.rules import STAFF_ROLES, ClaimsUnusable, read_claims
from servicekit import auth
from servicekit.personal_data import Cipher
from tests.gateway.issuer import CLERK, new_key, query_of
from tests.gateway.test_sessions import claims_of, me, refresh

CALLBACK = "/v1/sign-in/staff/callback"


async def begin(gateway, **query) -> httpx.Response:
    answer = await gateway.client.get("/v1/sign-in/staff", params=query)
    assert answer.status_code == 302, answer.text
    return answer


async def authorize(gateway) -> dict[str, str]:
    """Go to the provider and come back with what it puts into the address."""
    answer = await begin(gateway)
    async with httpx.AsyncClient() as browser:
        returned = await browser.get(answer.headers["Location"])
    assert returned.status_code == 303
    return query_of(returned.headers["Location"])


async def finish(gateway, query: dict[str, str]) -> httpx.Response:
    return await gateway.client.get(CALLBACK, params=query)


async def sign_in(gateway) -> httpx.Response:
    return await finish(gateway, await authorize(gateway))


async def nothing_was_written(gateway) -> bool:
    return await gateway.count("account") == 0 and await gateway.count("session") == 0


class TestReadClaims:
    def test_takes_what_access_tokens_carry(self):
        claims = read_claims(CLERK)
        assert claims.subject == "clerk-1"
        assert claims.grants == {
            "roles": ["window-clerk"],
            "division": "140802000000",
            "unit": "140802000000:one-window",
            "name": "王文书",
        }

    def test_knows_every_role_but_the_resident_s(self):
        assert read_claims(CLERK | {"roles": [*STAFF_ROLES, "resident", "root"]}).grants[
            "roles"
        ] == sorted(STAFF_ROLES)

    @pytest.mark.parametrize(
        "changes",
        [
            {"roles": []},
            {"roles": ["resident", "root"]},
            {"roles": "operator"},
            {"roles": None},
            {"roles": [{"name": "operator"}, 7]},
            {"division": None},
            {"division": ""},
            {"division": "1408"},
            {"division": 140802000000},
            {"unit": "one-window"},
            {"department": "民政局"},
            {"unit": ["140802000000:one-window"]},
        ],
    )
    def test_refuses_what_makes_no_member_of_staff(self, changes):
        with pytest.raises(ClaimsUnusable):
            read_claims(CLERK | changes)


class TestStates:
    CIPHER = Cipher({"k": b"k" * 32}, "k", b"i" * 32)
    NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def test_comes_back_as_it_went(self):
        trip = states.begin(self.NOW)
        cookie = states.seal(trip, self.CIPHER)
        assert trip.verifier not in cookie
        assert states.unseal(cookie, trip.state, self.CIPHER, self.NOW) == trip

    def test_is_worth_nothing_otherwise(self):
        trip, now = states.begin(self.NOW), self.NOW
        cookie = states.seal(trip, self.CIPHER)
        stranger = Cipher({"k": b"x" * 32}, "k", b"i" * 32)
        late = now + states.LIFETIME + timedelta(seconds=1)
        assert states.unseal(cookie, "other-state", self.CIPHER, now) is None
        assert states.unseal(cookie, trip.state, self.CIPHER, late) is None
        assert states.unseal(cookie, trip.state, stranger, now) is None
        changed = cookie[:40] + ("B" if cookie[40] == "A" else "A") + cookie[41:]
        for damaged in (None, "", "x", cookie[:-3], "ä", changed):
            assert states.unseal(damaged, trip.state, self.CIPHER, now) is None


class TestBeginning:
    async def test_sends_the_browser_with_everything_the_provider_needs(self, gateway):
        answer = await begin(gateway, login_hint="wang")
        query = query_of(answer.headers["Location"])
        assert answer.headers["Location"].startswith(gateway.issuer.url + "/authorize?")
        assert query["login_hint"] == "wang"
        assert len(query["state"]) >= 32
        assert query["nonce"] != query["state"]
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/v1/sign-in/staff" in cookie
        assert query["state"] not in cookie

    async def test_every_trip_is_another(self, gateway):
        one, other = await begin(gateway), await begin(gateway)
        queries = [query_of(answer.headers["Location"]) for answer in (one, other)]
        for name in ("state", "nonce", "code_challenge"):
            assert queries[0][name] != queries[1][name]


class TestFinishing:
    async def test_signs_in_with_the_rights_the_provider_gives(self, gateway):
        answer = await sign_in(gateway)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        claims = claims_of(tokens["access_token"])
        assert claims["kind"] == "staff"
        assert claims["roles"] == ["window-clerk"]
        assert claims["division"] == "140802000000"
        assert claims["unit"] == "140802000000:one-window"
        assert claims["name"] == "王文书"
        assert "department" not in claims
        assert tokens["account"] == {
            "id": claims["sub"],
            "kind": "staff",
            "display_name": "王文书",
            "phone": None,
        }
        status, shown = await me(gateway, tokens)
        assert (status, shown["unit"]) == (200, "140802000000:one-window")
        assert states.COOKIE not in gateway.client.cookies

    async def test_the_same_person_keeps_the_account(self, gateway):
        first = (await sign_in(gateway)).json()
        gateway.issuer.claims["name"] = "王主任"
        second = (await sign_in(gateway)).json()
        assert first["account"]["id"] == second["account"]["id"]
        assert second["account"]["display_name"] == "王主任"
        assert await gateway.count("account") == 1

    async def test_refreshing_keeps_the_rights_of_the_sign_in(self, gateway):
        tokens = (await sign_in(gateway)).json()
        status, pair = await refresh(gateway, tokens["refresh_token"])
        assert status == 200
        assert claims_of(pair["access_token"])["unit"] == "140802000000:one-window"

    @pytest.mark.parametrize(
        "claims", [{"roles": ["mail-admin", "resident"]}, {"division": "nowhere"}]
    )
    async def test_nobody_without_a_post_gets_in(self, gateway, claims):
        gateway.issuer.claims |= claims
        answer = await sign_in(gateway)
        assert (answer.status_code, answer.json()["code"]) == (403, "staff-not-entitled")
        assert await nothing_was_written(gateway)


class TestDistrust:
    async def refused(self, gateway, answer: httpx.Response) -> bool:
        assert (answer.status_code, answer.json()["code"]) == (401, "staff-sign-in-refused")
        return await nothing_was_written(gateway)

    async def test_a_state_that_is_not_ours(self, gateway):
        query = await authorize(gateway)
        assert await self.refused(gateway, await finish(gateway, query | {"state": "guess"}))

    async def test_a_browser_that_did_not_begin(self, gateway):
        query = await authorize(gateway)
        gateway.client.cookies.clear()
        assert await self.refused(gateway, await finish(gateway, query))

    async def test_a_trip_that_took_too_long(self, gateway, monkeypatch):
        query = await authorize(gateway)
        monkeypatch.setattr(states, "LIFETIME", timedelta(seconds=-1))
        assert await self.refused(gateway, await finish(gateway, query))

    async def test_a_code_shown_twice(self, gateway):
        query = await authorize(gateway)
        cookies = dict(gateway.client.cookies)
        assert (await finish(gateway, query)).status_code == 200
        gateway.client.cookies.update(cookies)
        answer = await finish(gateway, query)
        assert answer.json()["code"] == "staff-sign-in-refused"
        assert await gateway.count("session") == 1

    async def test_another_provider_s_answer(self, gateway):
        query = await authorize(gateway)
        answer = await finish(gateway, query | {"iss": "https://other.test"})
        assert await self.refused(gateway, answer)

    async def test_a_refusal_of_the_provider(self, gateway):
        query = await authorize(gateway)
        answer = await finish(gateway, {"state": query["state"], "error": "access_denied"})
        assert await self.refused(gateway, answer)

    @pytest.mark.parametrize(
        "claims",
        [
            {"nonce": "of another trip"},
            {"nonce": None},
            {"aud": "another client"},
            {"aud": ["gateway+test", "another client"], "azp": "another client"},
            {"aud": ["gateway+test", "another client"]},
            {"iss": "https://other.test"},
            {"exp": int(time.time()) - 60},
            {"exp": None},
            {"iat": int(time.time()) + 86_400},
            {"sub": None},
        ],
    )
    async def test_an_id_token_that_is_not_for_us_now(self, gateway, claims):
        gateway.issuer.overrides = claims
        assert await self.refused(gateway, await sign_in(gateway))

    async def test_an_id_token_signed_by_somebody_else(self, gateway):
        gateway.issuer.signing_key = new_key(gateway.issuer.keys[0].kid)
        assert await self.refused(gateway, await sign_in(gateway))


class TestKeysOfTheProvider:
    async def test_a_rotation_is_followed(self, gateway, monkeypatch):
        assert (await sign_in(gateway)).status_code == 200
        monkeypatch.setattr(auth, "KEYS_MIN_AGE_SECONDS", 0.0)
        gateway.issuer.keys.insert(0, new_key(f"issuer-{time.monotonic_ns()}"))
        assert (await sign_in(gateway)).status_code == 200

    async def test_are_not_fetched_for_every_sign_in(self, gateway):
        await sign_in(gateway)
        fetched = gateway.issuer.fetched_keys
        await sign_in(gateway)
        assert gateway.issuer.fetched_keys == fetched


class TestAbsentProvider:
    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(500),
            httpx.Response(200, text="<html>"),
            httpx.Response(200, json={"issuer": "https://issuer.test"}),
            httpx.Response(
                200,
                json={
                    "issuer": "https://other.test",
                    "authorization_endpoint": "https://other.test/a",
                    "token_endpoint": "https://other.test/t",
                    "jwks_uri": "https://other.test/j",
                },
            ),
        ],
    )
    async def test_so_does_one_that_is_not_who_it_should_be(self, answer):
        settings = OidcSettings("https://issuer.test", "client", "secret", "https://us.test")
        transport = httpx.MockTransport(lambda _: answer)
        async with httpx.AsyncClient(transport=transport) as client:
            oidc = OidcClient(settings, client)
            with pytest.raises(ProviderUnavailable):
                await oidc.authorization_url(state="s", nonce="n", challenge="c", login_hint=None)

    async def test_is_told_plainly(self, gateway):
        query = await authorize(gateway)
        gateway.issuer.is_down = True
        answer = await finish(gateway, query)
        assert answer.status_code == 503
        assert answer.json()["code"] == "identity-provider-unavailable"
        assert await nothing_was_written(gateway)
