"""Archives: sealed, held against their seal, exported, kept for a term, destroyed with proof."""

import io
import json
import zipfile
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.requests.archives import rules
from services.requests.archives.service import seal
from services.requests.cases import timers
from services.requests.materials.erasing import erase
from tests.requests import factories
from tests.requests.cases import Case
from tests.requests.test_materials import item, submit
from tests.requests.test_uploads import stored
from tests.requests.uploading import PDF, upload
from tests.support.tokens import bearer, resident

OPERATOR = bearer("operator", division="140000000000")


class TestRules:
    def test_the_closest_rule_counts(self):
        kept = {"*": 10, "task-type:05": 30, "item:a": None}
        assert rules.term_of(kept, "a", "05") == rules.Term("item:a", None)
        assert rules.term_of(kept, "b", "05") == rules.Term("task-type:05", 30)
        assert rules.term_of(kept, "b", "20") == rules.Term("*", 10)
        assert rules.term_of({}, "b", "20") == rules.Term("default", rules.DEFAULT_YEARS)

    def test_a_term_counts_from_the_new_year_after_the_end(self):
        assert rules.retain_until(date(2026, 1, 2), 10) == date(2036, 12, 31)
        assert rules.retain_until(date(2026, 12, 31), 10) == date(2036, 12, 31)
        assert rules.retain_until(date(2026, 1, 2), None) is None

    @settings(max_examples=30)
    @given(
        st.dictionaries(st.text(max_size=5), st.integers(0, 9) | st.text(max_size=5), max_size=6)
    )
    def test_the_order_of_keys_changes_no_digest_and_any_value_does(self, value):
        turned = dict(reversed(list(value.items())))
        assert rules.digest_of(turned) == rules.digest_of(value)
        assert rules.digest_of({**value, "more": None}) != rules.digest_of(value)


async def archived(service, *, with_file=True, closed_on: date | None = None, about="") -> Case:
    """A case that was completed, archived and sealed."""
    me = uuid4()
    files = {"upload_ids": [await upload(service, resident(me))]} if with_file else {}
    answer = await submit(service, resident(me), item(**files))
    case = Case(service, me, answer.json())
    await case.done(case.clerk, "accept")
    if about:
        pause = {"procedure": "appraisal", "reason": about, "expected_days": 3}
        await case.done(case.handler, "pause", **pause)
        order = f"/v1/cases/{case.id}/supervision-orders"
        await service.client.post(order, json={"what": about}, headers=case.supervisor)
        await case.done(case.handler, "resume", outcome=about)
    await case.done(case.handler, "decide", granted=True)
    await case.done(case.handler, "complete", result_code=0)
    if closed_on is not None:
        await service.fetch(
            "UPDATE service_case SET completed_on = $1 WHERE id = $2 RETURNING id",
            closed_on,
            case.id,
        )
    await case.fire(timers.archive)
    assert await service.count("timer") >= 1
    await case.fire(partial(seal, service.app.state.cipher))
    return case


async def archive_of(case, who=None):
    answer = await case.service.client.get(
        f"/v1/cases/{case.id}/archive", headers=who or case.supervisor
    )
    return answer.json() | {"http": answer.status_code}


class TestSealing:
    async def test_archiving_asks_for_a_seal_and_a_seal_is_made_once(self, service):
        case = await archived(service)
        rows = await service.fetch("SELECT subject_id FROM timer WHERE kind = 'archive-seal'")
        assert [str(row["subject_id"]) for row in rows] == [case.id]
        await case.fire(partial(seal, service.app.state.cipher))
        assert await service.count("case_archive") == 1
        archive = await archive_of(case)
        assert (archive["sequence"], archive["condition"], archive["changed"]) == (1, "intact", [])
        assert archive["retention"] == "default"
        year = datetime.now(UTC).year + rules.DEFAULT_YEARS
        assert archive["retain_until"] == f"{year}-12-31"
        for part in ("record", "person", "history", "materials", "documents"):
            assert len(archive["parts"][part]) == 64

    async def test_a_case_that_is_not_archived_has_none(self, service):
        me = uuid4()
        case = Case(service, me, (await submit(service, resident(me), item())).json())
        await case.fire(partial(seal, service.app.state.cipher))
        assert (await archive_of(case))["code"] == "archive-not-found"

    @pytest.mark.parametrize(
        ("change", "part"),
        [
            (
                "UPDATE case_history SET note = '改过' WHERE version = 2 RETURNING version",
                "history",
            ),
            ("UPDATE service_case SET granted = false RETURNING id", "record"),
            ("UPDATE material_upload SET sha256 = 'x' RETURNING id", "materials"),
            (
                'UPDATE case_archive SET manifest = manifest || \'{"case_number": "1"}\' RETURNING 1',
                "manifest",
            ),
        ],
    )
    async def test_every_change_shows(self, service, change, part):
        case = await archived(service)
        await service.fetch(change)
        archive = await archive_of(case)
        assert (archive["condition"], archive["changed"]) == ("changed", [part])

    async def test_a_change_of_the_person_shows_and_a_rotation_of_keys_does_not(self, service):
        case, cipher = await archived(service), service.app.state.cipher
        name = "citizen_request.applicant_name"
        for value, changed in (("王大友", []), ("王小友", ["person"])):
            await service.fetch(
                "UPDATE citizen_request SET applicant_name = $1 RETURNING id",
                cipher.encrypt(value, name),
            )
            assert (await archive_of(case))["changed"] == changed

    async def test_who_may_see_it(self, service):
        case = await archived(service, with_file=False)
        assert (await archive_of(case, case.applicant))["http"] == 200
        assert (await archive_of(case, bearer("auditor")))["http"] == 200
        for who, code in (
            (resident(), "wrong-person"),
            (bearer("supervisor", division="140821000000"), "wrong-division"),
            (bearer("editor"), "wrong-role"),
        ):
            assert (await archive_of(case, who))["code"] == code


