"""The HTTP client towards the services: pooled, streaming, neither following nor decoding."""

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from gateway.routes import Service

#: Idle connections are dropped before the services drop them, so that a request seldom meets a
#: connection that is just being closed.
KEEPALIVE_SECONDS = 4.0
CONNECT_SECONDS = 2.0
CONNECTIONS_PER_SERVICE = 256
_SKIPPED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class NotReached(Exception):
    """No connection: nothing was sent."""


class BrokeOff(Exception):
    """The connection ended before an answer began; the service may or may not have acted."""


class _Broken(aiohttp.ClientError):
    """Marks a broken connection so that aiohttp does not itself repeat a PUT or DELETE."""


async def _report_broken(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(str(error)) from error


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """What is sent to a service."""

    service: Service
    method: str
    target: str  #: raw path and query, exactly as they came
    headers: list[tuple[str, str]]
    read_seconds: float  #: longest silence inside the answer


class Upstream:
    """One connection pool per service."""

    def __init__(self, addresses: Mapping[Service, str]) -> None:
        self._addresses = {name: address.rstrip("/") for name, address in addresses.items()}
        self._sessions: dict[Service, aiohttp.ClientSession] = {}

    async def start(self) -> None:
        """Open the pools; needs the running event loop."""
        self._sessions = {service: self._session() for service in self._addresses}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions = {}

    async def send(
        self, request: UpstreamRequest, body: bytes | AsyncIterable[bytes] | None
    ) -> aiohttp.ClientResponse:
        """Send a request and return when the answer's head is there.

        Raises:
            NotReached: no connection could be had.
            BrokeOff: the connection ended, or what came was not HTTP.
            TimeoutError: the service was silent for too long.
        """
        url = URL(self._addresses[request.service] + request.target, encoded=True)
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=request.read_seconds
        )
        try:
            return await self._sessions[request.service].request(
                request.method,
                url,
                headers=request.headers,
                data=body,
                allow_redirects=False,
                timeout=timeout,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotReached(str(error)) from error
        except aiohttp.ServerTimeoutError as error:
            raise TimeoutError from error
        except aiohttp.ClientError as error:
            raise BrokeOff(str(error)) from error

    @staticmethod
    def _session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS_PER_SERVICE, keepalive_timeout=KEEPALIVE_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_SKIPPED,
            middlewares=(_report_broken,),
            trust_env=False,
        )
