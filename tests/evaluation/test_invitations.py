"""Rating without signing in: tokens, codes, devices, telephone, paper; and everything forged."""

import asyncio
import base64
import zlib
from datetime import date, datetime, timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from servicekit.outbox import now
from servicekit.personal_data import Cipher
from services.evaluation import proofs
from services.evaluation.calendar.rules import local_day
from services.evaluation.invitations.drawing import modules
from services.evaluation.invitations.rules import MOST_FAILURES, WINDOW, after_failure, is_closed
from services.evaluation.proofs import Claim, Kind
from tests.evaluation.factories import (
    COUNTY,
    OTHER_UNIT,
    UNIT,
    VILLAGE,
    assert_equal_to_a_recount,
    finish_case,
    handler,
    supervisor,
)
from tests.support.tokens import bearer, resident

CIPHER = Cipher({"k": b"k" * 32}, "k", b"i" * 32)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 32).decode()
TOWNSHIP = "140802001000"
HOTLINE = f"{COUNTY}:administrative-approval"


def clerk(division=TOWNSHIP, unit=None, **claims):
    unit = unit or f"{division}:one-window"
    return bearer("window-clerk", division=division, unit=unit, **claims)


def hotline(**claims):
    return supervisor(COUNTY, unit=HOTLINE, **claims)


async def issue(case, headers=None, **values):
    body = {"case_number": case.event.case_number} | values
    return await case.service.client.post(
        "/v1/invitations", json=body, headers=headers or handler()
    )


async def rate(evaluation, proof, level="satisfied", headers=None, **values):
    body = {"proof": proof, "level": level} | values
    return await evaluation.client.post("/v1/open-ratings", json=body, headers=headers)


async def invited(evaluation, **values):
    case = await finish_case(evaluation)
    answer = await issue(case, **values)
    assert answer.status_code == 201, answer.text
    return case, answer.json()


def by_code(case, code):
    return {"case_number": case.event.case_number, "code": code}


class TestProofs:
    @given(st.uuids(), st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(0, 47))
    @settings(max_examples=60)
    def test_a_changed_token_is_no_token(self, invitation_id, day, place):
        token = proofs.invitation_token(CIPHER, invitation_id, day)
        assert proofs.verify(CIPHER, Kind.invitation, token) == Claim(
            invitation_id, day.toordinal()
        )
        other = "A" if token[place] != "A" else "B"
        forged = token[:place] + other + token[place + 1 :]
        assert proofs.verify(CIPHER, Kind.invitation, forged) is None
        assert proofs.verify(CIPHER, Kind.device, token) is None
        stranger = Cipher({"k": b"k" * 32}, "k", b"j" * 32)
        assert proofs.verify(stranger, Kind.invitation, token) is None

    @given(st.uuids(), st.uuids())
    @settings(max_examples=40)
    def test_codes_are_of_one_service(self, one, other):
        code = proofs.look_up_code(CIPHER, one)
        assert len(code) == 8
        assert set(code) <= set(proofs.ALPHABET)
        assert proofs.is_code(CIPHER, one, f" {code[:4]}-{code[4:]} ".lower())
        assert one == other or not proofs.is_code(CIPHER, other, code)

    @given(st.lists(st.integers(0, 5_000), max_size=12))
    @settings(max_examples=40)
    def test_guesses_are_counted_by_the_hour(self, waits):
        moment, attempts = now(), None
        recent: list[datetime] = []
        for seconds in waits:
            moment += timedelta(seconds=seconds)
            if is_closed(attempts, moment):
                assert len([at for at in recent if moment - at < WINDOW]) >= MOST_FAILURES
                continue
            attempts = after_failure(attempts, moment)
            recent.append(moment)
        assert attempts is None or attempts.failures <= MOST_FAILURES


