"""Sheets handed in as an editor does, and worked off at once."""

import csv
import io
from typing import Any

from servicekit.imports import ImportRunner
from tests.catalogue.factories import COUNTY


def sheet(*rows: dict[str, str]) -> bytes:
    """A CSV file with every column that one of its rows has."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    """Rows created, changed, unchanged and refused."""
    rows = job["rows"]
    return rows["created"], rows["changed"], rows["unchanged"], rows["refused"]


class Imports:
    """Imports of one kind into a running catalogue."""

    def __init__(self, catalogue, people, path: str, runner: ImportRunner, file_name: str) -> None:
        self._catalogue = catalogue
        self._people = people
        self._path = path
        self._runner = runner
        self._file_name = file_name

    async def take_in(
        self, content, *, kind="text/csv", preset: str | None = "national-zh", **more
    ) -> dict[str, Any]:
        given = {"division": COUNTY, "file_name": self._file_name, **more}
        given |= {"preset": preset} if preset else {}
        headers = self._people.editor() | {"content-type": kind}
        client = self._catalogue.client
        answer = await client.post(self._path, params=given, content=content, headers=headers)
        assert answer.status_code == 202, answer.text
        await self._runner.run_waiting(self._catalogue.database)
        job = await client.get(answer.headers["location"], headers=self._people.editor())
        assert job.json()["state"] == "finished", job.json()
        return job.json()

    async def told(self, job) -> list[dict[str, Any]]:
        """What the report says of each row."""
        path = f"{self._path}/{job['id']}/problems"
        answer = await self._catalogue.client.get(
            path, params={"limit": 100}, headers=self._people.editor()
        )
        return answer.json()["items"]
