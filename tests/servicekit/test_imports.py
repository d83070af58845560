"""Imports: clean rows go in, dirty ones are told, nothing twice, and a kill loses nothing."""

import asyncio
import io
import json
from uuid import uuid4

import openpyxl
import pytest
from sqlalchemy import insert

from servicekit.imports import ImportRunner
from servicekit.imports.runner import IMPORT_LOCK
from tests.servicekit.helpers import running_task, until
from tests.servicekit.sample.imports import NoteRows
from tests.servicekit.sample.models import Note
from tests.support.tokens import bearer

COUNTY = "140802000000"
VILLAGE = "140802001005"
CITY = "140800000000"
PATH = "/v1/note-imports"


def editor(**claims):
    return bearer("editor", **{"division": COUNTY, "name": "编辑"} | claims)


def table(*titles: str, secret: str = "") -> bytes:
    lines = ["标题,说明", *(f"{title},{secret}" for title in titles)]
    return "\n".join(lines).encode()


@pytest.fixture
def runner():
    return ImportRunner({"notes": NoteRows()}, batch_rows=2)


@pytest.fixture
def hand_in(sample):
    async def hand_in(content: bytes, *, kind: str = "text/csv", headers=None, **parameters):
        parameters = {"division": COUNTY, "file_name": "表.csv"} | parameters
        headers = {"content-type": kind, **(headers or editor())}
        return await sample.client.post(PATH, params=parameters, content=content, headers=headers)

    return hand_in


@pytest.fixture
def take_in(sample, database, hand_in, runner):
    async def take_in(content: bytes, **options):
        """Hand in and work off; returns how the job stands then."""
        answer = await hand_in(content, **options)
        assert answer.status_code == 202, answer.text
        await runner.run_waiting(database)
        job = await sample.client.get(answer.headers["location"], headers=editor())
        return job.json()

    return take_in


async def problems(sample, job):
    answer = await sample.client.get(f"{PATH}/{job['id']}/problems", headers=editor())
    return answer.json()["items"]


def counts(job) -> tuple[int, int, int, int]:
    rows = job["rows"]
    assert rows["read"] == sum(rows.values()) - rows["read"]
    return rows["created"], rows["changed"], rows["unchanged"], rows["refused"]


