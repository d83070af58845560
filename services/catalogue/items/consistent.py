"""Whether an item may be kept as it is: its own rules, and those of the entry it is based on."""

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.errors import Invalid
from services.catalogue.basics import service as basics
from services.catalogue.items import rules
from services.catalogue.items.content import ItemContent


class ItemInconsistent(Invalid):
    code, title = "item-inconsistent", "事项内容前后不一致，请按提示逐条修改"


async def ensure(
    session: AsyncSession, item_code: str, content: ItemContent, division_code: str
) -> None:
    """Refuse an item that contradicts itself or its entry in the basic catalogue.

    Raises:
        ItemInconsistent: every violation is listed.
    """
    found = rules.violations(item_code, content, division_code)
    code = content.elements.codes.basic if content.elements else None
    if code is not None:
        entries = await basics.find_in_use(session, [code], division_code)
        if code in entries:
            found += rules.unified_violations(content, entries[code])
    if found:
        raise ItemInconsistent(errors=[violation.as_error() for violation in found])
