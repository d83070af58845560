"""Items in sheets: what comes in, what is told of dirty rows, and that it goes out as it came."""

import asyncio
import contextlib
import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.imports import ImportRunner, Row
from servicekit.timers import Timers
from services.catalogue.sheets import cells, columns, reading
from services.catalogue.sheets.rows import ItemRows
from services.catalogue.worker import create_worker
from tests.catalogue.factories import CITY, COUNTY, IMPLEMENTATION, make_content, make_elements
from tests.catalogue.imports import Imports, counts, sheet
from tests.support.tokens import bearer

PATH = "/v1/item-imports"
USCC = IMPLEMENTATION[:18]
EXAMPLE = Path("docs/examples/items.csv").read_bytes()
#: A row of the national list under Chinese names, as a county's file has it.
NATIONAL = {
    "基本编码": IMPLEMENTATION[-12:],
    "实施编码": IMPLEMENTATION,
    "事项名称": "困难残疾人生活补贴",
    "事项类型": "5",
    "供给类别": "社会服务",
    "设定依据": "国发〔2015〕52号",
    "权力来源": "1",
    "行使层级": "4",
    "实施主体": "盐湖区民政局",
    "实施主体编码": USCC,
    "实施主体性质": "1",
    "主管部门": "11",
    "法定办结时限": "30",
    "法定办结时限单位": "工作日",
    "承诺办结时限": "10个工作日",
    "办件类型": "承诺件",
    "办理形式": "1、2",
    "到办事现场次数": "0",
    "必须现场办理原因说明": "无",
    "受理条件": "本区户籍，持有残疾人证。",
    "办理流程": "受理|\n审核|县残联核对残疾人证\n发放",
    "服务对象": "1",
    "办理地点": "河东东街 1 号",
    "办理时间": "工作日 8:00—18:00",
    "咨询方式": "0359-4022222",
    "监督投诉方式": "12345",
    "审批结果类型": "其他",
    "审批结果名称": "补贴审核结果通知",
    "是否收费": "否",
    "申请材料": "残疾人证|信息免交|政府部门核发|纸质和电子|0|由办理部门网上核验",
}


@pytest.fixture
def timers(catalogue):
    return Timers(catalogue.database, create_worker(catalogue.settings).timers)


@pytest.fixture
def imports(catalogue, people):
    runner = ImportRunner({"items": ItemRows()}, batch_rows=3)
    return Imports(catalogue, people, PATH, runner, "实施清单.csv")


@pytest.fixture
def take_in(imports):
    return imports.take_in


@pytest.fixture
def told(imports):
    return imports.told


@pytest.fixture
def approve(catalogue, people):
    async def approve(job, headers=None):
        return await catalogue.client.post(
            f"{PATH}/{job['id']}/approval",
            json={"reason": "逐条核对过"},
            headers=headers or people.approver(),
        )

    return approve


async def draft_of(catalogue, code=IMPLEMENTATION):
    rows = await catalogue.fetch(
        "SELECT d.content, d.state, i.tier, i.basic_code FROM item_draft d "
        "JOIN item i ON i.id = d.item_id WHERE i.item_code = $1",
        code,
    )
    return (json.loads(rows[0]["content"]), *list(rows[0])[1:])


