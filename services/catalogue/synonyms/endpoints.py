"""Endpoints of synonyms."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response

from contracts.values import DivisionCode
from servicekit.app import create_router
from servicekit.auth import Caller, require
from servicekit.database import ReadSession
from servicekit.etags import ExpectedVersion, MaybeExpectedVersion, set_etag
from servicekit.idempotency import Session
from servicekit.paging import DEFAULT_LIMIT, After, Limit, Page
from services.catalogue.items.rules import APPROVER, EDITOR
from services.catalogue.synonyms import service
from services.catalogue.synonyms.schemas import SynonymPut, SynonymRead, Word

router = create_router("synonyms")

Editor = Annotated[Caller, Depends(require(EDITOR, APPROVER))]
OfDivision = Annotated[DivisionCode, Path(description="对这个区划和以下的居民有效")]
TheWord = Annotated[Word, Path(description="居民说的词")]


@router.get("/synonyms")
async def list_synonyms(
    session: ReadSession,
    division: Annotated[DivisionCode | None, Query(description="只列对它有效的")] = None,
    after: After = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[SynonymRead]:
    """俗称表：居民说的词，和目录里的词。"""
    rows, following = await service.list_page(session, division=division, after=after, limit=limit)
    return Page(items=[SynonymRead.model_validate(row) for row in rows], next=following)


@router.put("/synonyms/{division}/{word}", response_model=SynonymRead)
async def put_synonym(
    division: OfDivision,
    word: TheWord,
    body: SynonymPut,
    caller: Editor,
    expected: MaybeExpectedVersion,
    session: Session,
    response: Response,
) -> Any:
    """增加或者修改一个词；修改时带 If-Match。查询在一秒内生效。"""
    row = await service.put(
        session, caller, division=division, word=word, means=body.means, expected=expected
    )
    set_etag(response, row.version)
    return row


@router.delete("/synonyms/{division}/{word}", status_code=204)
async def delete_synonym(
    division: OfDivision,
    word: TheWord,
    caller: Editor,
    expected: ExpectedVersion,
    session: Session,
) -> Response:
    """删去一个词。"""
    await service.drop(session, caller, division=division, word=word, expected=expected)
    return Response(status_code=204)
