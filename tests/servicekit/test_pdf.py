"""Documents: what is put in is what a reader finds, on every device."""

import io

from pypdf import PdfReader

from servicekit.pdf import Document


def text_of(document: Document) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(document.draw())).pages)


def receipt() -> Document:
    return (
        Document("受理通知书", author="盐湖区民政局", footer="编号 140802-261122-00017")
        .fields([("申请事项", "困难残疾人生活补贴"), ("承诺办结", "2026年12月7日")])
        .heading("收到的材料")
        .table(
            ["序号", "材料"], [["1", "残疾人证 <原件>"], ["2", "身份证 & 户口簿"]], widths=[1, 6]
        )
        .paragraph("请凭查询码查看进度。\n如有疑问，请拨打 0359-2022222。", size=16)
        .qr_code("https://example.org/q/140802-261122-00017", caption="扫码查询")
        .signature("盐湖区民政局", "2026年11月22日")
    )


def test_every_text_is_found_again():
    text = text_of(receipt())
    for expected in (
        "受理通知书", "困难残疾人生活补贴", "残疾人证 <原件>", "身份证 & 户口簿", "0359-2022222",
        "扫码查询", "2026年11月22日", "编号 140802-261122-00017", "第 1 页",
    ):  # fmt: skip
        assert expected in text


async def test_the_same_content_gives_the_same_bytes():
    first, second = await receipt().render(), receipt().draw()
    assert first == second
    assert receipt().paragraph("又及").draw() != first


def test_the_font_travels_with_the_document():
    drawn = receipt().draw()
    assert b"/FontFile2" in drawn
    assert len(drawn) < 200_000, "only the characters that were used"


def test_a_long_table_runs_over_pages_and_repeats_its_header():
    rows = [[str(number), "材料" * 30] for number in range(60)]
    reader = PdfReader(io.BytesIO(Document("清单").table(["序号", "名称"], rows).draw()))
    assert len(reader.pages) > 1
    assert all("序号" in page.extract_text() for page in reader.pages)


def test_a_character_no_font_has_is_marked_not_dropped():
    assert "王〓" in text_of(Document("收件").paragraph("王𠮷"))
