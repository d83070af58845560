"""Generated items for searches: combined from the words of real names, so more alike than those."""

import random
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from contracts.values import Channel
from servicekit.database import to_json
from services.catalogue.divisions import division_chain
from services.catalogue.search.documents import Document, flags_of
from services.catalogue.vocabulary import Audience
from services.catalogue.words import BORDER, spell
from tests.catalogue.factories import make_content


def _words(text: str) -> list[str]:
    return text.split()


AREAS = _words(
    "城乡 农村 社区 老年 残疾 困难 低保 特困 退役 军人 儿童 妇女 学生 职工 居民 村民 个体 企业 外来 流动"
)
SUBJECTS = _words(
    "医疗 养老 生育 失业 工伤 住房 教育 就业 创业 救助 护理 康复 培训 户籍 婚姻 土地 宅基地 公积金 居住证 社保卡"
)
THINGS = _words(
    "保险 补贴 津贴 待遇 登记 证明 关系 资格 费用 档案 信息 服务 贷款 许可 备案 认定 评估 调解 援助 预约"
)
ACTIONS = _words(
    "申请 办理 变更 注销 补办 换发 查询 转移 核定 发放 审核 提取 续办 终止 恢复 确认 异议 报销 领取 撤销"
)
SCENES = _words(
    "首次 跨省 跨市 异地 本地 年度 线上 上门 代办 联办 应急 集中 临时 长期 个人 家庭 集体 单位 委托 简易"
)
VILLAGE = "140802001005"


def generate(count: int, seed: int = 7) -> list[Document]:
    """Items of the village, its township, county, city and province, and of other counties."""
    dice = random.Random(seed)
    chain = division_chain(VILLAGE)
    elsewhere = [f"1408{number}000000" for number in range(21, 31)]
    spelled = {word: spell(word) for word in {*AREAS, *SUBJECTS, *THINGS, *ACTIONS, *SCENES}}
    documents = []
    for number in range(count):
        parts = [dice.choice(words) for words in (SCENES, AREAS, SUBJECTS, THINGS, ACTIONS)]
        more = [dice.choice(words) for words in (AREAS, SUBJECTS, THINGS)]
        aliases = [[dice.choice(SUBJECTS), dice.choice(ACTIONS)] for _ in range(3)]
        texts = [[*parts, *more], *aliases]
        name, *others = ("".join(text) for text in texts)
        division = dice.choice(chain) if dice.random() < 0.5 else dice.choice(elsewhere)
        documents.append(
            Document(
                item_id=UUID(int=number),
                division_code=division,
                name=name,
                aliases=tuple(others),
                summary=f"{parts[1]}的人可以{parts[4]}{parts[2]}{parts[3]}，在{more[0]}窗口或者网上交。",
                spelling=BORDER.join("".join(spelled[word] for word in text) for text in texts),
                flags=flags_of([*dice.sample(list(Channel), 4), *dice.sample(list(Audience), 2)]),
                shown={},
            )
        )
    return documents


async def store(dsn: str, documents: Iterable[Document]) -> None:
    """Write documents as published items into a migrated database of the catalogue."""
    base: dict[str, Any] = make_content()
    items, versions = [], []
    for document in documents:
        code = f"bench:{document.item_id.int}"
        head = (document.item_id, code, document.division_code, "published", 1, 1, 1)
        items.append((*head, document.name, base["supply_category"], base["department"]))
        content = base | {
            "name": document.name,
            "aliases": document.aliases,
            "summary": document.summary,
        }
        texts = (document.name, list(document.aliases), document.summary, document.spelling)
        versions.append(
            (
                document.item_id,
                1,
                to_json(content),
                b"",
                *texts,
                ["bench"],
                "bench",
                date(2026, 1, 1),
            )
        )
    connection = await asyncpg.connect(dsn)
    try:
        columns = "id item_code division_code status version current_version revision name"
        await connection.copy_records_to_table(
            "item", records=items, columns=[*columns.split(), "supply_category", "department"]
        )
        columns = (
            "item_id number content content_hash name aliases summary spelling authors approver"
        )
        await connection.copy_records_to_table(
            "item_version", records=versions, columns=[*columns.split(), "effective_on"]
        )
        await connection.execute("INSERT INTO catalogue_revision VALUES (1, 1)")
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
