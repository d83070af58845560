"""Health: `/livez` touches nothing, `/readyz` the database and the migration head only."""

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fastapi import APIRouter, Request, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import text

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.metrics import READY
from servicekit.migration_head import Chain

HEARTBEAT_SECONDS = 1.0
#: A loop that has not turned for this long is stuck.
STUCK_SECONDS = 30.0
_HEAD = text("SELECT version_num FROM alembic_version")

health_router = APIRouter(include_in_schema=False)


class Readiness:
    """Whether the process may take work: the database answers and has our migrations."""

    def __init__(self, database: Database, chain: Chain | None) -> None:
        self._database = database
        self._chain = chain

    async def reason_against(self) -> str | None:
        """None when ready, else what is missing."""
        try:
            async with asyncio.timeout(3), self._database.engine.connect() as connection:
                found = (await connection.execute(_HEAD)).scalar_one_or_none()
        except DATABASE_ERRORS as error:
            return f"database: {type(error).__name__}"
        if self._chain is not None and not self._chain.is_reached(found):
            return f"migrations: at {found}, need {self._chain.head}"
        return None


@health_router.get("/livez")
async def livez() -> dict[str, str]:
    return {"status": "ok"}


@health_router.get("/readyz")
async def readyz(request: Request, response: Response) -> dict[str, str]:
    readiness: Readiness = request.app.state.readiness
    reason = await readiness.reason_against()
    READY.set(reason is None)
    if reason is not None:
        response.status_code = 503
        return {"status": "not ready", "reason": reason}
    return {"status": "ok"}


class MetricsServer:
    """Serves `/metrics`, and for workers `/livez` and `/readyz`, from a thread of its own.

    A scrape of many histograms takes tens of milliseconds; the event loop must not wait for it.
    """

    def __init__(self, host: str, port: int) -> None:
        self._beat = time.monotonic()
        self._reason: str | None = "starting"
        self._server = ThreadingHTTPServer((host, port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and free the port."""
        self._server.shutdown()
        self._server.server_close()

    async def heartbeat(self, readiness: Readiness) -> None:
        """Show that the loop turns and whether the process is ready, until cancelled."""
        while True:
            self._reason = await readiness.reason_against()
            READY.set(self._reason is None)
            self._beat = time.monotonic()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = server._answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """No access log."""

        return Handler

    def _answer(self, path: str) -> tuple[int, str, bytes]:
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        if path == "/livez":
            stuck = time.monotonic() - self._beat > STUCK_SECONDS
            return _status(503 if stuck else 200, "stuck" if stuck else "ok")
        if path == "/readyz":
            return _status(503 if self._reason else 200, self._reason or "ok")
        return _status(404, "not found")


def _status(code: int, status: str) -> tuple[int, str, bytes]:
    return code, "application/json", json.dumps({"status": status}).encode()
