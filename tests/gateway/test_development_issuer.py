"""Every ready member of staff of the development issuer can sign in, with their own rights."""

import json
from urllib.parse import parse_qsl, urlsplit

import httpx
from joserfc.jwk import KeySet

from devstack.issuer.app import create_app
from devstack.issuer.settings import IssuerSettings
from devstack.issuer.staff import load_staff
from tests.gateway.conftest import running_gateway
from tests.gateway.issuer import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Issuer, new_key
from tests.gateway.servers import listen, serve
from tests.gateway.test_sessions import claims_of


class TestReadyStaff:
    async def test_each_signs_in_with_their_own_rights(self, gateway, tmp_path):
        keys = tmp_path / "issuer-keys.json"
        keys.write_text(json.dumps(KeySet([new_key("issuer")]).as_dict(private=True)))
        sock = listen()
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        issuer = IssuerSettings(
            environment="development",
            url=url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=REDIRECT_URI,
            keys_file=keys,
        )
        async with serve(create_app(issuer), sock=sock), httpx.AsyncClient() as browser:
            async for own in running_gateway(gateway.at, Issuer(url=url), tmp_path):
                for person in load_staff(issuer.staff_file).values():
                    begun = await own.client.get("/v1/sign-in/staff")
                    asked = dict(parse_qsl(urlsplit(begun.headers["Location"]).query))
                    chosen = await browser.post(
                        f"{url}/authorize", data=asked | {"username": person.username}
                    )
                    returned = dict(parse_qsl(urlsplit(chosen.headers["Location"]).query))
                    answer = await own.client.get("/v1/sign-in/staff/callback", params=returned)
                    assert answer.status_code == 200, (person.username, answer.text)
                    granted = claims_of(answer.json()["access_token"])
                    given = person.claims()
                    assert granted["roles"] == sorted(given["roles"])
                    for name in ("division", "department", "unit", "name"):
                        assert granted.get(name) == given.get(name), (person.username, name)
