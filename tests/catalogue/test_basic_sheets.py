"""The basic catalogue in sheets: taken in row by row, told what is wrong, given out as it came."""

import asyncio
import io
import json
from pathlib import Path

import openpyxl
import pytest

from servicekit.imports import ImportRunner
from services.catalogue.basic_sheets.rows import BasicRows
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY
from tests.catalogue.imports import Imports, counts, sheet
from tests.support.tokens import bearer, resident

PATH, EXPORT = "/v1/basic-item-imports", "/v1/basic-item-exports"
CODE, OTHER = "140511001001", "142011001002"
EXAMPLE = Path("docs/examples/basic-items.csv").read_bytes()


def row(**values):
    cells = {
        "基本编码": CODE,
        "事项名称": "困难残疾人生活补贴",
        "事项类型": "5",
        "行使层级": "4、5",
        "主管部门": "11",
        "设定依据": "国发〔2015〕52号",
        "来源": "省级基本目录 2023 年版",
        "事项状态": "1",
    }
    return cells | values


@pytest.fixture
def imports(catalogue, people):
    runner = ImportRunner({"basic-items": BasicRows()}, batch_rows=2)
    return Imports(catalogue, people, PATH, runner, "基本目录.csv")


@pytest.fixture
def take_in(imports):
    return imports.take_in


@pytest.fixture
def told(imports):
    return imports.told


async def entries(catalogue, code=CODE):
    answer = await catalogue.client.get("/v1/basic-items", params={"basic_code": code})
    return answer.json()["items"]


class TestImport:
    async def test_a_row_becomes_an_entry_with_its_history(self, catalogue, people, take_in, told):
        job = await take_in(sheet(row()))
        assert (counts(job), await told(job)) == ((1, 0, 0, 0), [])
        [entry] = await entries(catalogue)
        assert (entry["task_type"], entry["levels"], entry["department"], entry["state"]) == (
            "05", ["county", "township"], "civil-affairs", "in-use",
        )  # fmt: skip
        history = await catalogue.client.get(
            f"/v1/basic-items/{entry['id']}/history", headers=people.editor()
        )
        [first] = history.json()["items"]
        assert (first["action"], first["actor_name"]) == ("import", "编辑员")
        assert "基本目录.csv" in first["reason"]

    async def test_the_same_file_twice_changes_nothing(self, catalogue, take_in):
        await take_in(sheet(row(), row(基本编码=OTHER, 事项类型="公共服务")))
        again = await take_in(sheet(row(), row(基本编码=OTHER, 事项类型="公共服务")))
        assert counts(again) == (0, 0, 2, 0)
        assert await catalogue.count("basic_item_history") == 2

    async def test_what_is_said_is_changed_and_what_is_empty_stays(self, catalogue, take_in):
        await take_in(sheet(row()))
        job = await take_in(sheet({"基本编码": CODE, "事项名称": "新名称", "设定依据": ""}))
        assert counts(job) == (0, 1, 0, 0)
        [entry] = await entries(catalogue)
        assert (entry["name"], entry["version"]) == ("新名称", 2)
        assert entry["basis"] == "国发〔2015〕52号"
        await take_in(sheet({"基本编码": CODE, "事项状态": "取消"}))
        [entry] = await entries(catalogue)
        assert (entry["state"], entry["name"], entry["version"]) == ("cancelled", "新名称", 3)
        assert counts(await take_in(sheet({"基本编码": CODE, "事项名称": "新名称"}))) == (
            0,
            0,
            1,
            0,
        )

    async def test_dirty_rows_are_told_and_do_not_stop_clean_ones(self, catalogue, take_in, told):
        job = await take_in(
            sheet(
                row(基本编码="12345"),
                row(基本编码="", 事项名称="没有编码"),
                row(基本编码="140511001003", 事项类型="1"),
                row(基本编码="140511001004", 行使层级="9"),
                row(基本编码="140511001005", 事项名称=""),
                row(基本编码="140511001006", 事项状态="2"),
                row(基本编码="140511001007", 来源=""),
                row(基本编码="140511001008", 区划代码=OTHER_COUNTY),
                row(基本编码="140511001009", 区划代码="14"),
                row(),
                row(),
            )
        )
        assert counts(job) == (2, 0, 0, 9)
        messages = {each["row"]: (each["field"], each["message"]) for each in await told(job)}
        assert messages[2] == ("基本编码", "编码格式不正确")
        assert messages[3] == ("基本编码", "没有基本编码")
        assert messages[4] == ("基本编码", "编码里的事项类型是 05，写的是 01")
        assert messages[5] == ("行使层级", "“9”不是行使层级")
        assert messages[6] == ("事项名称", "没有填写")
        assert messages[7] == ("事项状态", "“2”在本目录里没有对应的基本目录事项状态")
        assert messages[8] == ("", "没有写来源，已填：由文件导入：基本目录.csv")
        assert messages[9] == ("区划代码", "不在这次导入的区划之内")
        assert messages[10] == ("区划代码", "编码格式不正确")
        assert messages[12] == ("", "与本文件第 11 行是同一条")
        assert await catalogue.count("basic_item") == 2

    async def test_a_dry_run_writes_nothing(self, catalogue, take_in):
        assert counts(await take_in(sheet(row()), dry_run=True)) == (1, 0, 0, 0)
        assert await catalogue.count("basic_item") == 0
        assert await catalogue.count("basic_item_history") == 0

    async def test_an_entry_that_is_changed_meanwhile_is_waited_for(
        self, catalogue, people, take_in
    ):
        await take_in(sheet(row()))
        [entry] = await entries(catalogue)
        body = {"name": "手改的名称", "task_type": "05", "source": "县里", "reason": "更正"}
        change = catalogue.client.put(
            f"/v1/basic-items/{entry['id']}",
            json=body,
            headers=people.editor() | {"If-Match": '"1"'},
        )
        answer, job = await asyncio.gather(change, take_in(sheet(row(主管部门="14"))))
        [entry] = await entries(catalogue)
        assert counts(job) == (0, 1, 0, 0)
        assert await catalogue.count("basic_item_history") == entry["version"]
        assert entry["version"] == (3 if answer.status_code == 200 else 2)

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({}, 401, "unauthenticated"),
            (resident(), 403, "wrong-role"),
            (bearer("catalogue-approver"), 403, "wrong-role"),
            (bearer("catalogue-editor", division=OTHER_COUNTY), 403, "wrong-division"),
        ],
    )
    async def test_it_is_for_editors_of_the_division(self, catalogue, headers, status, code):
        for path, extra in ((PATH, {"content-type": "text/csv"}), (EXPORT, {})):
            if path == EXPORT and code == "wrong-role" and headers != resident():
                continue  # any staff of the division may export
            answer = await catalogue.client.request(
                "POST" if path == PATH else "GET",
                path,
                params={"division": COUNTY, "file_name": "a.csv"},
                content=sheet(row()) if path == PATH else None,
                headers=headers | extra,
            )
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await catalogue.count("import_job") == 0

    async def test_the_example_of_the_documents_is_taken_in(self, take_in, told):
        job = await take_in(EXAMPLE)
        assert counts(job) == (2, 0, 0, 1)
        [told_of] = await told(job)
        assert (told_of["row"], told_of["field"], told_of["message"]) == (
            4, "基本编码", "编码里的事项类型是 01，写的是 05",
        )  # fmt: skip


