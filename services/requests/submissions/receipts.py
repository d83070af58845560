"""收件回执和材料接收单 as one PDF: what was handed in, which materials came and which are missing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.personal_data import Cipher
from services.requests.clock.rules import LOCAL
from services.requests.disclosures.rules import shown, sight_of
from services.requests.reference.service import Item, Reference
from services.requests.submissions import reading, repository, rules
from services.requests.submissions.lookups import lookup_code
from services.requests.submissions.standing import speaks_for

if TYPE_CHECKING:
    from servicekit.pdf import Document

_UNITS = {"working-days": "个工作日", "calendar-days": "日"}
_FORMS = {"electronic": "电子", "paper": "纸质"}
#: The note that 行政许可法 art. 32 wants: everything missing is told once.
_NOTE = "未交的材料由办理单位一次告知；补正以前，办理时限不起算。本回执不代表申请已经受理。"


async def receipt_document(
    session: AsyncSession,
    cipher: Cipher,
    reference: Reference,
    *,
    request_id: UUID,
    caller: Caller,
) -> "Document":
    """The receipt of a request for whoever may read it; the look-up code only for the applicant.

    The same request gives the same bytes as long as nothing was handed in since.

    Raises:
        RequestNotFound, WrongPerson, WrongRole, WrongDivision.
    """
    row = await reading.find_readable(session, request_id, caller)
    cases = await repository.list_cases_to_print(session, request_id)
    is_own = speaks_for(row, caller)
    person = shown(reading.person_of(cipher, row), sight_of(caller, is_own=is_own))
    # large, and few processes ever need it
    from servicekit.pdf import Document

    document = Document(
        "收件回执（材料接收单）", author="一窗综合受理", footer=f"申请编号 {row.number}"
    )
    fields = [
        ("申请编号", row.number),
        ("申请人", person.name),
        ("身份证号", person.identity_number),
        ("提交时间", row.submitted_at.astimezone(LOCAL).strftime("%Y年%m月%d日 %H:%M")),
        ("收件日", row.received_on.strftime("%Y年%m月%d日") if row.received_on else "待定"),
    ]
    if is_own:
        code = lookup_code(cipher, row.number)
        fields.append(("查询码", f"{code}（凭编号和查询码可以查进度，请勿告诉他人）"))
    document.fields(fields)
    for case in cases:
        document.heading(f"{case.item_name}（{case.case_number}）")
        limit = f"{case.promised_days}{_UNITS[case.promised_unit]}"
        due = case.due_on.strftime("%Y年%m月%d日") if case.due_on else "待定"
        document.fields(
            [("办理单位", case.unit_name or "待派单"), ("承诺时限", limit), ("承诺办结日", due)]
        )
        document.table(
            ("材料", "形式", "情况"),
            material_lines(reference.items.get(case.item_id), case.materials),
            widths=(3, 1, 1),
        )
    document.paragraph(_NOTE)
    if is_own:
        document.qr_code(f"{row.number} {code}", caption="申请编号和查询码")
    return document


def material_lines(item: Item | None, handed_in: Sequence[Any]) -> list[tuple[str, str, str]]:
    """A line for each material: received in which form, or missing."""
    wanted = item.state.materials if item else ()
    names = {material.code: material.name for material in wanted}
    lines = [
        (names.get(each["code"], each["code"]), _FORMS[each["form"]], "已收") for each in handed_in
    ]
    missing = rules.missing_materials(wanted, [each["code"] for each in handed_in])
    lines += [(material.name, "", "未交") for material in missing]
    return lines or [("本事项不需要材料", "", "")]
