"""Lists take as many statements for many rows as for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import event

from tests.evaluation.factories import finish_case, handler, supervisor
from tests.support.service import RunningService
from tests.support.tokens import resident

ACCOUNT = uuid4()


@contextmanager
def statements(service: RunningService) -> Iterator[list[str]]:
    """Everything the service asks its database meanwhile, nudges of the relay apart."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_):
        if not statement.startswith("NOTIFY"):
            seen.append(statement)

    engine = service.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("path", "headers", "most"),
    [
        ("/v1/evaluables", resident(ACCOUNT), 2),
        ("/v1/ratings", handler(), 3),
        ("/v1/rectifications", supervisor(), 2),
        ("/v1/scores?kind=item", {}, 3),
    ],
)
async def test_no_list_asks_row_by_row(evaluation, path, headers, most):
    for _ in range(5):
        case = await finish_case(evaluation, applicant_id=ACCOUNT)
        await case.rate("dissatisfied", tags=["213"])
    with statements(evaluation) as seen:
        answer = await evaluation.client.get(path, headers=headers)
    assert len(answer.json()["items"]) == 5
    assert len(seen) <= most, seen
