"""Access tokens: which algorithm, for whom and until when; and who may act where."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from servicekit import auth
from servicekit.auth import Caller, StaticKeys, TokenRefused, TokenVerifier, WrongDivision
from tests.servicekit.jwks import forged, new_key, sign
from tests.support import tokens


@pytest.fixture
def old():
    return new_key("old")


@pytest.fixture
def verifier(old):
    return TokenVerifier(StaticKeys(KeySet([old])))


class TestAlgorithm:
    @pytest.fixture
    def claims(self, old):
        payload = sign(old).split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=="))

    @pytest.mark.parametrize("name", ["none", "None", "NONE", ""])
    async def test_none_is_refused(self, verifier, claims, name):
        token = forged({"alg": name, "kid": "old"}, claims, lambda _: b"")
        with pytest.raises(TokenRefused):
            await verifier.verify(token)

    @pytest.mark.parametrize("form", ["pem", "der", "json"])
    async def test_our_public_key_is_no_shared_secret(self, verifier, old, claims, form):
        if form == "json":
            secret = json.dumps(old.as_dict(private=False)).encode()
        else:
            secret = old.as_pem(private=False) if form == "pem" else old.as_der(private=False)
        token = forged(
            {"alg": "HS256", "kid": "old"},
            claims,
            lambda text: hmac.new(secret, text, hashlib.sha256).digest(),
        )
        with pytest.raises(TokenRefused):
            await verifier.verify(token)

    async def test_a_key_in_the_header_is_not_used(self, verifier):
        new = new_key("new")
        for name, value in (("jwk", new.as_dict(private=False)), ("kid", "old")):
            with pytest.raises(TokenRefused):
                await verifier.verify(sign(new, {name: value, "kid": "old"}))

    async def test_another_algorithm_of_a_published_key_is_refused(self, old):
        rsa = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
        verifier = TokenVerifier(StaticKeys(KeySet([old, rsa])))
        now = int(time.time())
        token = jwt.encode({"alg": "RS256", "kid": "rsa"}, {"exp": now + 600}, rsa)
        with pytest.raises(TokenRefused):
            await verifier.verify(token)


class TestClaims:
    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "somebody"}, {"iss": None}, {"aud": "another"}, {"aud": None}, {"aud": []},
            {"exp": None}, {"exp": "soon"}, {"exp": 1}, {"sub": None}, {"sub": "no uuid"},
            {"kind": None}, {"roles": None}, {"roles": 7}, {"nbf": 32_503_680_000},
        ],
        ids=str,
    )  # fmt: skip
    async def test_a_wrong_or_missing_one_is_refused(self, verifier, old, claims):
        with pytest.raises(TokenRefused):
            await verifier.verify(sign(old, **claims))

    async def test_all_are_read(self, verifier, old):
        account = uuid4()
        caller = await verifier.verify(
            sign(
                old,
                sub=str(account),
                roles=["handler", "supervisor"],
                division="140802000000",
                department="civil-affairs",
                unit="140802000000:civil-affairs",
                name="王五",
                sid="session",
            )
        )
        assert caller.account_id == account
        assert caller.roles == {"handler", "supervisor"}
        assert (caller.division, caller.department) == ("140802000000", "civil-affairs")
        assert (caller.unit, caller.name) == ("140802000000:civil-affairs", "王五")
        assert caller.session_id == "session"

    async def test_a_verified_token_is_not_remembered_beyond_its_end(
        self, verifier, old, monkeypatch
    ):
        token = sign(old, exp=int(time.time()) + 60)
        await verifier.verify(token)
        later = time.time() + 60 + auth.LEEWAY_SECONDS + 1
        monkeypatch.setattr(time, "time", lambda: later)
        with pytest.raises(TokenRefused):
            await verifier.verify(token)

    async def test_only_so_many_are_remembered(self, verifier, old, monkeypatch):
        monkeypatch.setattr(auth, "CACHE_LIMIT", 3)
        for _ in range(10):
            await verifier.verify(sign(old))
        assert len(verifier._seen) == 3


class TestGarbage:
    @settings(deadline=None)
    @given(
        st.one_of(
            st.text(),
            st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
            st.tuples(*[st.binary(max_size=40)] * 3).map(
                lambda parts: b".".join(base64.urlsafe_b64encode(part) for part in parts).decode()
            ),
            st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), st.text()).map(
                lambda header: forged(header, {}, lambda _: b"x")
            ),
        )
    )
    def test_is_refused_whatever_it_is(self, token):
        with pytest.raises(TokenRefused):
            asyncio.run(tokens.verifier().verify(token))

    @pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer x.y.z", "Token abc"])
    async def test_in_the_header_is_a_401(self, sample, value):
        answer = await sample.client.get("/v1/notes-of-staff", headers={"Authorization": value})
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
        assert answer.headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize("value", ["", "Bearer", "Bearer "])
    async def test_an_empty_header_is_nobody(self, sample, value):
        answer = await sample.client.get("/v1/notes-of-staff", headers={"Authorization": value})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


class TestCovers:
    PROVINCE, CITY, COUNTY = "140000000000", "140800000000", "140802000000"
    TOWNSHIP, VILLAGE = "140802100000", "140802100203"

    @pytest.mark.parametrize(
        ("own", "other", "covered"),
        [
            (PROVINCE, VILLAGE, True),
            (CITY, COUNTY, True),
            (COUNTY, COUNTY, True),
            (COUNTY, TOWNSHIP, True),
            (TOWNSHIP, VILLAGE, True),
            (VILLAGE, VILLAGE, True),
            (COUNTY, CITY, False),
            (VILLAGE, TOWNSHIP, False),
            (COUNTY, "140821000000", False),
            (TOWNSHIP, "140802101000", False),
            (VILLAGE, "140802100204", False),
            (PROVINCE, "150000000000", False),
            (None, VILLAGE, False),
        ],
    )
    def test_a_division_covers_itself_and_what_lies_below(self, own, other, covered):
        caller = Caller(uuid4(), "staff", frozenset(), "s", 0.0, division=own)
        assert caller.covers(other) is covered
        if covered:
            caller.ensure_covers(other)
        else:
            with pytest.raises(WrongDivision):
                caller.ensure_covers(other)
