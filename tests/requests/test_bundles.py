"""高效办成一件事: one application held against the local copy of its bundle."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from contracts.catalogue import BundlePublished, BundleRetired
from services.requests.reference.consumers import keep_bundle, keep_item
from tests.requests.conftest import deliver
from tests.requests.factories import VILLAGE, make_item, make_request
from tests.requests.test_parties import submit
from tests.requests.test_submissions import assert_nothing_written
from tests.support.tokens import resident

CODE = "provisional:newborn"


def form(*names: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {name: {"title": name, "type": "string"} for name in names},
        "required": list(names),
        "additionalProperties": False,
    }


def certificate(code: str) -> dict[str, str]:
    return {"code": code, "name": "出生医学证明", "necessity": "required"}


BIRTH = make_item(
    item_code="provisional:birth", name="生育登记", form=form("child", "phone"),
    materials=[certificate("birth-certificate")],
)  # fmt: skip
INSURANCE = make_item(
    item_code="provisional:insurance", name="新生儿参保", form=form("child"),
    materials=[certificate("proof-of-birth"), {"code": "photo", "name": "照片", "necessity": "optional"}],
)  # fmt: skip
SUBSIDY = make_item(
    item_code="provisional:subsidy", name="生育补贴", form=form("child"), materials=[]
)


def bundle(kind=BundlePublished, **changes):
    items = [
        {"item_id": item.item_id, "item_code": item.item_code, "name": item.name, "stage": 1}
        for item in (BIRTH, INSURANCE, SUBSIDY)
    ]
    needs = [
        {"item_id": BIRTH.item_id, "material_code": "birth-certificate"},
        {"item_id": INSURANCE.item_id, "material_code": "proof-of-birth"},
    ]
    values = {
        "bundle_id": "019aac10-5c00-7a31-9d52-0c6c2f7b1b01", "bundle_code": CODE, "version": 3,
        "name": "新生儿出生一件事", "summary": "一次办完", "division_code": "140800000000",
        "theme": None, "channels": ["portal", "mini-program", "window"], "items": items,
        "materials": [
            {"code": "birth", "name": "出生医学证明", "necessity": "required", "needed_by": needs}
        ],
        "questions": [
            {
                "code": "poor", "text": "是否低保家庭",
                "options": [{"code": "yes", "text": "是"}, {"code": "no", "text": "否"}],
            }
        ],
        "rules": [
            {
                "item_id": SUBSIDY.item_id, "because": "低保家庭",
                "when": [{"question": "poor", "any_of": ["yes"]}],
            }
        ],
        "shared_fields": ["child"], "provisional": True, "effective_on": date(2026, 1, 1),
        "revision": 7, "recorded_at": datetime.now(UTC),
    }  # fmt: skip
    return kind.model_validate(values | changes)


def body(*items, poor="no", **changes) -> dict[str, Any]:
    asked = {
        "code": CODE, "chosen": {"poor": poor}, "shared": {"child": "王小小"},
        "materials": [{"code": "birth", "form": "paper"}],
    }  # fmt: skip
    chosen = items or (BIRTH, INSURANCE)
    entries = [
        {"item_code": item.item_code, "answers": {"phone": "无"} if item is BIRTH else {}}
        for item in chosen
    ]
    return {"items": entries, "bundle": asked | changes}


@pytest.fixture
async def offered(service):
    for item in (BIRTH, INSURANCE, SUBSIDY):
        await deliver(service, keep_item, item)
    await deliver(service, keep_bundle, bundle())
    return service


async def refused(service, **request):
    answer = await submit(service, resident(), **request)
    await assert_nothing_written(service)
    assert await service.count("request_bundle") == 0
    problem = answer.json()
    return answer.status_code, problem["code"], {each["type"] for each in problem.get("errors", ())}


class TestBundles:
    async def test_said_and_handed_in_once_it_serves_every_item(self, offered):
        me = uuid4()
        answer = await submit(offered, resident(me), **body())
        assert answer.status_code == 201, answer.text
        assert [case["materials_missing"] for case in answer.json()["cases"]] == [[], []]
        rows = await offered.fetch(
            "SELECT item_code, materials FROM service_case ORDER BY item_code"
        )
        assert [(row["item_code"], row["materials"]) for row in rows] == [
            (BIRTH.item_code, '[{"code": "birth-certificate", "form": "paper"}]'),
            (INSURANCE.item_code, '[{"code": "proof-of-birth", "form": "paper"}]'),
        ]
        read = await offered.client.get(f"/v1/requests/{answer.json()['id']}", headers=resident(me))
        assert read.json()["bundle_code"] == CODE
        [kept] = await offered.fetch("SELECT bundle_code, version FROM request_bundle")
        assert (kept["bundle_code"], kept["version"]) == (CODE, 3)

    async def test_the_answers_decide_which_items(self, offered):
        assert (
            await submit(offered, resident(), **body(BIRTH, INSURANCE, SUBSIDY, poor="yes"))
        ).status_code == 201

    @pytest.mark.parametrize(
        ("request_body", "kind"),
        [
            (body(BIRTH), "missing-item"),
            (body(poor="yes"), "missing-item"),
            (body(BIRTH, INSURANCE, SUBSIDY), "not-applicable"),
            (body(BIRTH, INSURANCE, BIRTH), "twice"),
            (body(chosen={}), "undecided"),
            (body(poor="perhaps"), "unknown-option"),
            (body(materials=[{"code": "photo"}]), "unknown-material"),
            (body(shared={"child": "王小小", "phone": "无"}), "unknown-field"),
            (body(shared={}), "required"),
        ],
    )
    async def test_what_is_not_the_bundle(self, offered, request_body, kind):
        status, code, kinds = await refused(offered, **request_body)
        assert (status, code) == (422, "form-invalid")
        assert kind in kinds

    async def test_items_of_others(self, offered):
        request_body = body()
        request_body["items"].append(make_request()["items"][0])
        assert "unknown-item" in (await refused(offered, **request_body))[2]

    async def test_closed_unknown_and_elsewhere(self, offered):
        assert (await refused(offered, **body(code="provisional:none")))[:2] == (
            404,
            "bundle-unknown",
        )
        elsewhere = bundle(revision=8, division_code="140821000000")
        await deliver(offered, keep_bundle, elsewhere)
        assert (await refused(offered, **body()))[:2] == (422, "bundle-not-offered-here")
        await deliver(offered, keep_bundle, bundle(revision=9, effective_on=date(2999, 1, 1)))
        assert (await refused(offered, **body()))[:2] == (409, "bundle-not-open")
        await deliver(offered, keep_bundle, bundle(BundleRetired, revision=10, reason="合并"))
        assert (await refused(offered, **body()))[:2] == (409, "bundle-not-open")
        # An older state that comes late changes nothing.
        await deliver(offered, keep_bundle, bundle())
        assert (await refused(offered, **body()))[:2] == (409, "bundle-not-open")

    async def test_a_repeat_and_a_race_write_it_once(self, offered):
        headers = resident() | {"Idempotency-Key": "bundle"}
        request_body = make_request(division_code=VILLAGE, **body())
        answers = await asyncio.gather(
            *(
                offered.client.post("/v1/requests", json=request_body, headers=headers)
                for _ in range(4)
            )
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert await offered.count("request_bundle") == 1
        assert await offered.count("service_case") == 2