class TestImport:
    async def test_a_national_row_becomes_a_draft_in_review(self, catalogue, take_in, told):
        job = await take_in(sheet(NATIONAL))
        assert counts(job) == (1, 0, 0, 0), await told(job)
        content, state, tier, basic = await draft_of(catalogue)
        assert (state, tier, basic) == ("in-review", "implementation", IMPLEMENTATION[-12:])
        assert (content["task_type"], content["level"], content["department"]) == (
            "05", "county", "civil-affairs",
        )  # fmt: skip
        assert content["limits"]["promised_unit"] == "working-days"
        assert content["elements"]["steps"][1] == {
            "name": "审核", "explanation": "县残联核对残疾人证",
        }  # fmt: skip
        assert content["materials"][0]["necessity"] == "waivable"
        (filled,) = await told(job)
        assert not filled["is_refusal"]
        assert "一句话说明＝困难残疾人生活补贴" in filled["message"]
        assert await catalogue.events() == []

    async def test_the_same_file_twice_changes_nothing(self, catalogue, take_in):
        await take_in(sheet(NATIONAL))
        said = "SELECT item_id, state, content, authors, saved_at FROM item_draft"
        before = await catalogue.fetch(said)
        again = await take_in(sheet(NATIONAL))
        assert counts(again) == (0, 0, 1, 0)
        assert again["repeats_id"] is not None
        assert await catalogue.fetch(said) == before
        assert await catalogue.count("item_history") == 1
        changed = await take_in(sheet(NATIONAL | {"受理条件": "本区户籍，且享受低保。"}))
        assert counts(changed) == (0, 1, 0, 0)

    async def test_dirty_rows_are_told_with_their_remedy_and_stop_no_other(self, take_in, told):
        def row(number, **changes):
            code = IMPLEMENTATION[:-1] + str(number)
            return NATIONAL | {"基本编码": code[-12:], "实施编码": code} | changes

        job = await take_in(
            sheet(
                row(1),
                row(2, 实施主体编码=USCC.lower()),
                row(3, 实施主体编码=USCC[:-1] + "0"),
                row(4, 实施编码="14080200001"),
                row(5, 基本编码="1405110001"),
                row(6, 法定办结时限="500"),
                row(7, 受理条件="按规定执行"),
                row(8, 行使层级="9"),
                row(9, 事项类型="77", 承诺办结时限="很快"),
            )
        )
        assert counts(job) == (2, 0, 0, 7)
        problems: dict[int, list[tuple[str, bool]]] = {}
        for each in await told(job):
            assert each["remedy"]
            problems.setdefault(each["row"], []).append((each["field"], each["is_refusal"]))
        by_row = [problems[number] for number in sorted(problems)]
        assert ("实施主体编码", False) in by_row[1]
        assert ("实施主体编码", True) in by_row[2]
        assert ("实施编码", True) in by_row[3]
        assert ("基本编码", True) in by_row[4] or ("实施编码", True) in by_row[4]
        assert ("法定办结时限", True) in by_row[5]
        assert ("受理条件", True) in by_row[6]
        assert ("行使层级", True) in by_row[7]
        assert {("事项类型", True), ("承诺办结时限", True)} <= set(by_row[8])

    async def test_the_example_shows_clean_mended_and_dirty_rows(self, take_in, told):
        job = await take_in(EXAMPLE)
        problems = await told(job)
        assert counts(job) == (2, 0, 0, 1), problems
        refused = {each["field"] for each in problems if each["is_refusal"]}
        assert refused == {"法定办结时限", "受理条件"}
        assert "实施主体编码" in {each["field"] for each in problems if not each["is_refusal"]}

    async def test_the_preset_says_what_a_number_means(self, catalogue, take_in, told):
        five = NATIONAL | {"服务对象": "5", "审批结果名称": "结果"}
        job = await take_in(sheet(five))
        assert (await draft_of(catalogue))[0]["service_objects"] == ["unincorporated-enterprise"]
        job = await take_in(sheet(five), preset="gb39046")
        assert counts(job) == (0, 1, 0, 0)
        assert (await draft_of(catalogue))[0]["service_objects"] == ["government-organ"]
        job = await take_in(b"item_code,task_name,use_level\nx-1,a,6\n", preset="national-early")
        (refused,) = [each for each in await told(job) if each["field"] == "use_level"]
        assert "没有对应" in refused["message"]

    async def test_what_repeats_the_rest_of_a_row_is_held_against_it(
        self, catalogue, take_in, told
    ):
        def row(number, **changes):
            code = IMPLEMENTATION[:-1] + str(number)
            return NATIONAL | {"基本编码": code[-12:], "实施编码": code} | changes

        job = await take_in(
            sheet(
                row(1, 事项状态="在用", 事项版本="7", 是否网办="1", 是否进驻政务大厅="否"),
                row(2, 事项状态="1", 是否网办="0"),
                row(3, 事项状态="3"),
                row(4, 事项状态="暂停"),
                row(5, 是否网办="也许"),
            )
        )
        assert counts(job) == (2, 0, 0, 3)
        about = {
            (each["row"], each["field"]): (each["is_refusal"], each["message"])
            for each in await told(job)
            if each["field"]
        }
        assert list(about) == [
            (7, "是否网办"), (10, "事项状态"), (13, "事项状态"), (16, "是否网办"),
        ]  # fmt: skip
        assert about[7, "是否网办"] == (False, "同一行的其他列说明是“是”，已按其他列收下")
        assert about[10, "事项状态"][0]
        assert "“取消”" in about[10, "事项状态"][1]

    async def test_a_column_nobody_reads_is_told(self, take_in, told):
        job = await take_in(b"item_code,colour\nx-1,red\n", preset="national")
        assert any("colour" in each["message"] for each in await told(job))

    async def test_other_divisions_and_texts_under_review_are_refused(
        self, catalogue, people, take_in, told
    ):
        item_id = await people.draft(item_code="10101010")
        await people.act(item_id, "submit")
        rows = (
            {"事项编码": "10101010", "事项名称": "新名称"},
            {"事项编码": "20202020", "区划代码": "140821000000"},
            {"事项名称": "没有编码"},
        )
        job = await take_in(sheet(*rows))
        assert counts(job) == (0, 0, 0, 3)
        messages = [each["message"] for each in await told(job) if each["is_refusal"]]
        assert "正在审核" in messages[0]
        assert "不在这次导入的区划之内" in messages[1]
        assert "没有事项编码" in messages[2]

    async def test_a_row_changes_only_what_it_says(self, catalogue, people, take_in):
        await people.publish(item_code="30303030")
        job = await take_in(sheet({"事项编码": "30303030", "承诺办结时限": "5"}))
        assert counts(job) == (0, 1, 0, 0)
        content, *_ = await draft_of(catalogue, "30303030")
        expected = make_content()
        assert content["limits"]["promised_days"] == 5
        assert content["materials"] == expected["materials"]
        assert content["name"] == expected["name"]

    @pytest.mark.parametrize(
        "who", [bearer("catalogue-approver"), bearer("catalogue-editor", division="140821000000")]
    )
    async def test_only_editors_of_the_division(self, catalogue, who):
        answer = await catalogue.client.post(
            PATH,
            params={"division": COUNTY, "file_name": "a.csv"},
            content=b"x",
            headers=who | {"content-type": "text/csv"},
        )
        assert answer.status_code == 403
        assert await catalogue.count("import_job") == 0


