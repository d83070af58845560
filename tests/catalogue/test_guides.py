"""The guide to an item: one document, in full or in plain words, with an ETag, and on paper."""

import io
from uuid import uuid4

import pytest
from pypdf import PdfReader

from services.catalogue.guides import service
from services.catalogue.guides.service import draw
from tests.catalogue.factories import IMPLEMENTATION, make_elements, make_material

SITUATION = {
    "key": "who",
    "question": "谁来办？",
    "choices": [{"key": "self", "name": "本人"}, {"key": "agent", "name": "代办人"}],
}
LETTER = make_material(
    code="letter", name="委托书", necessity="required", source="applicant", when=["agent"]
)


@pytest.fixture
async def item_id(people):
    return await people.publish(
        item_code=IMPLEMENTATION,
        elements=make_elements(),
        situations=[SITUATION],
        materials=[make_material(), LETTER],
    )


@pytest.fixture
def read(catalogue):
    async def read(item_id, *, pdf=False, headers=None, **parameters):
        path = f"/v1/items/{item_id}/guide" + (".pdf" if pdf else "")
        return await catalogue.client.get(path, params=parameters, headers=headers or {})

    return read


def lines_of(guide) -> dict[str, list[str]]:
    return {each["heading"]: each["lines"] for each in guide["sections"]}


class TestGuide:
    async def test_it_says_what_is_published_and_nothing_empty(self, read, item_id):
        guide = (await read(item_id)).json()
        lines = lines_of(guide)
        assert guide["title"] == "困难残疾人生活补贴"
        assert lines["办理时限"] == ["承诺：10 个工作日内办结", "法定：30 个工作日"]
        assert lines["监督投诉"] == ["12345"]
        assert lines["办理流程"][0] == "1. 受理"
        assert "复议和诉讼" not in lines
        assert [each["name"] for each in guide["materials"]] == ["残疾人证", "委托书"]

    async def test_elder_mode_says_the_same_in_plain_words(self, read, item_id):
        guide = (await read(item_id, mode="elder")).json()
        lines = lines_of(guide)
        assert lines["带什么"][0] == "残疾人证：不用带，工作人员在网上查"
        assert lines["要跑几趟"] == ["一趟都不用跑"]
        assert lines["要不要钱"] == ["不要钱"]
        assert lines["不明白问谁"] == ["打电话 0359-4022222"]
        assert lines["走不动怎么办"] == ["可以请代办员上门帮您办"]
        assert max(len(line) for each in lines.values() for line in each) < 60

    async def test_the_situation_decides_on_the_materials(self, read, item_id):
        own = (await read(item_id, situation="self")).json()
        assert [each["name"] for each in own["materials"]] == ["残疾人证"]
        assert [c["chosen"] for c in own["situations"][0]["choices"]] == [True, False]
        agent = (await read(item_id, situation="agent", mode="elder")).json()
        assert "委托书：要带" in lines_of(agent)["带什么"]
        wrong = await read(item_id, situation="nobody")
        assert (wrong.status_code, wrong.json()["choices"]) == (422, ["agent", "self"])

    async def test_it_is_sent_once_until_it_changes(self, people, read, item_id):
        first = await read(item_id)
        assert first.headers["cache-control"] == "public, max-age=60"
        tag = {"If-None-Match": first.headers["etag"]}
        assert (await read(item_id, headers=tag)).status_code == 304
        assert (await read(item_id, headers=tag, mode="elder")).status_code == 200
        await people.act(item_id, "pause", reason="系统检修")
        paused = await read(item_id, headers=tag)
        assert (paused.status_code, paused.json()["status_text"]) == (200, "暂停办理：系统检修")

    async def test_only_of_what_was_published(self, people, read):
        draft = await people.draft(item_code="77777777")
        for item_id in (draft, uuid4()):
            for pdf in (False, True):
                assert (await read(item_id, pdf=pdf)).status_code == 404
        assert (await read(draft, mode="loud")).status_code == 422


class TestPaper:
    async def test_it_can_be_printed_and_is_drawn_once(self, read, item_id):
        first = await read(item_id, pdf=True)
        assert first.headers["content-type"] == "application/pdf"
        assert "attachment" in first.headers["content-disposition"]
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(first.content)).pages)
        for words in ("困难残疾人生活补贴", "申请材料", "委托书", "0359-4022222"):
            assert words in text.replace("\n", "")
        again = await read(item_id, pdf=True)
        assert again.content == first.content
        tag = {"If-None-Match": first.headers["etag"]}
        assert (await read(item_id, pdf=True, headers=tag)).status_code == 304
        elder = await read(item_id, pdf=True, mode="elder")
        assert elder.content != first.content

    async def test_the_code_on_it_leads_back(self, catalogue, item_id):
        async with catalogue.database.reading() as session:
            guide = await service.get(
                session, item_id, mode="full", chosen=(), public_url="https://county.example/"
            )
        assert guide.address == f"https://county.example/v1/items/{item_id}/guide"
        assert len(draw(guide).draw()) > len(draw(guide.model_copy(update={"address": ""})).draw())