class TestTakingIn:
    async def test_clean_rows_go_in_and_dirty_ones_are_told(self, sample, take_in):
        job = await take_in(table("甲", "字" * 51, "乙", "丙。", "甲"))
        assert (job["state"], counts(job)) == ("finished", (3, 0, 0, 2))
        assert await sample.count("note") == len(await sample.events()) == 3
        long, told, twice = await problems(sample, job)
        assert (long["row"], long["field"], long["is_refusal"]) == (3, "标题", True)
        assert long["remedy"] == "缩短或补上标题"
        assert (told["row"], told["is_refusal"]) == (5, False)
        assert (twice["row"], "第 2 行" in twice["message"]) == (6, True)

    async def test_the_same_file_twice_changes_nothing(self, sample, take_in):
        first = await take_in(table("甲", "乙"))
        again = await take_in(table("甲", "乙"))
        assert (counts(first), counts(again)) == ((2, 0, 0, 0), (0, 0, 2, 0))
        assert (first["repeats_id"], again["repeats_id"]) == (None, first["id"])
        assert len(await sample.events()) == 2

    async def test_a_dry_run_says_the_same_and_writes_nothing(self, sample, take_in):
        await take_in(table("甲", "乙"))
        sheet = table("甲", "丙", "字" * 51, secret="新")
        dry = await take_in(sheet, dry_run=True)
        assert await sample.count("note") == len(await sample.events()) == 2
        wet = await take_in(sheet)
        assert counts(dry) == counts(wet) == (1, 1, 0, 1)
        assert await problems(sample, dry) == await problems(sample, wet)

    async def test_a_row_that_cannot_be_written_stops_no_other(self, sample, database, take_in):
        async with database.transaction() as session:
            for title, secret in (("乙", "封存"), ("丁", "作废")):
                await session.execute(insert(Note).values(id=uuid4(), title=title, secret=secret))
        job = await take_in(table("甲", "乙", "丙\0", "丁", "戊"))
        assert counts(job) == (2, 0, 0, 3)
        told = {each["row"]: each["message"] for each in await problems(sample, job)}
        assert told[3] == "封存的内容不能改"
        assert told[5] == "作废的内容不能改"
        assert sorted(told) == [3, 4, 5]

    async def test_every_format_says_the_same(self, sample, take_in):
        book = openpyxl.Workbook()
        sheet = book.create_sheet("表", 0)
        for cells in (["标题", "说明"], ["甲", "一"]):
            sheet.append(cells)
        packed = io.BytesIO()
        book.save(packed)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        xlsx = await take_in(packed.getvalue(), kind=kind)
        rows = json.dumps([{"标题": "甲", "说明": "一"}]).encode()
        as_json = await take_in(rows, kind="application/json")
        gbk = await take_in("标题,说明\n甲,一\n".encode("gb18030"), kind="text/csv; charset=gbk")
        assert counts(xlsx) == (1, 0, 0, 0)
        assert counts(as_json) == counts(gbk) == (0, 0, 1, 0)

    async def test_a_file_that_is_none_fails_with_its_reason(self, sample, take_in):
        job = await take_in(b"[1]", kind="application/json")
        assert (job["state"], job["failure"]) == ("failed", "第 1 条不是 JSON 对象")
        assert await sample.count("import_chunk") == 0

    async def test_a_broken_handler_fails_the_file_and_not_the_worker(
        self, sample, database, hand_in, logged
    ):
        class Broken(NoteRows):
            async def check(self, session, job, rows):
                raise KeyError("a bug")

        await hand_in(table("甲"))
        await hand_in(table("乙"))
        assert await ImportRunner({"notes": Broken()}).run_waiting(database) == 2
        states = await sample.fetch("SELECT state FROM import_job")
        assert [row["state"] for row in states] == ["failed", "failed"]
        assert "import_failed" in logged()


class TestGoingOn:
    async def test_another_worker_goes_on_where_a_kill_stopped_it(
        self, sample, database, hand_in, runner
    ):
        reached = asyncio.Event()

        class Stuck(NoteRows):
            async def check(self, session, job, rows):
                if rows[0].number > 3:
                    reached.set()
                    await asyncio.Event().wait()
                return await super().check(session, job, rows)

        answer = await hand_in(table("甲", "乙", "丙", "甲", "丁"))
        stuck = asyncio.create_task(
            ImportRunner({"notes": Stuck()}, batch_rows=2).run_waiting(database)
        )
        async with asyncio.timeout(30):
            await reached.wait()
        stuck.cancel()
        await asyncio.wait([stuck])
        assert await sample.count("note") == 2
        await until(lambda: runner.run_waiting(database))  # the lock went with the connection
        job = (await sample.client.get(answer.headers["location"], headers=editor())).json()
        assert (job["state"], counts(job)) == ("finished", (4, 0, 0, 1))
        assert len(await sample.events()) == 4

    async def test_one_worker_at_a_time(self, sample, database, hand_in, runner):
        await hand_in(table("甲"))
        connection = await database.connect()
        try:
            await connection.execute(f"SELECT pg_advisory_lock({IMPORT_LOCK})")
            assert await runner.run_waiting(database) == 0
        finally:
            await connection.close()
        assert await until(lambda: runner.run_waiting(database)) == 1

    async def test_a_running_worker_takes_up_what_is_handed_in(
        self, sample, database, hand_in, runner
    ):
        async with running_task(runner.run(database)):
            answer = await hand_in(table("甲"))

            async def has_ended():
                got = await sample.client.get(answer.headers["location"], headers=editor())
                return got.json()["state"] == "finished"

            await until(has_ended)

    async def test_a_cancelled_file_goes_no_further(self, sample, database, hand_in, runner):
        location = (await hand_in(table("甲"))).headers["location"]
        cancelled = await sample.client.post(f"{location}/actions/cancel", headers=editor())
        assert cancelled.json()["state"] == "cancelled"
        assert await runner.run_waiting(database) == 0
        assert await sample.count("note") == await sample.count("import_chunk") == 0
        again = await sample.client.post(f"{location}/actions/cancel", headers=editor())
        assert (again.status_code, again.json()["code"]) == (409, "import-ended")