class TestApproval:
    async def test_another_hand_publishes_the_whole_import(
        self, catalogue, people, take_in, approve, timers
    ):
        job = await take_in(sheet(NATIONAL, NATIONAL | {"实施编码": "", "基本编码": ""} | {
            "事项编码": "provisional-x", "权力来源": "",
        }))  # fmt: skip
        own = people.approver(account_id=people.editor_id)
        assert (await approve(job, own)).json()["code"] == "two-hands"
        answer = await approve(job)
        assert (answer.status_code, answer.json()["waiting"]) == (202, 2), answer.text
        assert (await approve(job)).json()["code"] == "import-not-approvable"
        await timers.run_due()
        standing = await catalogue.client.get(
            f"{PATH}/{job['id']}/approval", headers=people.editor()
        )
        done = standing.json()
        assert (done["published"], done["left_over"], done["waiting"]) == (2, 0, 0)
        assert done["finished_at"] is not None
        rows = await catalogue.fetch("SELECT status, current_version FROM item")
        assert [tuple(row) for row in rows] == [("published", 1)] * 2
        assert len(await catalogue.events()) == 2
        assert counts(await take_in(sheet(NATIONAL))) == (0, 0, 1, 0)

    async def test_a_draft_belongs_to_the_newest_import_that_has_it(
        self, catalogue, take_in, approve, timers
    ):
        first, second = await take_in(sheet(NATIONAL)), await take_in(sheet(NATIONAL))
        assert counts(second) == (0, 0, 1, 0)
        assert (await approve(first)).json()["waiting"] == 0
        assert (await approve(second)).json()["waiting"] == 1
        await timers.run_due()
        assert len(await catalogue.events()) == 1

    async def test_approved_several_times_at_once_it_is_published_once(
        self, catalogue, take_in, approve, timers
    ):
        job = await take_in(sheet(NATIONAL))
        answers = await asyncio.gather(*(approve(job) for _ in range(3)))
        assert {answer.status_code for answer in answers} == {202, 409}
        assert await catalogue.count("import_approval") == 1
        await timers.run_due()
        assert len(await catalogue.events()) == 1

    async def test_what_the_approver_wrote_is_left_over(
        self, catalogue, people, take_in, approve, timers
    ):
        item_id = await people.draft(item_code="40404040")
        await catalogue.fetch("UPDATE item_draft SET authors = $1", [str(people.approver_id)])
        job = await take_in(sheet({"事项编码": "40404040", "事项名称": "改过的名称"}))
        assert counts(job) == (0, 1, 0, 0)
        await approve(job)
        await timers.run_due()
        assert (await people.state(item_id))["status"] == "in-review"
        standing = await catalogue.client.get(
            f"{PATH}/{job['id']}/approval", headers=people.editor()
        )
        assert standing.json()["left_over"] == 1

    async def test_refused(self, catalogue, people, take_in, approve):
        dry = await take_in(sheet(NATIONAL), dry_run=True)
        assert counts(dry) == (1, 0, 0, 0)
        assert await catalogue.count("item") == 0
        assert (await approve(dry)).json()["code"] == "import-not-approvable"
        assert (await approve(dry, people.editor())).status_code == 403
        elsewhere = people.approver(division="140821000000")
        assert (await approve(dry, elsewhere)).status_code == 403
        missing = {"id": "01890000-0000-7000-8000-000000000000"}
        assert (await approve(missing)).status_code == 404
        none = await catalogue.client.get(f"{PATH}/{dry['id']}/approval", headers=people.editor())
        assert none.json()["code"] == "approval-not-found"
        assert await catalogue.count("import_approval") == await catalogue.count("timer") == 0


