"""Disputes of ratings: evidence, a ruling by another unit, its reversal, and the scores."""

import asyncio
import base64
from uuid import uuid4

import pytest

from tests.evaluation.factories import (
    COUNTY,
    OTHER_UNIT,
    UNIT,
    assert_equal_to_a_recount,
    handler,
    open_matter,
    supervisor,
)
from tests.support.tokens import resident

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 32).decode()
BODY = {"ground": "malicious", "statement": "当日该窗口没有开放，附值班表"}


def reviewer(unit=OTHER_UNIT, **claims):
    return supervisor(COUNTY, unit=unit, account_id=uuid4(), name="钱复核", **claims)


async def disputed(evaluation):
    matter = await open_matter(evaluation)
    answer = await raise_dispute(matter)
    assert answer.status_code == 201, answer.text
    return matter, answer.json()["id"]


async def raise_dispute(matter, body=None, *, headers=None, version=1):
    return await matter.service.client.post(
        f"/v1/rectifications/{matter.id}/disputes",
        json=body or BODY,
        headers=(headers or matter.handler) | {"If-Match": f'"{version}"'},
    )


async def review(evaluation, dispute_id, what, body, *, headers=None, version=1):
    return await evaluation.client.post(
        f"/v1/disputes/{dispute_id}/{what}",
        json=body,
        headers=(headers or reviewer()) | {"If-Match": f'"{version}"'},
    )


async def rule(evaluation, dispute_id, *, upheld=True, **how):
    body = {"upheld": upheld, "reason": "值班表与监控一致"}
    return await review(evaluation, dispute_id, "ruling", body, **how)


async def rated(evaluation):
    [row] = await evaluation.fetch("SELECT rated FROM score WHERE subject_kind = 'unit'")
    await assert_equal_to_a_recount(evaluation)
    return row["rated"]


async def kinds(evaluation):
    return [kind.rpartition("evaluation.")[2] for kind, _ in await evaluation.events()]


class TestDisputes:
    async def test_upheld_the_rating_counts_no_more(self, evaluation):
        matter, dispute_id = await disputed(evaluation)
        assert (await matter.read()).json()["is_disputed"] is True
        blocked = await matter.act("verify", {"note": "情况属实"})
        assert (blocked.status_code, blocked.json()["code"]) == (409, "dispute-under-way")
        answer = await rule(evaluation, dispute_id)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "upheld"
        assert await matter.state() == "closed"
        assert await rated(evaluation) == 0
        excluded = dict(await evaluation.events())["cn.yichuang.evaluation.rating-excluded.v1"]
        assert excluded["ground"] == "malicious"
        shown = await evaluation.client.get(f"/v1/disputes/{dispute_id}", headers=matter.handler)
        assert shown.json()["ruling"] == "值班表与监控一致"
        assert str(matter.case.event.applicant_id) not in shown.text
        assert matter.case.event.case_number not in shown.text

    async def test_rejected_the_limit_runs_on(self, evaluation):
        matter, dispute_id = await disputed(evaluation)
        before = (await matter.read()).json()["due_on"]
        answer = await rule(evaluation, dispute_id, upheld=False)
        assert answer.json()["state"] == "rejected"
        shown = (await matter.read()).json()
        assert (shown["is_disputed"], shown["due_on"] >= before) == (False, True)
        assert (await matter.act("verify", {"note": "情况属实"})).status_code == 200
        again = await raise_dispute(matter, version=shown["version"] + 1)
        assert (again.status_code, again.json()["code"]) == (409, "disputed-already")

    @pytest.mark.parametrize("upheld", [True, False])
    async def test_a_ruling_is_reversible_once_and_scores_follow(self, evaluation, upheld):
        matter, dispute_id = await disputed(evaluation)
        await rule(evaluation, dispute_id, upheld=upheld)
        body = {"reason": "补充的监控显示窗口开放"}
        answer = await review(evaluation, dispute_id, "reversal", body, version=2)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == ("rejected" if upheld else "upheld")
        assert await rated(evaluation) == (1 if upheld else 0)
        assert await matter.state() == ("reopened" if upheld else "closed")
        assert ("rating-restored.v1" in await kinds(evaluation)) == upheld
        assert "case-reopen-requested.v1" not in await kinds(evaluation)
        second = await review(evaluation, dispute_id, "reversal", body, version=3)
        assert (second.status_code, second.json()["code"]) == (409, "reversed-already")


