"""What of an act only the database and the reference data can tell: units, colleagues, materials."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid
from services.requests.cases import acts, repository
from services.requests.cases.effects import Dossier
from services.requests.reference.service import Reference
from services.requests.triage.service import ensure_may_receive

#: Days of an extension. Source: 行政许可法 art. 42: ten, fifteen when several organs decide together.
EXTENSION_ALONE, EXTENSION_TOGETHER = 10, 15

#: 0 出证办结, 1 退回办结. Source: result codes as Guangdong and others use them.
ISSUED, RETURNED = 0, 1


class UnitUnknown(Invalid):
    code, title = "unit-unknown", "没有这个办理单位"


class SameUnit(Invalid):
    code, title = "same-unit", "办件已经在这个单位"


class NotAColleague(Invalid):
    code, title = "not-a-colleague", "这个人不在办理单位，不能移交"


class ExtensionTooLong(Invalid):
    code, title = "extension-too-long", "延期不能超过规定的天数"


class NotDeferrable(Invalid):
    code, title = "material-not-deferrable", "这份材料不能容缺后补"


class NotDeferred(Invalid):
    code, title = "material-not-deferred", "这些材料都不在容缺后补之列"


class ResultContradicts(Conflict):
    code, title = (
        "result-contradicts-decision",
        "办结结果与决定不一致：准予的不能退回办结，不予的不能出证办结",
    )


class NothingToPay(Conflict):
    code, title = "nothing-to-pay", "这个事项不收费，不能登记缴费"


class PaymentRecorded(Conflict):
    code, title = "payment-recorded-already", "这张票据已经登记过"


def ensure_possible(reference: Reference, dossier: Dossier, body: Any) -> None:
    """Refuse an act whose body names what is not there.

    Raises:
        UnitUnknown, SameUnit, VillageMayNotReceive, ExtensionTooLong, NotDeferrable, NotDeferred,
        ResultContradicts, NothingToPay, PaymentRecorded.
    """
    case = dossier.case
    match body:
        case acts.Dispatch() | acts.Transfer():
            _ensure_other_units(reference, [body.unit_code], case)
        case acts.Consult():
            _ensure_other_units(reference, body.unit_codes, case)
        case acts.Extend():
            limit = EXTENSION_TOGETHER if dossier.opinions else EXTENSION_ALONE
            if body.days > limit:
                raise ExtensionTooLong(f"延期不能超过 {limit} 日")
        case acts.Accept():
            _ensure_deferrable(reference, case, body)
        case acts.HandIn():
            codes = {each.material_code for each in dossier.outstanding}
            if codes.isdisjoint(material.code for material in body.materials):
                raise NotDeferred
        case acts.Complete():
            _ensure_as_decided(case, body)
        case acts.RecordPayment():
            _ensure_payable(reference, dossier, body)
        case _:
            pass


def _ensure_other_units(reference: Reference, codes: list[str], case: Any) -> None:
    item = reference.items.get(case.item_id)
    for code in codes:
        if code not in reference.units:
            raise UnitUnknown(f"没有单位 {code}")
        if code == case.unit_code:
            raise SameUnit
        ensure_may_receive(reference, item.state if item else None, code)


def _ensure_deferrable(reference: Reference, case: Any, body: acts.Accept) -> None:
    item = reference.items.get(case.item_id)
    materials = item.state.materials if item else ()
    allowed = {material.code for material in materials if material.necessity == "deferrable"}
    for each in body.deferred:
        if each.material_code not in allowed:
            raise NotDeferrable(f"{each.what}不能容缺后补")


def _ensure_as_decided(case: Any, body: acts.Complete) -> None:
    if body.result_code == (RETURNED if case.granted else ISSUED):
        raise ResultContradicts


def _ensure_payable(reference: Reference, dossier: Dossier, body: acts.RecordPayment) -> None:
    item = reference.items.get(dossier.case.item_id)
    # States of items told before fees were say nothing of them; there the receipt decides.
    if item is not None and item.state.fee is not None and not item.state.fee.charged:
        raise NothingToPay
    if body.receipt_number in {payment.receipt_number for payment in dossier.payments}:
        raise PaymentRecorded


async def colleague_of(session: AsyncSession, case: Any, caller: Caller, body: Any) -> str | None:
    """The name of whom a case is handed over to; None for any other act.

    Raises:
        NotAColleague: nobody like that was seen at work in the unit.
    """
    if not isinstance(body, acts.HandOver):
        return None
    units = [code for code in (case.unit_code, caller.unit) if code]
    name = await repository.find_member_name(session, units, body.account_id)
    if name is None:
        raise NotAColleague
    return name
