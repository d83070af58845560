"""Files of cases: handed in, taken over, corrected, opened, and by whom."""

from uuid import uuid4

import pytest

from services.requests.reference.consumers import keep_item
from tests.requests import factories
from tests.requests.conftest import deliver
from tests.requests.factories import ITEM_CODE, OFFICIAL_CODE, key, make_item, make_request
from tests.requests.test_submissions import assert_nothing_written
from tests.requests.uploading import EICAR_PDF, PDF, begin, png, upload
from tests.support.tokens import bearer, resident

ANSWERS = factories.ANSWERS


def item(code=ITEM_CODE, **material):
    materials = [{"code": "certificate", **material}] if material else []
    return {"item_code": code, "answers": ANSWERS, "materials": materials}


async def submit(service, headers, *items, **overrides):
    return await service.client.post(
        "/v1/requests", json=make_request(items=list(items), **overrides), headers=headers | key()
    )


async def handed_in(service, me):
    """A case with one file; the receipt's case, and the file."""
    upload_id = await upload(service, resident(me))
    answer = await submit(service, resident(me), item(upload_ids=[upload_id]))
    assert answer.status_code == 201, answer.text
    [case] = answer.json()["cases"]
    return case, (await files_of(service, case, resident(me)))[0]


async def files_of(service, case, headers):
    answer = await service.client.get(f"/v1/cases/{case['id']}/materials", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def open_file(service, file, headers, **body):
    return await service.client.post(
        f"/v1/materials/{file['id']}/links", json=body, headers=headers
    )


class TestHandingIn:
    async def test_a_file_belongs_to_its_material_and_is_not_forgotten(self, service):
        me = uuid4()
        case, file = await handed_in(service, me)
        assert case["materials_missing"] == []
        assert (file["code"], file["version"], file["origin"]) == ("certificate", 1, "submission")
        assert (file["file_name"], file["media_type"]) == ("身份证.pdf", "application/pdf")
        [row] = await service.fetch(
            "SELECT c.materials::text AS materials, u.expires_at FROM service_case c, material_upload u"
        )
        assert row["materials"] == '[{"code": "certificate", "form": "electronic"}]'
        assert row["expires_at"] is None

    async def test_one_file_serves_every_item_of_a_bundle(self, service):
        me = uuid4()
        upload_id = await upload(service, resident(me))
        answer = await submit(
            service,
            resident(me),
            item(upload_ids=[upload_id]),
            item(OFFICIAL_CODE, upload_ids=[upload_id]),
        )
        assert answer.status_code == 201
        assert await service.count("case_material") == 2
        assert await service.count("material_upload") == 1

    async def test_files_that_may_not_be_handed_in(self, service):
        me = uuid4()
        begun = (await begin(service, resident(me), len(PDF))).json()
        strangers = await upload(service, resident())
        infected = await upload(service, resident(me), EICAR_PDF)
        await service.fetch(
            "UPDATE material_upload SET scan = 'infected' WHERE id::text = $1 RETURNING id",
            infected,
        )
        expired = await upload(service, resident(me), png())
        await service.fetch(
            "UPDATE material_upload SET expires_at = now() WHERE id::text = $1 RETURNING id",
            expired,
        )
        for upload_id in (begun["id"], strangers, infected, expired, str(uuid4())):
            answer = await submit(service, resident(me), item(upload_ids=[upload_id]))
            assert (answer.status_code, answer.json()["code"]) == (422, "files-unusable")
            assert upload_id in answer.json()["errors"][0]["message"]
        await assert_nothing_written(service)
        assert await service.count("case_material") == 0

    async def test_a_batch_of_plain_ones_and_one_with_files(self, service):
        import asyncio

        me = uuid4()
        upload_id = await upload(service, resident(me))
        answers = await asyncio.gather(
            *(submit(service, resident(), item()) for _ in range(8)),
            submit(service, resident(me), item(upload_ids=[upload_id])),
        )
        assert {answer.status_code for answer in answers} == {201}
        assert await service.count("citizen_request") == 9
        assert await service.count("case_material") == 1


class TestTakingOver:
    async def test_with_consent_from_an_earlier_case(self, service):
        me = uuid4()
        _, file = await handed_in(service, me)
        listed = (await service.client.get("/v1/materials", headers=resident(me))).json()
        assert [entry["id"] for entry in listed["items"]] == [file["id"]]
        answer = await submit(service, resident(me), item(reuse=[file["id"]], consent=True))
        assert answer.status_code == 201
        [taken] = await files_of(service, answer.json()["cases"][0], resident(me))
        assert (taken["origin"], taken["sha256"]) == ("reuse", file["sha256"])
        [row] = await service.fetch("SELECT reused_from FROM case_material WHERE origin = 'reuse'")
        assert str(row["reused_from"]) == file["id"]
        assert await service.count("material_upload") == 1

    async def test_not_without_consent(self, service):
        me = uuid4()
        _, file = await handed_in(service, me)
        answer = await submit(service, resident(me), item(reuse=[file["id"]]))
        assert answer.status_code == 422
        assert await service.count("citizen_request") == 1

    async def test_not_of_another_person_or_account(self, service):
        me = uuid4()
        _, file = await handed_in(service, me)
        entry = item(reuse=[file["id"]], consent=True)
        other_account = await submit(service, resident(), entry)
        assert other_account.json()["code"] == "files-unusable"
        other = {"name": "李四", "identity_number": "110105198001010016", "mobile": "13700009061"}
        other_person = await submit(service, resident(me), entry, applicant=other)
        assert other_person.json()["code"] == "files-unusable"
        clerk = bearer("window-clerk", division="140802001000")
        at_the_window = await submit(service, clerk, entry, channel="window")
        assert at_the_window.status_code == 201
        assert (await service.client.get("/v1/materials", headers=clerk)).status_code == 403


class TestCorrecting:
    async def correct(self, service, case, me, **material):
        clerk = bearer("window-clerk")
        asked = await service.client.post(
            f"/v1/cases/{case['id']}/actions/request-correction",
            json={"missing": ["残疾人证（清晰）"]},
            headers=clerk | {"If-Match": '"1"'},
        )
        assert asked.status_code == 200, asked.text
        return await service.client.post(
            f"/v1/cases/{case['id']}/actions/answer-correction",
            json={"materials": [{"code": "certificate", **material}]},
            headers=resident(me) | {"If-Match": '"2"'},
        )

    async def test_a_correction_adds_a_version_and_removes_none(self, service):
        me = uuid4()
        case, _ = await handed_in(service, me)
        better = await upload(service, resident(me), png(), "清晰.png")
        answer = await self.correct(service, case, me, upload_ids=[better])
        assert answer.status_code == 200, answer.text
        files = await files_of(service, case, resident(me))
        assert [(file["version"], file["origin"], file["media_type"]) for file in files] == [
            (1, "submission", "application/pdf"),
            (2, "correction", "image/png"),
        ]

    async def test_a_strangers_file_leaves_the_case_as_it_was(self, service):
        me = uuid4()
        case, _ = await handed_in(service, me)
        answer = await self.correct(
            service, case, me, upload_ids=[await upload(service, resident())]
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "files-unusable")
        [row] = await service.fetch("SELECT state, version FROM service_case")
        assert (row["state"], row["version"]) == ("correcting", 2)


class TestOpening:
    async def test_the_applicant_needs_no_reason_and_staff_leave_one(self, service):
        me = uuid4()
        case, file = await handed_in(service, me)
        own = await open_file(service, file, resident(me))
        answer = await service.client.get(own.json()["url"])
        assert (answer.status_code, answer.content) == (200, PDF)
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"].startswith("attachment")
        handler = bearer("handler", unit=case["unit"]["code"], name="赵承办")
        without = await open_file(service, file, handler)
        assert (without.status_code, without.json()["code"]) == (422, "reason-required")
        opened = await open_file(service, file, handler, reason="审查残疾等级")
        assert (await service.client.get(opened.json()["url"])).content == PDF
        seen = (await service.client.get("/v1/data-accesses", headers=resident(me))).json()["items"]
        assert [(entry["viewer_name"], entry["reason"], entry["fields"]) for entry in seen] == [
            ("赵承办", "审查残疾等级", ["material:certificate"])
        ]

    async def test_nobody_else(self, service):
        case, file = await handed_in(service, uuid4())
        unit = case["unit"]["code"]
        for headers, status, code in (
            ({}, 401, "unauthenticated"),
            (resident(), 403, "wrong-person"),
            (bearer("editor"), 403, "wrong-role"),
            (bearer("auditor"), 403, "wrong-unit"),
            (bearer("village-agent", division=factories.VILLAGE), 403, "wrong-unit"),
            (bearer("handler", unit=unit.replace("civil-affairs", "health")), 403, "wrong-unit"),
            (bearer("window-clerk", division="140821000000"), 403, "wrong-division"),
        ):
            answer = await open_file(service, file, headers, reason="想看一看")
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await service.count("data_access") == 0
        for headers in (resident(), bearer("window-clerk", division="140821000000")):
            listed = await service.client.get(f"/v1/cases/{case['id']}/materials", headers=headers)
            assert listed.status_code == 403
        [masked] = await files_of(service, case, bearer("auditor"))
        assert masked["file_name"] is None

    @pytest.mark.parametrize(
        ("scan", "status", "code"),
        [("pending", 409, "file-not-scanned-yet"), ("infected", 410, "file-infected")],
    )
    async def test_what_is_not_safe_stays_closed(self, service, scan, status, code):
        me = uuid4()
        _, file = await handed_in(service, me)
        await service.fetch("UPDATE material_upload SET scan = $1 RETURNING id", scan)
        answer = await open_file(service, file, resident(me))
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_village_is_dispatched_nothing_that_was_not_admitted(service):
    code = "provisional:to-dispatch"
    await deliver(service, keep_item, make_item(item_code=code, department="no-such-department"))
    await service.fetch(
        "INSERT INTO unit (code, division_code, department, name, provisional) "
        "VALUES ($1, $2, 'village-committee', '中城社区', true) ON CONFLICT DO NOTHING RETURNING code",
        f"{factories.VILLAGE}:village-committee",
        factories.VILLAGE,
    )
    async with service.database.transaction() as session:
        from services.requests.reference.repository import bump

        await bump(session, "units")
    await service.app.state.reference.refresh()
    [case] = (await submit(service, resident(), item(code))).json()["cases"]
    answer = await service.client.post(
        f"/v1/cases/{case['id']}/actions/dispatch",
        json={"unit_code": f"{factories.VILLAGE}:village-committee"},
        headers=bearer("supervisor") | {"If-Match": '"1"'},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "village-may-not-receive")
    [row] = await service.fetch("SELECT unit_code, version FROM service_case")
    assert (row["unit_code"], row["version"]) == (None, 1)
