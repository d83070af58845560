"""What is refused at the window: unknown, closed or distant items, and forms with faults."""

from datetime import date

from contracts.catalogue import BundleState
from contracts.values import division_covers
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound
from services.requests.reference.service import Item, Reference
from services.requests.submissions import rules
from services.requests.submissions.bundles import bundle_violations
from services.requests.submissions.schemas import RequestCreate
from services.requests.submissions.standing import may_use


class ItemUnknown(NotFound):
    code, title = "item-unknown", "没有这个事项"


class ItemNotOpen(Conflict):
    code, title = "item-not-open", "这个事项目前暂停或已取消办理"


class DivisionUnknown(Invalid):
    code, title = "division-unknown", "没有这个村（社区），请重新选择"


class ItemNotOffered(Invalid):
    code, title = "item-not-offered-here", "这个事项不在您所在的地方办理"


class FormInvalid(Invalid):
    code, title = "form-invalid", "表单填写有误，请按提示修改"


def find_open_item(reference: Reference, item_code: str, division_code: str) -> Item:
    """An item that may be applied for now, as the division has it.

    Raises:
        ItemUnknown, ItemNotOpen.
    """
    item = reference.find_item(item_code, division_code)
    if item is None:
        raise ItemUnknown(f"没有编码为 {item_code} 的事项")
    if not item.is_open:
        raise ItemNotOpen(f"{item.state.name}目前暂停或已取消办理")
    return item


def check(
    reference: Reference,
    body: RequestCreate,
    caller: Caller,
    today: date,
    bundle: BundleState | None = None,
) -> list[Item]:
    """Every item of an acceptable submission; all form violations at once."""
    if body.division_code not in reference.divisions:
        raise DivisionUnknown(f"没有区划代码 {body.division_code}")
    items = [find_open_item(reference, entry.item_code, body.division_code) for entry in body.items]
    violations = _people_violations(body, today)
    if bundle is not None:
        violations += [_violation(*each) for each in bundle_violations(bundle, body)]
    if not may_use(caller, body.channel):
        violations.append(_violation("/channel", "您不能从这个渠道提交", "channel"))
    for position, (item, entry) in enumerate(zip(items, body.items, strict=True)):
        state = item.state
        if not division_covers(state.division_code, body.division_code):
            raise ItemNotOffered(f"{state.name}不在您所在的地方办理")
        path = f"/items/{position}"
        if body.channel not in state.channels:
            violations.append(_violation("/channel", f"{state.name}不能从这个渠道办理", "channel"))
        violations += rules.form_violations(item.form, state.form, entry.answers, f"{path}/answers")
        handed_in = [material.code for material in entry.materials]
        violations += [
            _violation(f"{path}/materials", f"{state.name}不需要材料 {code}", "unknown-material")
            for code in rules.unknown_materials(state.materials, handed_in)
        ]
    if violations:
        raise FormInvalid(errors=violations)
    return items


def _people_violations(body: RequestCreate, today: date) -> list[dict[str, str]]:
    """What is wrong with the agent and their power, if there is one."""
    if body.agent is None:
        return []
    found, authority = [], body.agent.authority
    if body.agent.identity_number == body.applicant.identity_number:
        found.append(
            _violation("/agent/identity_number", "代理人与申请人是同一个人", "same-person")
        )
    if authority.valid_until is not None and authority.valid_until < today:
        found.append(_violation("/agent/authority/valid_until", "委托已经到期", "expired"))
    if authority.kind == "power-of-attorney" and not (authority.on_paper or authority.upload_ids):
        found.append(
            _violation("/agent/authority", "请附上委托书，或把纸质委托书交窗口查验", "missing")
        )
    return found


def _violation(path: str, message: str, kind: str) -> dict[str, str]:
    return {"path": path, "in": "body", "message": message, "type": kind}