class TestExport:
    # 浙江's JSON has the same cells as its CSV.
    @pytest.mark.parametrize(
        ("kind", "preset"),
        [
            (kind, preset)
            for kind in ("csv", "json")
            for preset in (None, *columns.presets())
            if (kind, preset) != ("json", "zhejiang")
        ],
    )
    async def test_what_goes_out_comes_in_unchanged(
        self, catalogue, people, take_in, told, preset, kind
    ):
        await people.publish(
            item_code=IMPLEMENTATION,
            elements=make_elements(),
            questions=[{"question": "多久发？", "answer": "每月。\n节假日顺延|不变"}],
            materials=make_content()["materials"],
        )
        path = {"division": COUNTY, "format": kind} | ({"preset": preset} if preset else {})
        out = await catalogue.client.get("/v1/item-exports", params=path, headers=people.editor())
        assert out.status_code == 200
        media = out.headers["content-type"].split(";")[0]
        if preset is not None and kind == "csv":
            (row,) = csv.DictReader(io.StringIO(out.content.decode("utf-8-sig")))
            state, version, online = list(row)[-9], list(row)[-10], list(row)[-7]
            assert (row[state], row[version], row[online]) == ("1", "1", "1")
            assert (state, online) in {("task_state", "is_online"), ("事项状态", "是否网办")}
        job = await take_in(out.content, kind=media, preset=preset)
        assert {each["field"] for each in await told(job)} <= {""}
        changes = counts(job)
        # The bar is written full-width: it would begin another part of the line.
        whole = preset is None and kind == "json"
        assert changes == ((0, 0, 1, 0) if whole else (0, 1, 0, 0)), await told(job)
        content, *_ = await draft_of(catalogue) if not whole else (None,)
        if content is not None:
            assert content["questions"][0]["answer"] == "每月。\n节假日顺延｜不变"
            assert content["materials"] == make_content()["materials"]
            assert content["limits"] == make_content()["limits"]
            assert content["elements"]["online"]["app_single_sign_on"] is True

    async def test_as_a_workbook_and_only_what_the_public_sees(self, catalogue, people):
        await people.publish(item_code="50505050", name="公布的")
        await people.draft(item_code="60606060")
        path = {"division": CITY, "format": "xlsx", "preset": "national-zh"}
        staff = people.editor(division=CITY)
        out = await catalogue.client.get("/v1/item-exports", params=path, headers=staff)
        rows = list(openpyxl.load_workbook(io.BytesIO(out.content)).worksheets[0].values)
        names = [dict(zip(rows[0], row, strict=True))["事项名称"] for row in rows[1:]]
        assert names == ["公布的"]

    async def test_refused(self, catalogue, people):
        path = {"division": CITY}
        client = catalogue.client
        for headers, status in (
            ({}, 401),
            (bearer("window-clerk"), 403),
            (people.editor(), 403),
        ):
            answer = await client.get("/v1/item-exports", params=path, headers=headers)
            assert answer.status_code == status
        wrong = await client.get(
            "/v1/item-exports", params={"division": COUNTY, "preset": "x"}, headers=people.editor()
        )
        assert wrong.json()["code"] == "preset-unknown"
        presets = await client.get("/v1/item-presets")
        assert {each["name"] for each in presets.json()} == set(columns.presets())


