"""Who carries a code to a telephone: the development printer or a provider over HTTP."""

import asyncio
import base64
import hmac
import json
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from uuid import UUID

import httpx

from gateway.settings import GatewaySettings
from servicekit.errors import Unavailable
from servicekit.logging import logger


class SmsUnavailable(Unavailable):
    code, title = "sms-unavailable", "短信暂时发不出去，请稍后再试"


class SmsProvider(Protocol):
    """Sends a code; raises `SmsUnavailable` when it cannot."""

    async def send_code(self, *, message_id: UUID, phone: str, code: str) -> None: ...


class DevelopmentSms:
    """Prints codes instead of sending them. `GatewaySettings` refuses it outside development."""

    def __init__(self, outbox: Path | None = None) -> None:
        self._outbox = outbox

    async def send_code(self, *, message_id: UUID, phone: str, code: str) -> None:  # noqa: ARG002
        """Print the code, and append it to the outbox file as a JSON line."""
        sys.stdout.write(f"【一窗】{phone} 的验证码：{code}\n")
        sys.stdout.flush()
        if self._outbox is not None:
            entry = {"phone": phone, "code": code, "at": datetime.now(UTC).isoformat()}
            await asyncio.to_thread(self._append, self._outbox, json.dumps(entry) + "\n")

    @staticmethod
    def _append(path: Path, line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(line)


class HttpSms:
    """Posts `{"phone", "code"}` to a provider, signed.

    Source: Standard Webhooks 1.0: headers `webhook-id`, `webhook-timestamp` and
    `webhook-signature`, the latter `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
    A repeated `webhook-id` must not send a second message.
    """

    def __init__(self, client: httpx.AsyncClient, *, url: str, secret: str) -> None:
        self._client = client
        self._url = url
        self._secret = secret.encode()

    async def send_code(self, *, message_id: UUID, phone: str, code: str) -> None:
        """Hand a code to the provider.

        Raises:
            SmsUnavailable: it did not answer, or not with success.
        """
        body = json.dumps({"phone": phone, "code": code}).encode()
        timestamp = str(int(datetime.now(UTC).timestamp()))
        signed = f"{message_id}.{timestamp}.".encode() + body
        signature = base64.b64encode(hmac.new(self._secret, signed, sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": str(message_id),
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            logger.warning("sms_failed", error=type(error).__name__)
            raise SmsUnavailable from error


def create_sms(settings: GatewaySettings, client: httpx.AsyncClient) -> SmsProvider:
    """The provider that the settings name."""
    if settings.sms_provider == "development":
        return DevelopmentSms(settings.development_outbox)
    return HttpSms(client, url=settings.sms_url, secret=settings.sms_secret.get_secret_value())
