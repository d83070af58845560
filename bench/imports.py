"""How long a sheet of items takes to come in, in how much memory, and that it grows with neither.

`python -m bench.imports [--rows 100000]` starts a real PostgreSQL, hands two CSV files to the API as a
client would, a tenth of the rows and all of them, and lets a worker of its own work off each: into an
empty catalogue, then the same file again, which must change nothing. One row in twenty is dirty. The
peak is that of the whole worker process; what it holds before the first row is told beside it.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bench.harness import Figure, peak_mebibytes, show
from devstack.ports import pick_free_port
from devstack.postgres import PostgresServer
from servicekit.database import Database
from servicekit.imports import ImportRunner
from servicekit.logging import configure_logging
from services.catalogue.definition import SERVICE
from services.catalogue.sheets.rows import ItemRows
from tests.support.service import Databases, RunningService, running, settings_for
from tests.support.tokens import bearer

COUNTY = "140802000000"
USCC = "11140802012345678L"
DIRTY = 20


def row(number: int) -> dict[str, str]:
    """A row of an implementation list; one in twenty has something wrong."""
    basic = f"140511{number:06}"
    return {
        "基本编码": basic,
        "实施编码": f"{USCC}4{basic}",
        "事项名称": f"困难残疾人生活补贴（第 {number} 项）",
        "一句话说明": "家里困难的残疾人，可以申请每月一笔生活补贴。",
        "事项类型": "05",
        "供给类别": "社会服务",
        "设定依据": "《关于全面建立困难残疾人生活补贴和重度残疾人护理补贴制度的意见》（国发〔2015〕52号）",
        "权力来源": "1",
        "行使层级": "4",
        "主管部门": "11",
        "实施主体": "盐湖区民政局",
        "实施主体编码": USCC,
        "实施主体性质": "1",
        "法定办结时限": "500" if number % DIRTY == 0 else "30",
        "法定办结时限单位": "工作日",
        "承诺办结时限": "10",
        "承诺办结时限单位": "工作日",
        "办件类型": "2",
        "办理形式": "1、2",
        "到办事现场次数": "0",
        "受理条件": "本区户籍，持有残疾人证，享受最低生活保障。",
        "办理流程": "受理\n审核\n发放",
        "服务对象": "1",
        "办理地点": "河东东街 1 号",
        "办理时间": "工作日 8:00—18:00",
        "咨询方式": "0359-4022222",
        "监督投诉方式": "12345",
        "审批结果类型": "3",
        "审批结果名称": "补贴审核结果通知",
        "是否收费": "否",
        "申请材料": "残疾人证|信息免交|政府部门核发|纸质和电子|0|由办理部门网上核验",
    }


async def sheet(rows: int) -> AsyncIterator[bytes]:
    """The file, made while it is sent."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row(1)))
    writer.writeheader()
    for number in range(rows):
        writer.writerow(row(number))
        if text.tell() > 1 << 16:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


async def work(dsn: str) -> None:
    """Be the worker: work off what waits, and tell what it took."""
    database = Database(settings_for(SERVICE.settings, dsn), application_name="bench.worker")
    before, started = peak_mebibytes(), time.perf_counter()
    await ImportRunner({"items": ItemRows()}).run_waiting(database)
    took = {"seconds": time.perf_counter() - started, "before": before, "peak": peak_mebibytes()}
    await database.close()
    sys.stdout.write(json.dumps(took))


async def take_in(service: RunningService, rows: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hand a file in and have it worked off; what it took, and how the job stands."""
    answer = await service.client.post(
        "/v1/item-imports",
        params={"division": COUNTY, "file_name": "实施清单.csv", "preset": "national-zh"},
        content=sheet(rows),
        headers=editor() | {"content-type": "text/csv"},
        timeout=120,
    )
    answer.raise_for_status()
    command = (sys.executable, "-m", "bench.imports", "--work", service.at.dsn)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    told, _ = await process.communicate()
    job = await service.client.get(answer.headers["location"], headers=editor())
    return json.loads(told), job.json()


def editor() -> dict[str, str]:
    return bearer("catalogue-editor", division=COUNTY, name="编辑员")


async def measure(server: PostgresServer, rows: int) -> None:
    """A tenth of the rows, then all of them."""
    databases, peaks, figures = Databases(server), [], []
    for count in (rows // 10, rows):
        async with running(SERVICE, await databases.clone(SERVICE)) as service:
            took, job = await take_in(service, count)
            again, unchanged = await take_in(service, count)
        assert job["rows"]["created"] == count - job["rows"]["refused"], job
        assert job["rows"]["refused"] == -(-count // DIRTY), job
        assert unchanged["rows"]["unchanged"] == job["rows"]["created"], unchanged
        assert unchanged["rows"]["changed"] == unchanged["rows"]["created"] == 0
        peaks.append(took["peak"])
        size = job["size_bytes"] / 1e6
        figures += [
            Figure(f"{count} rows ({size:.0f} MB): taken in", "s", [took["seconds"]]),
            Figure(f"{count} rows: rows a second", "/s", [count / took["seconds"]]),
            Figure(f"{count} rows: the same file again", "s", [again["seconds"]]),
            Figure(f"{count} rows: worker before the first row", "MiB", [took["before"]]),
            Figure(f"{count} rows: worker at its peak", "MiB", [took["peak"]]),
        ]
    grown = Figure("peak of all rows to peak of a tenth", "", [peaks[1] / peaks[0]], "<= 1.5")
    show("Imports of items", [*figures, grown])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    configure_logging(service="bench", process="imports", level="error", log_format="console")
    if arguments.work:
        asyncio.run(work(arguments.work))
        return
    with tempfile.TemporaryDirectory() as directory:
        server = PostgresServer(Path(directory) / "postgres", pick_free_port(), fast=True)
        server.start()
        try:
            asyncio.run(measure(server, arguments.rows))
        finally:
            server.remove()


if __name__ == "__main__":
    main()