class TestTokens:
    async def test_rates_once_in_the_channel_it_was_made_for(self, evaluation):
        case, given = await invited(evaluation, channel="sms")
        assert given["token"] in given["link"]
        assert given["code"] in given["sms_text"]
        seen = await evaluation.client.post(
            "/v1/open-ratings/look-up", json={"token": given["token"]}
        )
        assert seen.json()["service_name"] == "办结"
        assert str(case.event.applicant_id) not in seen.text
        answers = await asyncio.gather(
            *(rate(evaluation, {"token": given["token"]}) for _ in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["code"] == "invitation-used"
        [row] = await evaluation.fetch("SELECT channel, seconds_after FROM rating")
        assert row["channel"] == "sms"
        assert row["seconds_after"] >= 0

    async def test_forged_expired_and_malformed(self, evaluation):
        case, given = await invited(evaluation)
        cipher = evaluation.app.state.cipher
        past = proofs.invitation_token(cipher, uuid4(), date(2026, 1, 1))
        unknown = proofs.invitation_token(cipher, uuid4(), local_day(now()))
        token = given["token"]
        for forged, status, code in (
            (token[:-2] + ("AA" if not token.endswith("AA") else "BB"), 403, "invitation-invalid"),
            ("x" * 48, 403, "invitation-invalid"),
            ("评" * 20, 403, "invitation-invalid"),
            (unknown, 403, "invitation-invalid"),
            (past, 410, "invitation-expired"),
        ):
            answer = await rate(evaluation, {"token": forged})
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        for proof in ({}, {"token": token, **by_code(case, given["code"])}):
            assert (await rate(evaluation, proof)).status_code == 422
        other_level = await rate(evaluation, {"token": token}, tags=["213"])
        assert other_level.json()["code"] == "tag-of-other-level"
        assert await evaluation.count("rating") == 0
        # None of it used the token up.
        assert (await rate(evaluation, {"token": token})).status_code == 201

    async def test_only_who_serves_the_resident_issues_it(self, evaluation):
        case = await finish_case(evaluation)
        for headers, status in (
            (handler(OTHER_UNIT), 403),
            (clerk("140803001000"), 403),
            (supervisor(), 403),
            (resident(case.event.applicant_id), 403),
            ({}, 401),
        ):
            answer = await issue(case, headers or {"X": "y"})
            assert answer.status_code == status
        assert await evaluation.count("invitation") == 0
        assert (await issue(case, clerk())).status_code == 201
        none = await issue(case, case_number="NO-SUCH-CASE")
        assert (none.status_code, none.json()["code"]) == (404, "service-not-open")
        early = await issue(case, service_number=4)
        assert early.json()["code"] == "service-not-open"

    async def test_does_not_tell_staff_whether_it_was_rated(self, evaluation):
        case, before = await invited(evaluation)
        await case.rate("dissatisfied")
        after = (await issue(case)).json()
        changing = {"token", "link", "sms_text"}
        assert {name: before[name] for name in before.keys() - changing} == {
            name: after[name] for name in after.keys() - changing
        }
        answer = await rate(evaluation, {"token": after["token"]})
        assert (answer.status_code, answer.json()["code"]) == (409, "rating-already-given")
        rated, used = await invited(evaluation)
        told = await self._all_that_staff_can_ask(evaluation, rated, used)
        bad = await rate(evaluation, {"token": used["token"]}, level="very-dissatisfied", tags=[])
        assert bad.status_code == 201, bad.text
        assert await self._all_that_staff_can_ask(evaluation, rated, used) == told
        closed = await finish_case(evaluation)
        await evaluation.fetch("UPDATE evaluable SET open_until = '2026-01-01'")
        late = (await issue(closed)).json()
        refused = await rate(evaluation, {"token": late["token"]})
        assert (refused.status_code, refused.json()["code"]) == (410, "evaluation-closed")

    @staticmethod
    async def _all_that_staff_can_ask(evaluation, case, given):
        """Answers to whoever handed the proof out, of which none uses it up."""
        proof, ask = {"token": given["token"]}, evaluation.client.post
        drawn = await ask("/v1/invitations/qr", json=proof, headers=handler())
        seen = await ask("/v1/open-ratings/look-up", json=proof)
        probed = await rate(evaluation, proof, tags=["213"])
        again = await rate(evaluation, proof, assess_number=2)
        by_its_code = await rate(evaluation, by_code(case, given["code"]), assess_number=2)
        return [
            (drawn.status_code, drawn.content),
            (seen.status_code, seen.json()),
            *((each.status_code, each.json()["code"]) for each in (probed, again, by_its_code)),
        ]

    async def test_drawn_in_three_formats(self, evaluation):
        _, given = await invited(evaluation)
        drawn = {}
        for name in ("svg", "png", "pdf"):
            answer = await evaluation.client.post(
                "/v1/invitations/qr",
                json={"token": given["token"], "format": name},
                headers=handler(),
            )
            assert answer.status_code == 200, answer.text
            drawn[name] = answer.content
        assert drawn["svg"].startswith(b"<svg ")
        text = PdfReader(BytesIO(drawn["pdf"])).pages[0].extract_text()
        assert given["code"] in text
        squares = modules(given["link"])
        assert _pixels(drawn["png"]) == squares
        refused = await evaluation.client.post(
            "/v1/invitations/qr", json={"token": given["token"]}, headers=handler(OTHER_UNIT)
        )
        assert refused.status_code == 403


def _pixels(png: bytes) -> list[list[bool]]:
    """Read the squares back out of a PNG: one bit grey, eight pixels a square."""
    side = int.from_bytes(png[16:20], "big")
    start = png.index(b"IDAT")
    length = int.from_bytes(png[start - 4 : start], "big")
    lines = zlib.decompress(png[start + 4 : start + 4 + length])
    width = side // 8 + 1
    rows = [lines[y * width + 1 : (y + 1) * width] for y in range(0, side, 8)]
    return [[byte == 0 for byte in row] for row in rows]


class TestCodes:
    async def test_number_and_code_rate_and_wrong_ones_close_the_number(self, evaluation):
        case, given = await invited(evaluation)
        own = await evaluation.client.get("/v1/evaluables", headers=case.headers)
        assert own.json()["items"][0]["code"] == given["code"]
        for _ in range(MOST_FAILURES):
            answer = await rate(evaluation, by_code(case, "AAAAAAAA"))
            assert (answer.status_code, answer.json()["code"]) == (403, "code-wrong")
        right = await rate(evaluation, by_code(case, given["code"]))
        assert (right.status_code, right.json()["code"]) == (429, "too-many-codes")
        assert await evaluation.count("rating") == 0
        await evaluation.fetch(
            "UPDATE code_attempts SET counted_from = counted_from - interval '1 hour'"
        )
        spelled = f"{given['code'][:4]}-{given['code'][4:].lower()}"
        answer = await rate(evaluation, by_code(case, spelled), channel="mini-program")
        assert answer.status_code == 201, answer.text

    async def test_no_case_looks_like_a_wrong_code(self, evaluation):
        case = await finish_case(evaluation)
        hide = {"instance": None}
        wrong = (await rate(evaluation, by_code(case, "AAAAAAAA"))).json()
        none = (await rate(evaluation, {"case_number": "NO-SUCH-CASE", "code": "AAAAAAAA"})).json()
        assert wrong | hide == none | hide

    async def test_a_bad_rating_by_code_is_worked_on(self, evaluation):
        case, given = await invited(evaluation)
        answer = await rate(
            evaluation, by_code(case, given["code"]), "dissatisfied", text="打13800138000"
        )
        assert answer.json()["rectification"]["id"]
        listed = await evaluation.client.get("/v1/ratings", headers=handler())
        assert "13800138000" not in listed.text


class TestDevices:
    async def register(self, evaluation, headers=None, **values):
        body = {"kind": "window", "name": "3号窗口评价器", "unit_code": UNIT, "window_code": "3"}
        return await evaluation.client.post(
            "/v1/rating-devices", json=body | values, headers=headers or supervisor()
        )

    async def prompt(self, evaluation, token):
        return await evaluation.client.get(
            "/v1/rating-devices/prompt", headers={"X-Device-Token": token}
        )

    @pytest.mark.parametrize("kind", ["window", "self-service-terminal"])
    async def test_pushed_shown_rated_gone(self, evaluation, kind):
        device = (await self.register(evaluation, kind=kind)).json()
        assert (await self.prompt(evaluation, device["token"])).json() is None
        case, _ = await invited(evaluation, device_id=device["id"])
        shown = await self.prompt(evaluation, device["token"])
        assert shown.json()["opened"]["item_name"]
        assert case.event.case_number not in shown.text
        answer = await rate(evaluation, {"token": shown.json()["token"]}, "very-satisfied")
        assert (answer.status_code, answer.json()["channel"]) == (201, kind)
        assert (await self.prompt(evaluation, device["token"])).json() is None

    async def test_what_is_rated_at_a_window_counts_for_it_and_its_place(self, evaluation):
        place, other = str(uuid4()), str(uuid4())
        device = (await self.register(evaluation, facility_id=place)).json()
        _, given = await invited(evaluation, device_id=device["id"])
        await rate(evaluation, {"token": given["token"]}, "dissatisfied")
        # A window that only took the case in lends its place, not its number.
        lent = (await self.register(evaluation, unit_code=OTHER_UNIT, facility_id=other)).json()
        second = await finish_case(evaluation)
        at_window = clerk(COUNTY, OTHER_UNIT)
        given = (await issue(second, at_window, device_id=lent["id"])).json()
        await rate(evaluation, {"token": given["token"]})
        rows = await evaluation.fetch(
            "SELECT subject_kind, subject_id, rated FROM score "
            "WHERE subject_kind IN ('window', 'facility')"
        )
        assert {(row["subject_kind"], row["subject_id"]): row["rated"] for row in rows} == {
            ("window", f"{UNIT}:3"): 1,
            ("facility", place): 1,
            ("facility", other): 1,
        }
        kept = await evaluation.fetch("SELECT window_code FROM rating ORDER BY window_code")
        assert [row["window_code"] for row in kept] == ["3", None]

    async def test_tokens_renewed_and_retired(self, evaluation):
        device = (await self.register(evaluation)).json()
        path = f"/v1/rating-devices/{device['id']}"
        newer = await evaluation.client.post(f"{path}/token", headers=supervisor())
        old = await self.prompt(evaluation, device["token"])
        assert (old.status_code, old.json()["code"]) == (403, "device-token-invalid")
        assert (await self.prompt(evaluation, newer.json()["token"])).status_code == 200
        retired = await evaluation.client.delete(path, headers=supervisor())
        assert retired.json()["is_retired"] is True
        assert (await self.prompt(evaluation, newer.json()["token"])).status_code == 403
        case = await finish_case(evaluation)
        unusable = await issue(case, device_id=device["id"])
        assert (unusable.status_code, unusable.json()["code"]) == (409, "device-not-usable")
        listed = await evaluation.client.get("/v1/rating-devices", headers=handler())
        assert [item["id"] for item in listed.json()["items"]] == [device["id"]]
        assert "token" not in listed.json()["items"][0]

    async def test_who_may_not(self, evaluation):
        for headers in (handler(), supervisor("140803000000"), resident()):
            assert (await self.register(evaluation, headers)).status_code == 403
        assert await evaluation.count("rating_device") == 0
        device = (await self.register(evaluation)).json()
        elsewhere = supervisor("140803000000")
        path = f"/v1/rating-devices/{device['id']}"
        assert (await evaluation.client.delete(path, headers=elsewhere)).status_code == 403
        case = await finish_case(evaluation, unit_code=OTHER_UNIT)
        other = await issue(case, handler(OTHER_UNIT), device_id=device["id"])
        assert other.json()["code"] == "device-not-usable"


class TestTelephone:
    async def call(self, case, headers=None, **values):
        body = {
            "case_number": case.event.case_number,
            "level": "fairly-satisfied",
            "phone": "13800138000",
            "call_reference": "12345-0001",
        }
        return await case.service.client.post(
            "/v1/assisted-ratings", json=body | values, headers=headers or hotline()
        )

    async def test_typed_in_by_another_unit(self, evaluation):
        case = await finish_case(evaluation)
        keyed = hotline() | {"Idempotency-Key": "call-1"}
        first, second = await self.call(case, keyed), await self.call(case, keyed)
        assert (first.status_code, second.content) == (201, first.content)
        [row] = await evaluation.fetch("SELECT * FROM rating")
        assert (row["channel"], row["entered_unit"]) == ("telephone", HOTLINE)
        assert len(row["phone_hash"]) == 32
        assert str(row["id"]) not in first.text

    async def test_refusals(self, evaluation):
        case = await finish_case(evaluation)
        for headers, status, code in (
            (supervisor(COUNTY, unit=UNIT), 403, "entered-by-rated-unit"),
            (supervisor(COUNTY), 403, "entered-by-rated-unit"),
            (supervisor("140803000000", unit=HOTLINE), 403, "wrong-division"),
            (handler(OTHER_UNIT), 403, "wrong-role"),
            (resident(), 403, "wrong-role"),
        ):
            answer = await self.call(case, headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await self.call(case, phone="123")).status_code == 422
        assert await evaluation.count("rating") == 0


class TestPaper:
    async def enter(self, evaluation, rows, headers=None, scan=PNG):
        return await evaluation.client.post(
            "/v1/rating-batches",
            json={"scan": {"content": scan}, "rows": rows},
            headers=headers or clerk(),
        )

    async def test_each_form_by_itself_and_the_scan_once(self, evaluation):
        good, rated = [await finish_case(evaluation, division_code=VILLAGE) for _ in range(2)]
        await rated.rate("satisfied")
        rows = [
            {"case_number": good.event.case_number, "level": "dissatisfied", "tags": ["213"]},
            {"case_number": rated.event.case_number, "level": "satisfied"},
            {"case_number": "NO-SUCH-CASE", "level": "satisfied"},
        ]
        answer = await self.enter(evaluation, rows)
        assert answer.status_code == 201, answer.text
        assert answer.json()["taken"] == 1
        codes = [row["code"] for row in answer.json()["rows"]]
        assert codes == [None, "rating-already-given", "service-not-open"]
        papers = await evaluation.fetch("SELECT * FROM rating WHERE channel = 'paper'")
        assert len(papers) == 1
        assert str(papers[0]["batch_id"]) == answer.json()["id"]
        [stored] = await evaluation.fetch("SELECT content FROM attachment")
        assert PNG not in stored["content"]
        again = await self.enter(evaluation, rows[:1])
        assert (again.status_code, again.json()["code"]) == (409, "scan-taken-already")
        await assert_equal_to_a_recount(evaluation)

    async def test_refusals_write_nothing(self, evaluation):
        case = await finish_case(evaluation)
        rows = [{"case_number": case.event.case_number, "level": "satisfied"}]
        for headers in (handler(OTHER_UNIT), resident()):
            assert (await self.enter(evaluation, rows, headers)).status_code == 403
        for scan in ("不是扫描件的内容", base64.b64encode(b"<html></html>").decode()):
            answer = await self.enter(evaluation, rows, scan=scan)
            assert answer.json()["code"] == "attachment-unreadable"
        assert (await self.enter(evaluation, [])).status_code == 422
        for table in ("rating", "rating_batch", "attachment"):
            assert await evaluation.count(table) == 0
