"""Whatever staff can read, exports too, says nothing of who rated: every GET of the API is walked."""

import base64
import json
from datetime import timedelta
from uuid import UUID, uuid4

from servicekit.outbox import now
from services.evaluation.calendar.rules import local_day
from services.evaluation.integrity import scanning
from tests.evaluation.factories import (
    COUNTY,
    OTHER_UNIT,
    UNIT,
    deliver,
    finish_case,
    handler,
    open_matter,
    submitted,
    supervisor,
)
from tests.support.tokens import bearer

TODAY = local_day(now())
PHONE, DEVICE = "13800138000", "telephone-of-this-resident"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 32).decode()
ROLES = (
    "window-clerk",
    "township-officer",
    "village-agent",
    "handler",
    "supervisor",
    "statistician",
    "auditor",
    "operator",
    "county-admitter",
)
#: What a GET needs to answer; a path nobody filled in here is walked with something unknown.
QUERY = {
    "unit": UNIT,
    "division": COUNTY,
    "first": str(TODAY - timedelta(days=30)),
    "last": str(TODAY),
    "kind": "unit",
    "year": str(TODAY.year),
    "month": str(TODAY.replace(day=1)),
}


async def everything(evaluation):
    """A resident's ratings with all that can become of them; what points to the resident."""
    matter = await open_matter(evaluation, window_code="3", handler_id=uuid4())
    case, event = matter.case, matter.case.event
    await deliver(evaluation, submitted(event))
    headers = case.headers | {"X-Device-Id": DEVICE}
    for row in await evaluation.fetch("SELECT id FROM evaluable WHERE service_number = 2"):
        await case.rate(
            "satisfied",
            evaluable_id=str(row["id"]),
            text=f"窗口要求我给好评，电话{PHONE}",
            headers=headers,
        )
    raised = await evaluation.client.post(
        f"/v1/rectifications/{matter.id}/disputes",
        json={"ground": "mistaken", "statement": "居民评错了单位"},
        headers=matter.handler | {"If-Match": '"1"'},
    )
    evidence = await evaluation.client.post(
        f"/v1/disputes/{raised.json()['id']}/evidence",
        json={"content": PNG},
        headers=matter.handler,
    )
    changed = await finish_case(evaluation, applicant_id=event.applicant_id)
    given = (await changed.rate("fairly-satisfied", text=f"打{PHONE}", headers=headers)).json()
    await evaluation.client.post(
        f"/v1/ratings/{given['id']}/correction",
        json={"level": "satisfied", "text": f"再打{PHONE}"},
        headers=changed.headers,
    )
    await evaluation.client.post(
        "/v1/assisted-ratings",
        json={
            "case_number": (await finish_case(evaluation)).event.case_number,
            "level": "satisfied",
            "phone": PHONE,
            "call_reference": "12345-1",
        },
        headers=supervisor(COUNTY, unit=OTHER_UNIT),
    )
    cipher, later = evaluation.app.state.cipher, now() + timedelta(seconds=5)
    await scanning.scan_some(cipher, evaluation.database, before=later)
    secrets = {PHONE, DEVICE, str(event.applicant_id), event.request_number}
    for table in ("case_copy", "evaluable"):
        for row in await evaluation.fetch(f"SELECT * FROM {table}"):
            secrets |= {str(row["case_id"]), str(row["applicant_id"])}
            secrets |= {str(row["id"])} if table == "evaluable" else set()
            secrets |= (
                {row["case_number"], str(row["request_id"])} if table == "case_copy" else set()
            )
    [flag] = await evaluation.fetch("SELECT id FROM integrity_flag LIMIT 1")
    known = {
        "rating_id": given["id"],
        "rectification_id": matter.id,
        "dispute_id": raised.json()["id"],
        "attachment_id": evidence.json()["id"],
        "flag_id": str(flag["id"]),
        "division_code": COUNTY,
        "kind": "unit",
        "subject_id": UNIT,
    }
    return secrets, known


def filled(path, known):
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", value)
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + str(UUID(int=7)) + path[end + 1 :]
    return path


async def test_no_path_tells_staff_who_rated(evaluation):
    secrets, known = await everything(evaluation)
    paths = evaluation.app.openapi()["paths"]
    answered = set()
    for role in ROLES:
        headers = bearer(role, division=COUNTY, unit=UNIT, department="disabled-federation")
        for template, methods in paths.items():
            if "get" not in methods:
                continue
            asked = {each["name"] for each in methods["get"].get("parameters", [])}
            query = {name: value for name, value in QUERY.items() if name in asked}
            answer = await evaluation.client.get(
                filled(template, known), params=query, headers=headers
            )
            assert answer.status_code < 500, (template, answer.text)
            text = answer.text + json.dumps(dict(answer.headers))
            for secret in secrets:
                assert secret not in text, (role, template, secret)
            if answer.status_code == 200:
                answered.add(template)
    # What must have been looked at, or the walk has found nothing because it saw nothing.
    assert answered >= {
        "/v1/ratings",
        "/v1/ratings/table.csv",
        "/v1/ratings/{rating_id}",
        "/v1/ratings/{rating_id}/history",
        "/v1/rectifications",
        "/v1/rectifications/call-backs",
        "/v1/rectifications/{rectification_id}",
        "/v1/disputes",
        "/v1/disputes/{dispute_id}",
        "/v1/disputes/{dispute_id}/evidence/{attachment_id}",
        "/v1/integrity-flags",
        "/v1/scores",
        "/v1/scores/{kind}/{subject_id}",
    }


async def test_the_export_is_the_list_and_only_of_the_period(evaluation):
    case = await finish_case(evaluation)
    await case.rate("dissatisfied", text=f"=1+1 打{PHONE}", tags=["213"])
    path = f"/v1/ratings/table.csv?first={TODAY}&last={TODAY + timedelta(days=1)}"
    answer = await evaluation.client.get(path, headers=handler())
    assert answer.headers["content-type"].startswith("text/csv")
    header, row = answer.content.decode("utf-8-sig").splitlines()
    assert header.startswith("评价日期,等级")
    assert "窗口人员业务不熟练" in row
    assert PHONE not in row
    assert ",=1+1" not in row  # no spreadsheet takes it for a formula
    other = await evaluation.client.get(path, headers=handler(OTHER_UNIT))
    assert len(other.content.decode("utf-8-sig").splitlines()) == 1
    past = "/v1/ratings/table.csv?first=2020-01-01&last=2020-02-01"
    empty = await evaluation.client.get(past, headers=handler())
    assert len(empty.content.decode("utf-8-sig").splitlines()) == 1
    long = "/v1/ratings/table.csv?first=2020-01-01&last=2026-01-01"
    refused = await evaluation.client.get(long, headers=handler())
    assert (refused.status_code, refused.json()["code"]) == (422, "export-period-invalid")
    assert (await evaluation.client.get(path, headers=case.headers)).status_code == 403