class TestReport:
    async def test_it_can_be_downloaded_as_a_sheet(self, sample, take_in):
        job = await take_in(table("甲", "字" * 51))
        path = f"{PATH}/{job['id']}/report"
        csv = await sample.client.get(path, headers=editor())
        assert csv.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in csv.headers["content-disposition"]
        lines = csv.content.decode("utf-8-sig").splitlines()
        assert lines[0] == "行号,是否拒收,字段,内容,问题,怎么改"
        assert lines[1].startswith("3,拒收,标题,字")
        xlsx = await sample.client.get(path, params={"format": "xlsx"}, headers=editor())
        sheet = openpyxl.load_workbook(io.BytesIO(xlsx.content)).worksheets[0]
        assert [cell.value for cell in sheet[2]][:3] == [3, "拒收", "标题"]

    async def test_problems_and_imports_are_paged(self, sample, take_in):
        job = await take_in(table("字" * 51, "字" * 52, "字" * 53))
        await take_in(table("乙"))
        for path, count in ((f"{PATH}/{job['id']}/problems", 3), (PATH, 2)):
            seen: list[object] = []
            after: dict[str, str] = {}
            while True:
                page = await sample.client.get(path, params={"limit": 1, **after}, headers=editor())
                seen += page.json()["items"]
                if page.json()["next"] is None:
                    break
                after = {"after": page.json()["next"]}
            assert len(seen) == count
            wrong = await sample.client.get(path, params={"after": "WzEuNV0"}, headers=editor())
            assert wrong.status_code == 400


class TestHandingIn:
    async def test_the_same_key_gives_the_same_job(self, sample, hand_in):
        keyed = editor(account_id=uuid4())
        keyed["Idempotency-Key"] = "once"
        answers = await asyncio.gather(*(hand_in(table("甲"), headers=keyed) for _ in range(3)))
        assert sorted(each.status_code for each in answers) == [200, 200, 202]
        assert len({each.json()["id"] for each in answers}) == 1
        other = await hand_in(table("乙"), headers=keyed)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
        assert await sample.count("import_job") == 1

    @pytest.mark.parametrize(
        ("options", "status"),
        [
            ({"headers": {}}, 401),
            ({"headers": bearer("auditor", division=COUNTY)}, 403),
            ({"headers": bearer("editor", division=VILLAGE)}, 403),
            ({"division": CITY}, 403),
            ({"kind": "application/zip"}, 415),
            ({"preset": "none"}, 422),
            ({"file_name": ""}, 422),
            ({"content": b""}, 422),
            ({"headers": editor() | {"Idempotency-Key": "k" * 129}}, 400),
            ({"headers": editor() | {"Content-Length": str(65 << 20)}}, 413),
        ],
    )
    async def test_refused(self, sample, hand_in, options, status):
        if options.get("headers") == {}:
            options = {"headers": {"x-nobody": "1"}}
        answer = await hand_in(**{"content": table("甲")} | options)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert await sample.count("import_job") == 0

    async def test_others_see_and_stop_only_what_is_theirs(self, sample, hand_in):
        location = (await hand_in(table("甲"))).headers["location"]
        auditor, elsewhere = bearer("auditor", division=COUNTY), editor(division="140821000000")
        client = sample.client
        assert (await client.get(location, headers=auditor)).status_code == 200
        assert len((await client.get(PATH, headers=auditor)).json()["items"]) == 1
        assert (await client.get(PATH, headers=elsewhere)).json()["items"] == []
        for path in ("", "/problems", "/report"):
            assert (await client.get(location + path, headers=elsewhere)).status_code == 403
            assert (await client.get(location + path, headers=bearer("x"))).status_code == 403
            missing = await client.get(f"{PATH}/{uuid4()}{path}", headers=auditor)
            assert missing.status_code == 404
        for headers in (auditor, elsewhere):
            stopped = await client.post(f"{location}/actions/cancel", headers=headers)
            assert stopped.status_code == 403
        assert (await client.get(location, headers=auditor)).json()["state"] == "waiting"
