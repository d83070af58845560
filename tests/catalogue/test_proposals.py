"""Proposals: drawn from use, ratings, basis and funds, and from what residents miss."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.evaluation import UnmetNeed, UnmetNeedsListed
from contracts.requests import RequestSubmitted, SubmittedCase
from servicekit.outbox import now
from servicekit.timers import Timers
from services.catalogue.proposals.consumers import count_use, offer_what_is_missed
from services.catalogue.proposals.rules import Figures, grounds
from services.catalogue.proposals.timers import TIMERS
from tests.catalogue.factories import CITY, COUNTY, OTHER_COUNTY, VILLAGE, make_score
from tests.catalogue.test_admissions import Path, day, told
from tests.support.tokens import bearer, resident

TODAY = date(2026, 11, 22)


def figures(**overrides: Any) -> Figures:
    values: dict[str, Any] = {
        "valid_from": date(2025, 1, 1), "basis_until": None, "funds_until": date(2027, 1, 1),
        "review_on": date(2027, 1, 1), "cases": 3, "rated": 50, "satisfaction_ratio": 0.95,
    }  # fmt: skip
    return Figures(**(values | overrides))


class TestGrounds:
    @pytest.mark.parametrize(
        ("overrides", "found"),
        [
            ({}, []),
            ({"cases": 0}, ["unused"]),
            ({"cases": None}, []),
            ({"cases": 0, "valid_from": TODAY - timedelta(days=364)}, []),
            ({"satisfaction_ratio": 0.59}, ["badly-rated"]),
            ({"satisfaction_ratio": 0.0, "rated": 19}, []),
            ({"satisfaction_ratio": None, "rated": 0}, []),
            ({"basis_until": date(2026, 11, 21), "funds_until": None}, ["no-basis", "no-funds"]),
            ({"basis_until": TODAY, "funds_until": TODAY}, []),
            ({"review_on": TODAY - timedelta(days=31)}, ["not-reviewed"]),
        ],
    )
    def test_each_has_its_threshold(self, overrides, found):
        assert [each["ground"] for each in grounds(figures(**overrides), TODAY)] == found


@pytest.fixture
def path(catalogue) -> Path:
    return Path(catalogue)


def submitted(*item_ids: str, division: str = VILLAGE) -> RequestSubmitted:
    cases = [
        SubmittedCase(
            case_id=uuid4(), case_number="n" * 9, item_id=UUID(item_id), item_code="x:1",
            item_name="x", item_version=1, unit_code=None, unit_name=None, due_on=None,
        )
        for item_id in item_ids
    ]  # fmt: skip
    return RequestSubmitted(
        request_id=uuid4(), request_number="140802-261122-00001", applicant_id=uuid4(),
        division_code=division, occurred_at=now(), channel="portal", cases=tuple(cases),
    )  # fmt: skip


def listed(month: str, *needs: UnmetNeed, list_id: UUID | None = None) -> UnmetNeedsListed:
    return UnmetNeedsListed(
        list_id=list_id or uuid4(), division_code=COUNTY, month=date.fromisoformat(month),
        needs=needs, occurred_at=now(),
    )  # fmt: skip


def need(topic: str, searches: int = 7, **overrides: Any) -> UnmetNeed:
    values = {"division_code": VILLAGE, "wishes": 0, "refusals": 0, "kind": "service"}
    return UnmetNeed(topic=topic, searches=searches, **(values | overrides))


async def deliver(catalogue, handler, *events) -> None:
    for event in events:
        async with catalogue.database.transaction() as session:
            await handler(session, event, None)


async def proposals(catalogue, path, **params: str) -> list[dict[str, Any]]:
    answer = await catalogue.client.get(
        "/v1/catalogue-proposals", params=params, headers=path.admitter()
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def appraise(catalogue) -> None:
    await catalogue.fetch(
        "UPDATE timer SET due_at = now() - interval '1 s' WHERE kind = 'admission-appraisal'"
    )
    await Timers(catalogue.database, TIMERS).run_due()


async def decide(catalogue, path, proposal: dict[str, Any], action: str, **headers: str):
    return await catalogue.client.post(
        f"/v1/catalogue-proposals/{proposal['id']}/actions/{action}",
        json={"reason": "按数据办"},
        headers=path.admitter() | {"If-Match": f'"{proposal["version"]}"'} | headers,
    )


class TestEnding:
    async def test_an_unused_badly_rated_item_is_proposed_and_ended(self, catalogue, path, people):
        item_id = await people.publish()
        await path.cap(1, "item")
        admission_id = await path.to_decide(kind="item", item_id=item_id, times_per_year=None)
        await path.admit(admission_id)
        await appraise(catalogue)
        assert await proposals(catalogue, path) == []
        await catalogue.fetch("UPDATE admission SET valid_from = $1", date.fromisoformat(day(-400)))
        await people.score(make_score(item_id, rated=40, satisfaction_ratio=0.4))
        await appraise(catalogue)
        await appraise(catalogue)  # the same figures on the same day: one proposal
        [proposal] = await proposals(catalogue, path, state="open", kind="end-admission")
        assert [each["ground"] for each in proposal["grounds"]] == ["unused", "badly-rated"]
        rows = await catalogue.fetch("SELECT due_at > now() + interval '29 days' FROM timer")
        assert [row[0] for row in rows].count(True) >= 1
        answer = await decide(catalogue, path, proposal, "accept")
        assert answer.json()["state"] == "accepted"
        assert [each.state for each in await told(catalogue)] == ["admitted", "ended"]
        again = await decide(catalogue, path, answer.json(), "dismiss")
        assert again.json()["code"] == "proposal-decided"
        await appraise(catalogue)
        assert await proposals(catalogue, path, state="open") == []

    async def test_use_takes_a_proposal_back(self, catalogue, path, people):
        item_id = await people.publish()
        await path.cap(1, "item")
        admission_id = await path.to_decide(kind="item", item_id=item_id, times_per_year=None)
        await path.admit(admission_id)
        await catalogue.fetch("UPDATE admission SET valid_from = $1", date.fromisoformat(day(-400)))
        await appraise(catalogue)
        assert len(await proposals(catalogue, path)) == 1
        await deliver(catalogue, count_use, submitted(item_id, item_id), submitted(item_id))
        read = await catalogue.client.get(f"/v1/admissions/{admission_id}", headers=path.admitter())
        assert read.json()["cases_in_twelve_months"] == 3
        await appraise(catalogue)
        assert await proposals(catalogue, path) == []


class TestOffering:
    async def test_each_list_proposes_once_and_the_newest_month_stands(self, catalogue, path):
        november = listed(
            "2026-11-01", need("助浴"), need("广场", kind="facility"), need("助浴", 2)
        )
        december = listed("2026-12-01", need("助浴", 9))
        await deliver(catalogue, offer_what_is_missed, december, november, december)
        [proposal] = await proposals(catalogue, path, kind="offer-item")
        assert (proposal["name"], proposal["version"]) == ("助浴", 1)
        assert [each["searches"] for each in proposal["grounds"]] == [9]
        january = listed("2027-01-01", need("助浴", 11))
        await deliver(catalogue, offer_what_is_missed, january)
        [proposal] = await proposals(catalogue, path)
        assert [each["searches"] for each in proposal["grounds"]] == [11]
        assert (await decide(catalogue, path, proposal, "dismiss")).status_code == 200
        await deliver(catalogue, offer_what_is_missed, january, november)  # were answered
        assert await proposals(catalogue, path, state="open") == []
        await deliver(catalogue, offer_what_is_missed, listed("2027-02-01", need("助浴", 20)))
        assert len(await proposals(catalogue, path, state="open")) == 1

    async def test_who_may_not_decide(self, catalogue, path):
        await deliver(catalogue, offer_what_is_missed, listed("2026-11-01", need("助浴")))
        [proposal] = await proposals(catalogue, path)
        for headers, status in (
            (path.supervisor(), 403),
            (resident(), 403),
            (path.admitter(division=OTHER_COUNTY), 403),
            ({"If-Match": '"5"'}, 409),
        ):
            answer = await decide(catalogue, path, proposal, "accept", **headers)
            assert answer.status_code == status, answer.text
        url = f"/v1/catalogue-proposals/{uuid4()}/actions/accept"
        headers = path.admitter() | {"If-Match": '"1"'}
        assert (await catalogue.client.post(url, json={}, headers=headers)).status_code == 422
        answer = await catalogue.client.post(url, json={"reason": "x"}, headers=headers)
        assert answer.status_code == 404
        assert (await proposals(catalogue, path, state="open")) == [proposal]
        for who, seen in ((bearer("auditor", division=CITY), 1), (path.officer("140802001000"), 0)):
            answer = await catalogue.client.get("/v1/catalogue-proposals", headers=who)
            assert len(answer.json()["items"]) == seen
        answer = await catalogue.client.get("/v1/catalogue-proposals", headers=resident())
        assert answer.status_code == 403
