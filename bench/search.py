"""Time to search 100 000 generated items, one query at a time: `python -m bench.search`.

Names are combined from the words of real ones, so they are more alike, and their lists longer, than
those of a real catalogue. Prints milliseconds at the median and the 99th percentile by kind of query,
without HTTP; every query is answered for a resident of one village with and without filters.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median, quantiles
from uuid import UUID

from contracts.values import Channel
from services.catalogue.divisions import division_chain
from services.catalogue.search.documents import EVERYWHERE, Document, Scope, flags_of
from services.catalogue.search.queries import Query
from services.catalogue.search.snapshot import Snapshot
from services.catalogue.vocabulary import Audience
from services.catalogue.words import BORDER, spell


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
SECONDS = 2.0


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


def queries(dice: random.Random, documents: list[Document]) -> Iterator[tuple[str, str]]:
    """What people type, by kind."""
    name = dice.choice(documents).name
    at = dice.randrange(len(name) - 4)
    yield "one character", name[at]
    yield "two characters", name[at : at + 2]
    yield "three characters", name[at : at + 3]
    yield "four characters", name[at : at + 4]
    yield "two words", f"{dice.choice(AREAS)}{dice.choice(ACTIONS)}"
    yield "pinyin", spell(name[at : at + 2]).lower()
    yield "initials", "".join(spell(each)[0] for each in name[at : at + 3]).lower()
    yield "nothing alike", "潜水艇驾驶"
    yield "one wrong character", name[at : at + 2] + "錯" + name[at + 3 : at + 5]


def measure(search: Callable[[str], object], typed: list[str]) -> tuple[float, float]:
    """Milliseconds at the median and the 99th percentile."""
    times = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        for each in typed:
            started = time.perf_counter()
            search(each)
            times.append((time.perf_counter() - started) * 1000)
    return median(times), quantiles(times, n=100)[98]


def search(snapshot: Snapshot, scope: Scope, text: str) -> None:
    snapshot.search(Query.parse(text), scope=scope, limit=20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    count = parser.parse_args().items
    documents = generate(count)
    started = time.perf_counter()
    snapshot = Snapshot.build(documents, revision=1, weight_of=lambda item_id: item_id.int % 97)
    print(f"{count} items, index built in {time.perf_counter() - started:.1f} s")
    village = Scope(frozenset(division_chain(VILLAGE)))
    portal = Scope(village.divisions, flags_of([Channel.portal, Audience.elderly]))
    dice = random.Random(1)
    typed: dict[str, list[str]] = {}
    for _ in range(100):
        for kind, text in queries(dice, documents):
            typed.setdefault(kind, []).append(text)
    print(f"{'top 20, milliseconds':24}{'everywhere':>16}{'village':>16}{'+ 2 filters':>16}")
    for kind, texts in typed.items():
        cells = ""
        for scope in (EVERYWHERE, village, portal):
            p50, p99 = measure(partial(search, snapshot, scope), texts)
            cells += f"{f'{p50:.2f} / {p99:.2f}':>16}"
        print(f"{kind:24}{cells}")


if __name__ == "__main__":
    main()