class TestWhoMayReview:
    async def test_not_the_same_unit_person_or_division(self, evaluation):
        matter, dispute_id = await disputed(evaluation)
        raiser = uuid4()
        await evaluation.fetch("UPDATE dispute SET raised_by = $1", raiser)
        same = supervisor(COUNTY, unit=OTHER_UNIT, account_id=raiser)
        for headers, code in (
            (reviewer(UNIT), "review-by-same-unit"),
            (supervisor(COUNTY), "review-by-same-unit"),
            (same, "review-by-same-person"),
            (supervisor("140803000000", unit=OTHER_UNIT), "wrong-division"),
            (handler(OTHER_UNIT), "wrong-role"),
            (resident(), "wrong-role"),
        ):
            answer = await rule(evaluation, dispute_id, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, code)
        stale = await rule(evaluation, dispute_id, version=7)
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
        assert await matter.state() == "opened"
        assert "rating-excluded.v1" not in await kinds(evaluation)

    async def test_who_ruled_does_not_reverse(self, evaluation):
        _, dispute_id = await disputed(evaluation)
        early = await review(evaluation, dispute_id, "reversal", {"reason": "尚无结论"})
        assert (early.status_code, early.json()["code"]) == (409, "not-ruled")
        who = reviewer()
        await rule(evaluation, dispute_id, headers=who)
        answer = await review(
            evaluation, dispute_id, "reversal", {"reason": "想改"}, headers=who, version=2
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "review-by-same-person")
        again = await rule(evaluation, dispute_id, version=2)
        assert (again.status_code, again.json()["code"]) == (409, "ruled-already")

    async def test_race_of_two_reviewers_has_one_winner(self, evaluation):
        _, dispute_id = await disputed(evaluation)
        answers = await asyncio.gather(*(rule(evaluation, dispute_id) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert (await kinds(evaluation)).count("rating-excluded.v1") == 1

    async def test_only_the_unit_that_is_rated_disputes(self, evaluation):
        matter = await open_matter(evaluation)
        for headers in (handler(OTHER_UNIT), matter.supervisor, resident()):
            assert (await raise_dispute(matter, headers=headers)).status_code == 403
        assert (await raise_dispute(matter, {"ground": "unfair"})).status_code == 422
        assert await evaluation.count("dispute") == 0
        assert await evaluation.count("rectification_step") == 0

    async def test_lists_are_of_the_unit_or_the_division(self, evaluation):
        _, dispute_id = await disputed(evaluation)
        for headers, found in (
            (handler(), [dispute_id]),
            (supervisor(), [dispute_id]),
            (handler(OTHER_UNIT), []),
            (supervisor("140803000000"), []),
        ):
            answer = await evaluation.client.get("/v1/disputes?state=open", headers=headers)
            assert [item["id"] for item in answer.json()["items"]] == found
        stranger = await evaluation.client.get(
            f"/v1/disputes/{dispute_id}", headers=handler(OTHER_UNIT)
        )
        assert stranger.status_code == 403


class TestEvidence:
    async def add(self, evaluation, dispute_id, headers, content=PNG):
        return await evaluation.client.post(
            f"/v1/disputes/{dispute_id}/evidence", json={"content": content}, headers=headers
        )

    async def test_kept_encrypted_and_read_by_who_may(self, evaluation):
        matter, dispute_id = await disputed(evaluation)
        kept = await self.add(evaluation, dispute_id, matter.handler)
        assert (kept.status_code, kept.json()["media_type"]) == (201, "image/png")
        [row] = await evaluation.fetch("SELECT content FROM attachment")
        assert PNG not in row["content"]
        path = f"/v1/disputes/{dispute_id}/evidence/{kept.json()['id']}"
        read = await evaluation.client.get(path, headers=supervisor())
        assert read.content == base64.b64decode(PNG)
        assert read.headers["content-type"] == "image/png"
        other = await evaluation.client.get(path, headers=handler(OTHER_UNIT))
        assert other.status_code == 403

    async def test_refusals(self, evaluation):
        matter, dispute_id = await disputed(evaluation)
        script = base64.b64encode(b"<html><script>alert(1)</script></html>").decode()
        for content in (script, "不是编码的内容啊啊啊"):
            answer = await self.add(evaluation, dispute_id, matter.handler, content)
            assert (answer.status_code, answer.json()["code"]) == (422, "attachment-unreadable")
        assert (await self.add(evaluation, dispute_id, matter.supervisor)).status_code == 403
        await rule(evaluation, dispute_id)
        late = await self.add(evaluation, dispute_id, matter.handler)
        assert (late.status_code, late.json()["code"]) == (409, "ruled-already")
        assert await evaluation.count("attachment") == 0
