"""Doubtful ratings: detectors, the scan that runs them, the review, and staff as raters."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.integrity import measure
from servicekit.outbox import now
from services.evaluation.integrity import rules, scanning
from services.evaluation.integrity.rules import Seen, Thresholds, doubts_of
from services.evaluation.models import Detector, RatingChannel
from tests.evaluation.factories import (
    COUNTY,
    OTHER_UNIT,
    UNIT,
    assert_equal_to_a_recount,
    finish_case,
    handler,
    supervisor,
)
from tests.support.tokens import resident

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
LIMITS = Thresholds()


def seen(number=0, *, seconds=30, **values) -> Seen:
    return Seen(
        **{
            "id": uuid4(),
            "given_at": NOON + timedelta(seconds=seconds * number),
            "unit_code": UNIT,
            "resident": uuid4(),
            "channel": RatingChannel.mini_program,
            **values,
        }
    )


def at_window(number, seconds):
    return seen(number, seconds=seconds, channel=RatingChannel.window, window_code="3")


class TestDetectors:
    @given(st.integers(1, 40), st.integers(1, 600))
    @settings(max_examples=50)
    def test_a_burst_is_more_than_a_window_can_serve(self, count, seconds):
        ratings = [at_window(number, seconds) for number in range(count)]
        in_span = min(count, int(LIMITS.burst_span.total_seconds()) // seconds + 1)
        doubted = rules.window_burst(ratings, LIMITS)
        assert len(doubted) == (count if in_span > LIMITS.burst_ratings else 0)

    @given(st.integers(1, 12), st.integers(1, 12), st.permutations(range(12)))
    @settings(max_examples=40)
    def test_devices_count_residents_and_order_is_no_matter(self, residents, each, order):
        people = [uuid4() for _ in range(residents)]
        ratings = [
            seen(number, resident=people[number % residents], device=b"d" * 32)
            for number in range(max(residents, each))
        ]
        shuffled = [ratings[place] for place in order if place < len(ratings)]
        doubted = {doubt.rating_id for doubt in doubts_of(shuffled, LIMITS)}
        many = len({rating.resident for rating in shuffled}) >= LIMITS.device_residents
        assert bool(doubted) == many

    def test_a_shared_device_and_a_long_time_are_no_reason(self):
        shared = [at_window(number, 3600) for number in range(20)]
        slow = [seen(number, seconds=10 * 24 * 3600, device=b"d" * 32) for number in range(20)]
        assert doubts_of([*shared, *slow], LIMITS) == []

    @pytest.mark.parametrize(
        "text",
        [
            "窗口要求我给好评才给办",
            "工作人员拿手机替我评价",
            "不给好评就不给盖章",
            "好评返现五元",
            "不许给差评",
            "让我们 必须 打 非常满意",
        ],
    )
    def test_pressure(self, text):
        assert [doubt.detector for doubt in rules.pressure_words([seen(text=text)], LIMITS)] == [
            Detector.pressure_words
        ]

    @pytest.mark.parametrize(
        "text", ["非常满意，好评", "给个好评，态度好", "帮我复印了材料", "没有好评价器"]
    )
    def test_no_pressure(self, text):
        assert rules.pressure_words([seen(text=text)], LIMITS) == []

    def test_false_alarms_are_rare_and_fraud_is_found(self):
        count, alarms, caught = measure(7, units=3, windows=3, remote=3_000)
        assert sum(alarms.values()) / count < 0.005
        assert min(caught.values()) == 1.0


async def scan(evaluation):
    cipher = evaluation.app.state.cipher
    looked = 0
    while some := await scanning.scan_some(
        cipher, evaluation.database, before=now() + timedelta(seconds=5)
    ):
        looked += some
    return looked


async def flagged(evaluation, headers=None, query=""):
    answer = await evaluation.client.get(
        f"/v1/integrity-flags{query}", headers=headers or supervisor()
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def doubted(evaluation):
    """One rating that speaks of pressure, looked at."""
    case = await finish_case(evaluation)
    await evaluation.fetch("UPDATE evaluable SET served_at = now() - interval '1 day'")
    await case.rate("very-satisfied", text="窗口要求我给好评，打13800138000")
    await scan(evaluation)
    [flag] = await flagged(evaluation)
    return case, flag


async def review(evaluation, flag, *, keep, headers=None):
    return await evaluation.client.post(
        f"/v1/integrity-flags/{flag['id']}/review",
        json={"keep": keep, "reason": "已电话核实"},
        headers=headers or reviewer(),
    )


def reviewer(**claims):
    return supervisor(COUNTY, **({"unit": OTHER_UNIT, "account_id": uuid4()} | claims))


async def counted(evaluation):
    await assert_equal_to_a_recount(evaluation)
    [row] = await evaluation.fetch("SELECT rated FROM score WHERE subject_kind = 'unit'")
    return row["rated"]


class TestScan:
    async def test_looks_at_each_rating_once_and_drops_none(self, evaluation):
        device = {"X-Device-Id": "one-telephone-for-all"}
        for _ in range(LIMITS.device_residents - 1):
            case = await finish_case(evaluation)
            await case.rate("very-satisfied", headers=case.headers | device)
        assert await scan(evaluation) == LIMITS.device_residents - 1
        assert await flagged(evaluation, query="?detector=same-device") == []
        last = await finish_case(evaluation)
        await last.rate("very-satisfied", headers=last.headers | device)
        # Two workers at once: each rating is looked at by one, each doubt opened once.
        await asyncio.gather(scan(evaluation), scan(evaluation))
        flags = await flagged(evaluation, query="?detector=same-device")
        assert len(flags) == LIMITS.device_residents  # those before it, too
        assert await scan(evaluation) == 0
        assert await counted(evaluation) == LIMITS.device_residents

    async def test_young_ratings_wait(self, evaluation):
        await (await finish_case(evaluation)).rate("satisfied")
        cipher = evaluation.app.state.cipher
        before = now() - scanning.SETTLED
        assert await scanning.scan_some(cipher, evaluation.database, before=before) == 0

    async def test_hashes_only(self, evaluation):
        case = await finish_case(evaluation)
        headers = case.headers | {"X-Device-Id": "my-own-telephone-1"}
        await case.rate("satisfied", text="抄来的一句话写了十遍", headers=headers)
        [row] = await evaluation.fetch("SELECT * FROM rating")
        assert len(row["device_hash"]) == len(row["text_hash"]) == 32
        assert "my-own-telephone-1" not in str(dict(row))
        bad = await case.rate(headers=case.headers | {"X-Device-Id": "short"})
        assert bad.status_code == 422


class TestReview:
    async def test_kept_as_it_is(self, evaluation):
        _, flag = await doubted(evaluation)
        assert (flag["detector"], flag["state"]) == ("pressure-words", "open")
        answer = await review(evaluation, flag, keep=True)
        assert answer.json()["state"] == "kept"
        assert await counted(evaluation) == 1
        again = await review(evaluation, flag, keep=False)
        assert (again.status_code, again.json()["code"]) == (409, "flag-reviewed-already")
        assert await flagged(evaluation) == []

    async def test_excluded_and_taken_back_by_another(self, evaluation):
        _, flag = await doubted(evaluation)
        who = reviewer()
        answer = await review(evaluation, flag, keep=False, headers=who)
        assert answer.json()["state"] == "excluded"
        assert await counted(evaluation) == 0
        excluded = dict(await evaluation.events())["cn.yichuang.evaluation.rating-excluded.v1"]
        assert (excluded["rating_id"], excluded["ground"]) == (flag["rating_id"], "integrity")
        own = await review(evaluation, flag, keep=True, headers=who)
        assert own.status_code == 409
        back = await review(evaluation, flag, keep=True)
        assert back.status_code == 200, back.text
        assert await counted(evaluation) == 1

    async def test_who_may_not(self, evaluation):
        case, flag = await doubted(evaluation)
        for headers, code in (
            (reviewer(unit=UNIT), "review-of-own-unit"),
            (supervisor(), "review-of-own-unit"),
            (supervisor("140803000000", unit=OTHER_UNIT), "wrong-division"),
            (handler(), "wrong-role"),
            (case.headers, "wrong-role"),
        ):
            answer = await review(evaluation, flag, keep=False, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        listed = await evaluation.client.get("/v1/integrity-flags", headers=handler())
        assert listed.status_code == 403
        assert await flagged(evaluation, supervisor("140803000000")) == []
        assert await counted(evaluation) == 1


class TestStaffNumbers:
    async def add(self, evaluation, headers=None, unit=UNIT, **values):
        return await evaluation.client.post(
            "/v1/staff-numbers",
            json={"unit_code": unit} | values,
            headers=headers or supervisor(),
        )

    async def test_their_accounts_and_telephones_are_refused(self, evaluation):
        case = await finish_case(evaluation)
        account = str(case.event.applicant_id)
        assert (await self.add(evaluation, account_id=account)).status_code == 201
        assert (await self.add(evaluation, mobile="13800138000")).status_code == 201
        answer = await case.rate("very-satisfied")
        assert (answer.status_code, answer.json()["code"]) == (403, "rater-is-staff")
        other = await finish_case(evaluation)
        called = await evaluation.client.post(
            "/v1/assisted-ratings",
            json={
                "case_number": other.event.case_number,
                "level": "very-satisfied",
                "phone": "13800138000",
                "call_reference": "12345-9",
            },
            headers=supervisor(COUNTY, unit=OTHER_UNIT),
        )
        assert called.json()["code"] == "rater-is-staff"
        assert await evaluation.count("rating") == 0
        # Another unit they may rate: they are residents there.
        elsewhere = await finish_case(
            evaluation, unit_code=OTHER_UNIT, applicant_id=case.event.applicant_id
        )
        assert (await elsewhere.rate("satisfied")).status_code == 201

    async def test_their_devices_are_doubted(self, evaluation):
        await self.add(evaluation, device="telephone-of-a-clerk")
        case = await finish_case(evaluation)
        await case.rate(headers=case.headers | {"X-Device-Id": "telephone-of-a-clerk"})
        await scan(evaluation)
        assert "staff-number" in {flag["detector"] for flag in await flagged(evaluation)}

    async def test_kept_as_hashes_listed_and_forgotten(self, evaluation):
        added = (await self.add(evaluation, mobile="13800138000")).json()
        twice = await self.add(evaluation, mobile="13800138000")
        assert (twice.status_code, twice.json()["code"]) == (409, "staff-number-known")
        path = f"/v1/staff-numbers?unit={UNIT}"
        listed = await evaluation.client.get(path, headers=supervisor())
        assert [item["id"] for item in listed.json()["items"]] == [added["id"]]
        assert "13800138000" not in listed.text
        [row] = await evaluation.fetch("SELECT * FROM staff_number")
        assert "13800138000" not in str(dict(row))
        for headers in (handler(), resident(), supervisor("140803000000")):
            assert (await self.add(evaluation, headers, mobile="13900139000")).status_code == 403
            one = f"/v1/staff-numbers/{added['id']}"
            assert (await evaluation.client.delete(one, headers=headers)).status_code == 403
        assert (await self.add(evaluation, mobile="13900139000", device="x" * 9)).status_code == 422
        gone = await evaluation.client.delete(
            f"/v1/staff-numbers/{added['id']}", headers=supervisor()
        )
        assert gone.status_code == 204
        assert await evaluation.count("staff_number") == 0
        missing = await evaluation.client.delete(
            f"/v1/staff-numbers/{UUID(int=1)}", headers=supervisor()
        )
        assert missing.json()["code"] == "staff-number-not-found"