class TestExport:
    async def export(self, case, who, **body):
        return await case.service.client.post(
            f"/v1/cases/{case.id}/archive/exports", json=body, headers=who
        )

    async def test_holds_everything_with_its_digest(self, service):
        case = await archived(service)
        answer = await self.export(case, case.applicant)
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            entries = {name: bundle.read(name) for name in bundle.namelist()}
        manifest = json.loads(entries.pop("manifest.json"))
        assert manifest["files"] == {n: sha256(c).hexdigest() for n, c in entries.items()}
        assert entries["materials/certificate-v1-0.pdf"] == PDF
        assert json.loads(entries["person.json"])["answers"] == factories.ANSWERS
        assert [step["action"] for step in json.loads(entries["history.json"])][:2] == [
            "submit",
            "accept",
        ]
        assert manifest["seal"]["condition"] == "intact"

    async def test_staff_leave_a_reason_and_others_get_nothing(self, service):
        case = await archived(service)
        assert (await self.export(case, case.handler)).json()["code"] == "reason-required"
        assert (await self.export(case, case.handler, reason="移交档案馆")).status_code == 200
        seen = await service.client.get("/v1/data-accesses", headers=case.applicant)
        assert [(row["fields"], row["reason"]) for row in seen.json()["items"]] == [
            (["export"], "移交档案馆")
        ]
        for who, code in (
            (resident(), "wrong-person"),
            (bearer("auditor"), "wrong-unit"),
            (bearer("handler", unit="140802000000:health"), "wrong-unit"),
            (bearer("supervisor", division="140821000000"), "wrong-division"),
        ):
            assert (await self.export(case, who, reason="看一看吧")).json()["code"] == code


class TestTerms:
    async def put(self, service, scope, who=OPERATOR, **body):
        values = {"years": 10, "source": "县档案局批复"} | body
        return await service.client.put(f"/v1/retention-rules/{scope}", json=values, headers=who)

    async def test_recorded_and_used_by_the_next_seal(self, service):
        assert (await self.put(service, f"item:{factories.ITEM_CODE}")).headers["etag"] == '"1"'
        again = await self.put(service, f"item:{factories.ITEM_CODE}", years=None)
        assert (again.headers["etag"], again.json()["years"]) == ('"2"', None)
        archive = await archive_of(await archived(service, with_file=False))
        assert (archive["retention"], archive["retain_until"]) == (
            f"item:{factories.ITEM_CODE}",
            None,
        )
        listed = (await service.client.get("/v1/retention-rules", headers=resident())).json()
        assert [rule["scope"] for rule in listed["items"]] == [f"item:{factories.ITEM_CODE}"]

    async def test_refusals(self, service):
        assert (await self.put(service, "*", bearer("supervisor"))).json()["code"] == "wrong-role"
        assert (await self.put(service, "*", years=0)).status_code == 422
        assert (await self.put(service, "everything")).status_code == 422
        assert await service.count("retention_rule") == 0


