"""No staff-facing answer tells who rated, for which case, when, or any number in their words."""

import json
import re

from servicekit.personal_data import Cipher, rotate
from services.evaluation.definition import SERVICE
from services.evaluation.free_text import RATING_TEXT, STEP_NOTE
from tests.evaluation.factories import ITEM_NAME, Matter, finish_case, handler, supervisor

NUMBERS = ("14080219900307123X", "13800138000", "0359-2061234", "conan@163.com")
TEXT = "我的身份证14080219900307123X，电话13800138000或0359-2061234，conan@163.com，窗口态度不好"
AGAIN = "还是不行，打13800138000"


def assert_tells_nothing(answer, case):
    assert answer.status_code == 200, answer.text
    shown = json.dumps(answer.json(), ensure_ascii=False)
    event = case.event
    for secret in (
        *NUMBERS,
        str(event.applicant_id),
        str(event.case_id),
        event.case_number,
        str(event.request_id),
        event.request_number,
        event.division_code,
        case.evaluable_id,
    ):
        assert secret not in shown, secret
    assert "窗口态度不好" in shown or "text" not in shown


async def test_staff_see_what_was_rated_and_nothing_of_whom(evaluation):
    case = await finish_case(evaluation)
    given = (await case.rate("dissatisfied", text=TEXT, tags=["214"])).json()
    matter = Matter(evaluation, case, given["rectification"]["id"], handler())
    people = (handler(), supervisor())
    paths = (
        "/v1/ratings",
        f"/v1/ratings/{given['id']}",
        "/v1/rectifications",
        f"/v1/rectifications/{matter.id}",
    )

    async def look():
        for path in paths:
            for headers in people:
                answer = await evaluation.client.get(path, headers=headers)
                assert_tells_nothing(answer, case)
                assert ITEM_NAME in answer.text
                assert answer.headers.get("etag", '"1"').strip('"').isdigit()

    await look()
    for action, body in (
        ("verify", {"note": "情况属实"}),
        ("fix-now", {"note": "已批评教育"}),
        ("reply", {"reply": "已对当事人批评教育。"}),
    ):
        assert_tells_nothing(await matter.act(action, body), case)
    assert_tells_nothing(await matter.call_back(reached=False), case)
    await case.again("very-dissatisfied", text=AGAIN)
    await look()


async def test_the_moment_of_a_rating_is_a_day(evaluation):
    case = await finish_case(evaluation)
    given = (await case.rate("dissatisfied")).json()
    rating = (await evaluation.client.get("/v1/ratings", headers=handler())).json()["items"][0]
    assert given["given_at"][:16] not in json.dumps(rating)
    assert not re.search(r"\d\d:\d\d", json.dumps(rating))
    # Random ids: a time-ordered one would carry the moment to the millisecond.
    assert given["id"][14] == "4"
    assert given["rectification"]["id"][14] == "4"


async def test_problems_and_events_carry_no_words_of_the_resident(evaluation):
    case = await finish_case(evaluation)
    refused = await case.rate("satisfied", text=TEXT, tags=["999"])
    assert refused.status_code == 422
    await case.rate("dissatisfied", text=TEXT)
    told = json.dumps([refused.json(), await evaluation.events()], ensure_ascii=False)
    for number in (*NUMBERS, "窗口态度不好"):
        assert number not in told


async def test_nothing_of_it_is_stored_in_the_clear(evaluation):
    """Neither words nor notes, not even in the answers kept for repeats."""
    case = await finish_case(evaluation)
    given = await case.rate(
        "dissatisfied", text=TEXT, headers=case.headers | {"Idempotency-Key": "rate"}
    )
    matter = Matter(evaluation, case, given.json()["rectification"]["id"], handler())
    noting = matter.handler | {"Idempotency-Key": "note"}
    answer = await matter.act("verify", {"note": "张大山反映属实"}, headers=noting)
    assert answer.status_code == 200
    tables = await evaluation.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 10
    for table in tables:
        rows = await evaluation.fetch(f'SELECT * FROM "{table["tablename"]}"')
        stored = "".join(
            value.decode() if isinstance(value, bytes) and name == "body" else str(value)
            for row in rows
            for name, value in row.items()
        )
        for words in (*NUMBERS, "窗口态度不好", "张大山"):
            assert words not in stored, (table["tablename"], words)


async def test_words_survive_a_rotation_of_keys(evaluation):
    case = await finish_case(evaluation)
    given = (await case.rate("dissatisfied", text=TEXT)).json()
    matter = Matter(evaluation, case, given["rectification"]["id"], handler())
    await matter.act("verify", {"note": "情况属实"})
    before = evaluation.settings
    keys = {**before.data_key_bytes, "newer": b"n" * 32}
    newer = Cipher(keys, "newer", before.blind_index_bytes)
    for column in (RATING_TEXT, STEP_NOTE):
        assert column in SERVICE.encrypted
        async with evaluation.database.transaction() as session:
            filled = column in (RATING_TEXT, STEP_NOTE)
            assert len(await rotate(session, newer, column)) == int(filled)
    old, evaluation.app.state.cipher = evaluation.app.state.cipher, newer
    try:
        shown = (await matter.read()).json()
        own = await evaluation.client.get(f"/v1/ratings/{given['id']}", headers=case.headers)
    finally:
        evaluation.app.state.cipher = old
    assert shown["history"][0]["note"] == "情况属实"
    assert own.json()["text"] == TEXT
