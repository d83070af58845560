"""The services' OpenAPI documents, fetched and kept; an absent service costs nothing."""

import asyncio
from collections.abc import Mapping

import httpx

from gateway.portal.merging import Document, merge, to_bytes
from gateway.portal.pages import documentation_page, front_page
from gateway.routes import RouteTable, Service
from servicekit.logging import logger

#: While a service has not been seen yet, and afterwards.
MISSING_SECONDS = 3.0
REFRESH_SECONDS = 60.0
TITLE = "一窗 接口文档"
DESCRIPTION = (
    "城乡社区服务一窗受理的全部公开接口。登录后把 access_token 放在 "
    "`Authorization: Bearer …` 里；POST 请带 `Idempotency-Key`，重复提交得到同一个回答；"
    "错误一律为 `application/problem+json`（RFC 9457），`code` 稳定，`title` 可直接给居民看。"
)


class Documents:
    """The merged document and the pages made of it, rebuilt when a service's document changed."""

    def __init__(
        self, own: Document, addresses: Mapping[Service, str], table: RouteTable, *, server: str
    ) -> None:
        self._own = own
        self._addresses = addresses
        self._table = table
        self._server = server
        self._fetched: dict[Service, Document] = {}
        self.openapi = b""
        self.documentation = b""
        self.front = b""
        self._rebuild()

    @property
    def missing(self) -> list[str]:
        """Services whose document has never been seen."""
        return [name.value for name in self._addresses if name not in self._fetched]

    async def keep_fresh(self, client: httpx.AsyncClient) -> None:
        """Fetch again and again until cancelled; what was seen last stays."""
        while True:
            await self.refresh(client)
            await asyncio.sleep(MISSING_SECONDS if self.missing else REFRESH_SECONDS)

    async def refresh(self, client: httpx.AsyncClient) -> None:
        """Fetch every service's document once."""
        found = await asyncio.gather(
            *(self._fetch(client, address) for address in self._addresses.values())
        )
        fetched = dict(self._fetched)
        fetched.update(
            {
                name: document
                for name, document in zip(self._addresses, found, strict=True)
                if document
            }
        )
        if fetched != self._fetched:
            self._fetched = fetched
            await asyncio.to_thread(self._rebuild)

    def _rebuild(self) -> None:
        ordered = {name: self._fetched[name] for name in Service if name in self._fetched}
        document = merge(
            {Service.gateway: self._own, **ordered},
            self._table,
            title=TITLE,
            description=DESCRIPTION,
            server=self._server,
        )
        self.openapi = to_bytes(document)
        self.documentation = documentation_page(document, missing=self.missing).encode()
        self.front = front_page(missing=self.missing).encode()

    @staticmethod
    async def _fetch(client: httpx.AsyncClient, address: str) -> Document | None:
        try:
            answer = await client.get(f"{address.rstrip('/')}/openapi.json")
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            logger.debug("openapi_not_fetched", address=address, error=type(error).__name__)
            return None
        return document if isinstance(document, dict) else None