class TestCells:
    @given(st.sampled_from(columns.layout(None).columns), st.text(max_size=30))
    @settings(max_examples=150)
    def test_any_text_is_read_or_told(self, column, text):
        if not text:
            return
        with contextlib.suppress(cells.CellWrong):
            cells.read(column.kind, text, "platform")

    @given(st.text(max_size=20), st.sampled_from([None, *columns.presets()]))
    @settings(max_examples=60)
    def test_any_row_is_read(self, text, preset):
        layout = columns.layout(preset)
        row = Row(2, {column.header: text for column in layout.columns})
        said = reading.read_row(layout, row)
        reading.identity(said.patch, COUNTY)
        reading.completed(said.patch, None, "x.csv")

    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["codes", "body", "name", "code"]), inner, max_size=2)
        ),
        max_leaves=5,
    )

    @given(
        st.dictionaries(
            st.sampled_from([
                "item_code", "elements", "elements.codes.basic", "elements.body.uscc", "limits",
                "fee", "materials", "channels", "item_kind", "level", "ui", "visits",
            ]),
            anything,
        ),
        st.sampled_from([None, "national"]),
    )  # fmt: skip
    @settings(max_examples=200)
    def test_any_json_is_read_or_told(self, values, preset):
        layout = columns.layout(preset)
        headers = {column.field: column.header for column in layout.columns}
        named = {headers.get(name, name): value for name, value in values.items()}
        said = reading.read_row(layout, Row(2, named))
        code, _ = reading.identity(said.patch, COUNTY)
        assert code is None or isinstance(code, str)
        for base in (None, make_content()):
            reading.completed(said.patch, base, "x.json")

    def test_every_rule_finds_its_column(self):
        at = columns.layout("national-zh")
        for pointer, header in (
            ("/limits/promised_days", "承诺办结时限"),
            ("/elements/codes/basic", "基本编码"),
            ("/elements/codes", "基本编码"),
            ("/elements/places", "办事大厅名称"),
            ("/materials/0/code", "申请材料"),
            ("/elements/body/uscc", "实施主体编码"),
        ):
            column = at.find(pointer)
            assert column is not None
            assert column.header == header