class TestDestruction:
    OLD = date(1990, 5, 1)

    async def propose(self, service, who=None, **body):
        values = {"division_code": "140802000000", "basis": "保管期满，经鉴定无保存价值"} | body
        return await service.client.post(
            "/v1/archive-destructions", json=values, headers=who or bearer("supervisor")
        )

    async def decide(self, service, proposal, verb, who=None, version=1):
        return await service.client.post(
            f"/v1/archive-destructions/{proposal['id']}/{verb}",
            headers=(who or bearer("supervisor")) | {"If-Match": f'"{version}"'},
        )

    async def test_what_was_destroyed_is_gone_and_proven(self, service):
        case = await archived(service, closed_on=self.OLD, about="王大友的鉴定")
        kept = await archived(service)
        proposal = (await self.propose(service)).json()
        assert [archive["case_id"] for archive in proposal["archives"]] == [case.id]
        done = (await self.decide(service, proposal, "approve")).json()
        assert done["state"] == "done"
        assert len(done["proof"]) == 64
        archive = await archive_of(case)
        assert (archive["condition"], archive["digest"]) == (
            "destroyed",
            proposal["archives"][0]["digest"],
        )
        assert (await archive_of(kept))["condition"] == "intact"
        [row] = await service.fetch(
            "SELECT r.applicant_name, c.answers FROM service_case c JOIN citizen_request r "
            "ON r.id = c.request_id WHERE c.id = $1",
            case.id,
        )
        cipher = service.app.state.cipher
        assert cipher.decrypt(row["applicant_name"], "citizen_request.applicant_name") == "已销毁"
        assert cipher.decrypt(row["answers"], "service_case.answers") == "{}"
        [file] = await service.fetch(
            "SELECT u.id, u.content_key FROM material_upload u JOIN case_material m "
            "ON m.upload_id = u.id WHERE m.case_id = $1",
            case.id,
        )
        assert file["content_key"] is None
        written = await service.fetch(
            "SELECT p.reason, o.what, o.reply FROM case_pause p JOIN supervision_order o "
            "ON o.case_id = p.case_id WHERE p.case_id = $1",
            case.id,
        )
        assert [tuple(each) for each in written] == [("", "", None)]
        [name] = await service.fetch(
            "SELECT file_name FROM material_upload WHERE id = $1", file["id"]
        )
        assert cipher.decrypt(name["file_name"], "material_upload.file_name") == "已销毁"
        rows = await service.fetch("SELECT subject_id FROM timer WHERE kind = 'file-erase'")
        assert [row["subject_id"] for row in rows] == [file["id"]]
        async with service.database.transaction() as session:
            await erase(service.app.state.files, session, file["id"])
        assert not [path for path in stored(service) if str(file["id"]) in str(path)]

    async def test_a_file_another_case_still_needs_stays(self, service):
        case = await archived(service, closed_on=self.OLD)
        me = case.applicant
        [file] = (await service.client.get(f"/v1/cases/{case.id}/materials", headers=me)).json()[
            "items"
        ]
        again = await submit(service, me, item(reuse=[file["id"]], consent=True))
        assert again.status_code == 201
        proposal = (await self.propose(service)).json()
        assert (await self.decide(service, proposal, "approve")).status_code == 200
        [row] = await service.fetch("SELECT content_key FROM material_upload")
        assert row["content_key"] is not None

    async def test_never_by_one_person_alone_nor_twice(self, service):
        await archived(service, with_file=False, closed_on=self.OLD)
        me = bearer("supervisor", account_id=uuid4())
        proposal = (await self.propose(service, me)).json()
        assert (await self.propose(service)).json()["code"] == "nothing-expired"
        assert (await self.decide(service, proposal, "approve", me)).json()["code"] == "same-person"
        stale = await self.decide(service, proposal, "approve", version=2)
        assert stale.json()["code"] == "stale-version"
        rejected = await self.decide(service, proposal, "reject")
        assert rejected.json()["state"] == "rejected"
        again = await self.decide(service, proposal, "approve", version=2)
        assert again.json()["code"] == "decided-already"
        [row] = await service.fetch("SELECT destroyed_at FROM case_archive")
        assert row["destroyed_at"] is None

    async def test_a_case_that_was_opened_again_stays(self, service):
        case = await archived(service, with_file=False, closed_on=self.OLD)
        proposal = (await self.propose(service)).json()
        await service.fetch("UPDATE service_case SET version = version + 1 RETURNING id")
        answer = await self.decide(service, proposal, "approve")
        assert (answer.status_code, answer.json()["code"]) == (409, "no-longer-expired")
        assert (await archive_of(case))["condition"] == "reopened"

    async def test_who_may(self, service):
        await archived(service, with_file=False, closed_on=self.OLD)
        for who, code in (
            (resident(), "wrong-role"),
            (bearer("operator"), "wrong-role"),
            (bearer("supervisor", division="140821000000"), "wrong-division"),
        ):
            assert (await self.propose(service, who)).json()["code"] == code
        assert await service.count("archive_destruction") == 0
        proposal = (await self.propose(service)).json()
        far = bearer("supervisor", division="140821000000")
        assert (await self.decide(service, proposal, "approve", far)).json()["code"] == (
            "wrong-division"
        )
        path = f"/v1/archive-destructions/{proposal['id']}"
        assert (await service.client.get(path, headers=bearer("auditor"))).status_code == 200
        assert (await service.client.get(path, headers=far)).status_code == 403
        listed = await service.client.get("/v1/archive-destructions", headers=bearer("auditor"))
        assert [entry["id"] for entry in listed.json()["items"]] == [proposal["id"]]


async def test_the_worker_has_what_seals_and_erases(service):
    from services.requests.worker import create_worker

    handlers = create_worker(service.settings).timers
    assert {"archive-seal", "file-erase", "draft-expiry"} <= handlers.keys()
    case = await archived(service, with_file=False)
    await service.fetch("DELETE FROM case_archive RETURNING case_id")
    async with service.database.transaction() as session:
        await handlers["archive-seal"](session, UUID(case.id))
    assert await service.count("case_archive") == 1
