"""The development issuer: the whole code flow, and what it refuses."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from html import unescape
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import KeySet

from devstack.issuer.app import create_app
from devstack.issuer.grants import CODE_SECONDS, Grants, challenge
from devstack.issuer.settings import IssuerSettings, NotForProduction
from devstack.issuer.staff import Role, load_staff
from devstack.layout import ROOT
from devstack.stack_secrets import new_key_set

URL = "http://issuer.test"
CALLBACK = "http://gateway.test/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-it-says-43"
STAFF_FILE = ROOT / "devstack" / "staff.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> IssuerSettings:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(new_key_set("test")))
    return IssuerSettings(
        environment="development",
        url=URL,
        client_id="gateway",
        client_secret="s3cr:t%",
        redirect_uri=CALLBACK,
        keys_file=keys,
    )


@pytest.fixture
async def client(settings):
    transport = httpx.ASGITransport(create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as made:
        yield made


def request_parameters(**changes: str | None) -> dict[str, str]:
    wanted = {
        "client_id": "gateway",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": 'st"te',
        "nonce": "n-0nce",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in wanted.items() if value is not None}


def query_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303
    return {
        name: values[0]
        for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }


async def sign_in(client: httpx.AsyncClient, username: str) -> str:
    """As a browser would: press the button of the page with its hidden fields."""
    page = (await client.get("/authorize", params=request_parameters())).text
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    form = {name: unescape(value) for name, value in hidden}
    assert f'value="{username}"' in page
    answer = query_of(await client.post("/authorize", data=form | {"username": username}))
    assert answer["state"] == 'st"te'
    assert answer["iss"] == URL
    return answer["code"]


def exchange(code: str, **changes: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    } | changes


def basic(name: str = "gateway", secret: str = "s3cr%3At%25") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


class TestCodeFlow:
    async def test_gives_the_claims_of_the_chosen_person(self, client):
        discovery = (await client.get("/.well-known/openid-configuration")).json()
        assert discovery["issuer"] == URL
        code = await sign_in(client, "handler-disabled")
        tokens = (
            await client.post(discovery["token_endpoint"], data=exchange(code), headers=basic())
        ).json()
        keys = KeySet.import_key_set((await client.get(discovery["jwks_uri"])).json())
        decoded = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"])
        assert decoded.claims["iss"] == URL
        assert decoded.claims["aud"] == "gateway"
        assert decoded.claims["nonce"] == "n-0nce"
        assert decoded.claims["exp"] > decoded.claims["iat"]
        person = load_staff(STAFF_FILE)["handler-disabled"].claims()
        assert person.items() <= decoded.claims.items()
        assert person["unit"] == "140802000000:disabled-federation"
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await client.get(discovery["userinfo_endpoint"], headers=bearer)).json() == person

    async def test_the_secret_may_come_in_the_body(self, client):
        form = exchange(
            await sign_in(client, "clerk"), client_id="gateway", client_secret="s3cr:t%"
        )
        assert (await client.post("/token", data=form)).status_code == 200

    async def test_published_keys_are_public(self, client):
        assert all("d" not in key for key in (await client.get("/jwks.json")).json()["keys"])


class TestRefusals:
    @pytest.mark.parametrize(
        "changes", [{"client_id": "stranger"}, {"redirect_uri": "http://elsewhere.test/"}]
    )
    async def test_an_unknown_client_is_not_sent_back(self, client, changes):
        answer = await client.get("/authorize", params=request_parameters(**changes))
        assert answer.status_code == 400
        assert "未登记" in answer.text

    @pytest.mark.parametrize(
        "changes",
        [
            {"response_type": "token"},
            {"scope": "profile"},
            {"code_challenge": None},
            {"code_challenge_method": "plain"},
        ],
    )
    async def test_a_wrong_request_is_sent_back_with_an_error(self, client, changes):
        answer = await client.get("/authorize", params=request_parameters(**changes))
        assert query_of(answer)["error"] == "invalid_request"

    async def test_nobody_of_that_name(self, client):
        answer = await client.post("/authorize", data=request_parameters() | {"username": "ghost"})
        assert query_of(answer)["error"] == "access_denied"

    async def test_a_code_works_once(self, client):
        code = await sign_in(client, "clerk")
        assert (
            await client.post("/token", data=exchange(code), headers=basic())
        ).status_code == 200
        again = await client.post("/token", data=exchange(code), headers=basic())
        assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})

    @pytest.mark.parametrize(
        "changes", [{"code_verifier": "another"}, {"redirect_uri": "http://elsewhere.test/"}]
    )
    async def test_a_code_of_somebody_else_is_used_up(self, client, changes):
        code = await sign_in(client, "clerk")
        for form in (exchange(code, **changes), exchange(code)):
            answer = await client.post("/token", data=form, headers=basic())
            assert answer.json() == {"error": "invalid_grant"}

    @pytest.mark.parametrize(
        "headers",
        [{}, basic(secret="wrong"), basic(name="stranger"), {"Authorization": "Basic ???"}],
    )
    async def test_a_wrong_client_secret(self, client, headers):
        code = await sign_in(client, "clerk")
        answer = await client.post("/token", data=exchange(code), headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})

    async def test_other_grants(self, client):
        form = exchange("x", grant_type="password")
        answer = await client.post("/token", data=form, headers=basic())
        assert answer.json() == {"error": "unsupported_grant_type"}

    async def test_user_info_without_a_token(self, client):
        assert (await client.get("/userinfo")).status_code == 401

    def test_a_code_expires(self, settings):
        now = [1_000.0]
        grants = Grants(now=lambda: now[0])
        person = load_staff(STAFF_FILE)["clerk"]
        code = grants.issue_code(
            person, redirect_uri=CALLBACK, code_challenge=challenge(VERIFIER), nonce=None
        )
        now[0] += CODE_SECONDS + 1
        assert grants.redeem(code, redirect_uri=CALLBACK, code_verifier=VERIFIER) is None

    @pytest.mark.parametrize("environment", ["production", ""])
    def test_it_does_not_start_in_production(self, environment, monkeypatch):
        monkeypatch.setenv("ISSUER_ENVIRONMENT", environment)
        with pytest.raises(NotForProduction, match="ISSUER_ENVIRONMENT=development"):
            IssuerSettings.load()

    def test_the_process_says_so(self):
        outcome = subprocess.run(
            [sys.executable, "-m", "devstack.issuer"],
            cwd=ROOT,
            env=os.environ | {"ISSUER_ENVIRONMENT": "production"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode != 0
        assert "without a password" in outcome.stderr


class TestStaff:
    def test_somebody_has_every_role(self):
        there = {role for person in load_staff(STAFF_FILE).values() for role in person.roles}
        assert there == set(get_args(Role))

    def test_divisions_and_departments_exist(self):
        rows = (ROOT / "data/divisions/yuncheng.csv").read_text("utf-8").splitlines()[1:]
        divisions = {row.split(",")[0]: row.split(",")[2] for row in rows}
        departments = {
            each["code"]: each["levels"]
            for each in yaml.safe_load((ROOT / "data/departments.yaml").read_text("utf-8"))
        }
        for person in load_staff(STAFF_FILE).values():
            level = divisions[person.division]
            if person.department is not None:
                assert level in departments[person.department]
                assert person.unit == f"{person.division}:{person.department}"

    def test_a_subject_stays_the_same(self):
        assert load_staff(STAFF_FILE)["clerk"].subject == "8e7fb445-3bfc-52b7-9a9d-d732a8af8f30"