class TestExport:
    @pytest.mark.parametrize("preset", [None, "national", "gb39046"])
    @pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
    async def test_what_goes_out_comes_in_unchanged(self, catalogue, people, take_in, kind, preset):
        await take_in(sheet(row(), row(基本编码=OTHER, 事项类型="20", 事项状态="3", 设定依据="")))
        given = {"division": COUNTY, "format": kind} | ({"preset": preset} if preset else {})
        answer = await catalogue.client.get(EXPORT, params=given, headers=people.approver())
        assert answer.status_code == 200, answer.text
        media = answer.headers["content-type"].split(";")[0]
        job = await take_in(answer.content, kind=media, preset=preset)
        assert counts(job) == (0, 0, 2, 0)

    async def test_it_has_what_the_division_keeps_and_no_other(self, catalogue, people, take_in):
        city = people.editor(division=CITY)
        for division in (CITY, OTHER_COUNTY):
            body = {
                "basic_code": OTHER,
                "division_code": division,
                "name": "别处的事项",
                "task_type": "20",
                "source": "市级目录",
            }
            answer = await catalogue.client.post("/v1/basic-items", json=body, headers=city)
            assert answer.status_code == 201
        await take_in(sheet(row()))
        answer = await catalogue.client.get(
            EXPORT, params={"division": COUNTY, "format": "json"}, headers=people.editor()
        )
        assert [json.loads(line)["basic_code"] for line in answer.text.splitlines()] == [CODE]
        answer = await catalogue.client.get(
            EXPORT, params={"division": CITY, "format": "xlsx"}, headers=city
        )
        table = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        assert table is not None
        assert table.max_row == 4

    async def test_a_preset_that_is_none(self, catalogue, people):
        given = {"division": COUNTY, "preset": "x"}
        answer = await catalogue.client.get(EXPORT, params=given, headers=people.editor())
        assert (answer.status_code, answer.json()["code"]) == (422, "preset-unknown")
