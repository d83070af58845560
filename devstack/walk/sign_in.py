"""Signing in as residents and staff do, through the gateway; no shortcut past it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from devstack.walk.walker import Walker, WalkFailed


async def access_token(gateway_url: str, who: str, sms: Path) -> str:
    """Sign in a resident by mobile number, or a staff member by user name."""
    async with Walker(gateway_url, lambda _: None) as walker:
        if who.isdigit():
            token, _ = await sign_in_resident(walker, who, sms)
        else:
            token, _ = await sign_in_staff(walker, who)
        return token


async def sign_in_resident(walker: Walker, mobile: str, sms: Path) -> tuple[str, httpx.Response]:
    """Ask for a code, read it where the development SMS provider left it, sign in.

    Returns:
        The access token and the gateway's last answer.
    """
    await walker.call("POST", "/v1/sign-in/codes", json={"phone": mobile}, want=202)
    body = {"phone": mobile, "code": _newest_code(sms, mobile)}
    answer = await walker.call("POST", "/v1/sign-in/residents", json=body)
    return answer.json()["access_token"], answer


async def sign_in_staff(walker: Walker, username: str) -> tuple[str, httpx.Response]:
    """Follow the OIDC redirects: gateway, issuer, the button of a staff member, gateway again."""
    start = await walker.call("GET", "/v1/sign-in/staff", want=302)
    login = start.headers["location"]
    page = await walker.client.get(login)
    walker.insist(page.status_code == 200, f"the issuer answered {page.status_code}: {page.text}")
    walker.insist(f'value="{username}"' in page.text, f"the issuer does not know {username}")
    asked = dict(parse_qsl(urlsplit(login).query))
    issuer = urlsplit(login)._replace(query="").geturl()
    chosen = await walker.client.post(issuer, data=asked | {"username": username})
    walker.insist(chosen.status_code == 303, f"the issuer answered {chosen.status_code}")
    answer = await walker.call("GET", chosen.headers["location"])
    return answer.json()["access_token"], answer


def _newest_code(sms: Path, mobile: str) -> str:
    lines = sms.read_text().splitlines() if sms.exists() else []
    sent: list[dict[str, Any]] = [json.loads(line) for line in lines]
    codes = [str(each["code"]) for each in sent if each["phone"] == mobile]
    if not codes:
        raise WalkFailed(f"no code for {mobile} in {sms}: was it sent?")
    return codes[-1]
