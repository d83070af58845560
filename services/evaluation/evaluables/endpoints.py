"""待评价: what the signed-in resident may rate."""

from uuid import UUID

from servicekit.app import create_router
from servicekit.auth import Resident
from servicekit.database import ReadSession
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.evaluation.dependencies import DataCipher
from services.evaluation.evaluables import service
from services.evaluation.evaluables.schemas import EvaluableRead

router = create_router("evaluables")


@router.get("/evaluables")
async def list_evaluables(
    caller: Resident,
    session: ReadSession,
    cipher: DataCipher,
    case_id: UUID | None = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[EvaluableRead]:
    """本人可以评价和已经评价的服务，可评价的在前。"""
    return await service.list_own(
        session, caller.account_id, case_id=case_id, after=after, limit=limit, cipher=cipher
    )
