"""One real matter from a village to a mended bad rating, step by step, through the gateway only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx

from devstack.walk.calendar import in_words, record_missing_years
from devstack.walk.sign_in import sign_in_resident, sign_in_staff
from devstack.walk.walker import Walker

COUNTY: Final = "140802000000"
#: 盐湖区解州镇常平村, as a resident would look for it.
VILLAGE_NAME, TOWNSHIP = "常平", "140802100000"
ITEM, TYPED = "困难残疾人生活补贴", "残疾"
#: An invented person; the identity number has a right check digit.
PERSON: Final = {
    "name": "王大友",
    "identity_number": "140802196205180012",
    "mobile": "13700009050",
}
ANSWERS: Final = {
    "disability_certificate_number": "14080219620518001243",
    "disability_category": "肢体残疾",
    "disability_grade": "三级",
    "family_circumstance": "低保家庭",
    "payout_bank": "盐湖区农村商业银行解州支行",
    "bank_account_number": "6228480000000000001",
    "bank_account_holder": "王大友",
    "account_holder_relation": "本人",
}
MISSING: Final = ["残疾人证（正反面）复印件", "低保证明可免交，请补一张本人近期照片"]


async def walk(gateway_url: str, sms: Path, say: Callable[[str], None]) -> None:
    """Walk the case; `sms` is where the development SMS provider leaves its codes.

    Raises:
        WalkFailed: a step was not as it should be.
    """
    async with Walker(gateway_url, say) as walker:
        await Story(walker, sms).run()


class Story:
    """A resident, a clerk, a handler, a supervisor, and the case between them."""

    def __init__(self, walker: Walker, sms: Path) -> None:
        self.walker = walker
        self._sms = sms

    async def run(self) -> None:
        """Every chapter in turn."""
        operator, _ = await sign_in_staff(self.walker, "operator")
        await record_missing_years(self.walker, operator)
        resident, answer = await sign_in_resident(self.walker, PERSON["mobile"], self._sms)
        self.walker.tell(answer, "A resident signs in with a code sent to their phone")
        village = await self.find_village()
        item = await self.find_item(village)
        item_score = await self.score("item", item["id"])
        receipt = await self.submit(resident, village, item)
        unit = receipt["cases"][0]["unit"]["code"]
        unit_score = await self.score("unit", unit)
        case = f"/v1/cases/{receipt['cases'][0]['id']}"
        await self.correct_and_accept(resident, case, item)
        await self.decide_and_complete(resident, case)
        evaluable = await self.rate_badly(resident, case)
        await self.mend(resident, evaluable)
        await self.see_scores(item, item_score, unit, unit_score)

    async def find_village(self) -> dict[str, Any]:
        """A real village, found by part of its name."""
        params = {"name": VILLAGE_NAME, "within": TOWNSHIP, "level": "community"}
        answer = await self.walker.call("GET", "/v1/divisions", params=params)
        village: dict[str, Any] = answer.json()["items"][0]
        words = f"Their village is looked up by name: {village['name']} ({village['code']})"
        self.walker.tell(answer, words)
        return village

    async def find_item(self, village: dict[str, Any]) -> dict[str, Any]:
        """The item, by typing two characters."""
        params = {"q": TYPED, "division": village["code"], "limit": 20}

        async def search() -> httpx.Response | None:
            answer = await self.walker.call("GET", "/v1/search", params=params)
            return answer if ITEM in [hit["name"] for hit in answer.json()["items"]] else None

        answer = await self.walker.until(f"finding {ITEM}", search)
        hits = answer.json()["items"]
        found = next(hit for hit in hits if hit["name"] == ITEM)
        self.walker.tell(answer, f"Typing {TYPED} finds {len(hits)} items, among them {ITEM}")
        answer = await self.walker.call("GET", f"/v1/items/{found['item_id']}")
        item: dict[str, Any] = answer.json()
        self.walker.tell(answer, "Its guide tells what to bring and asks only what it needs")
        return item

    async def submit(
        self, resident: str, village: dict[str, Any], item: dict[str, Any]
    ) -> dict[str, Any]:
        """Submit, and submit again as a phone with a weak network would."""
        body = {
            "division_code": village["code"],
            "channel": "mini-program",
            "applicant": PERSON,
            "items": [{"item_code": item["item_code"], "answers": ANSWERS, "materials": []}],
        }
        key = {"Idempotency-Key": f"demo-{uuid4()}"}

        async def take_in() -> httpx.Response | None:
            sent = await self.walker.send("POST", "/v1/requests", resident, json=body, headers=key)
            # Just after the very first start, intake's copies may still be on their way.
            waiting = ("item-unknown", "division-unknown")
            refused = sent.status_code >= 400 and sent.json().get("code") in waiting
            return None if refused else sent

        answer = await self.walker.until("intake hearing of the item", take_in)
        self.walker.insist(
            answer.status_code == 201, f"submitting answered {answer.status_code}: {answer.text}"
        )
        receipt: dict[str, Any] = answer.json()
        [case] = receipt["cases"]
        self.walker.tell(
            answer,
            f"They submit it: request {receipt['number']}, case {case['number']}",
            f"办理单位 {case['unit']['name']}，承诺 {in_words(case['due_on'])} 前办结",
            receipt["clock_note"],
        )
        again = await self.walker.call(
            "POST", "/v1/requests", resident, json=body, headers=key, want=201
        )
        same = again.content == answer.content
        self.walker.insist(same, "the repeated submission got another receipt")
        self.walker.tell(again, "The phone sends it again: the same receipt, nothing doubled")
        return receipt

    async def correct_and_accept(self, resident: str, case: str, item: dict[str, Any]) -> None:
        """一次性告知, the answer, 受理."""
        clerk, answer = await sign_in_staff(self.walker, "clerk")
        self.walker.tell(answer, "The clerk of 解州镇便民服务中心 signs in through the issuer")
        body: dict[str, Any] = {"missing": MISSING}
        answer = await self.walker.act(clerk, case, "request-correction", body)
        self.walker.tell(answer, "The clerk names everything that is missing, once", *MISSING)
        await self.notice(resident, "correction-requested", "The resident is told")
        required = [each for each in item["materials"] if each["necessity"] == "required"]
        body = {
            "materials": [{"code": each["code"]} for each in required],
            "note": "残疾人证复印件和照片已交到窗口",
        }
        answer = await self.walker.act(resident, case, "answer-correction", body)
        self.walker.tell(answer, "The resident hands in what was missing")
        read = await self.walker.call("GET", case, clerk)
        second = await self.walker.call(
            "POST",
            f"{case}/actions/request-correction",
            clerk,
            json={"missing": ["再来一份"]},
            headers={"If-Match": read.headers["etag"]},
            want=409,
        )
        self.walker.tell(second, f"A second notice is refused: {second.json()['title']}")
        answer = await self.walker.act(clerk, case, "accept")
        read = await self.walker.call("GET", case, resident)
        due = in_words(read.json()["due_on"])
        self.walker.tell(answer, f"The clerk accepts the case; the promised date is now {due}")

    async def decide_and_complete(self, resident: str, case: str) -> None:
        """The county department looks, decides and completes."""
        handler, answer = await sign_in_staff(self.walker, "handler-civil")
        self.walker.tell(answer, "A handler of 盐湖区民政局 signs in")
        reason = {"reason": "核对残疾人证与申请信息是否一致"}
        answer = await self.walker.call("POST", f"{case}/disclosures", handler, json=reason)
        self.walker.tell(answer, "The handler opens the applicant's data, stating why")
        seen = await self.walker.call("GET", "/v1/data-accesses", resident)
        viewer = seen.json()["items"][0]
        self.walker.insist(viewer["reason"] == reason["reason"], "the access is not on record")
        self.walker.tell(seen, f"The resident sees who looked: {viewer['viewer_name']}")
        answer = await self.walker.act(handler, case, "decide", {"granted": True})
        self.walker.tell(answer, "The handler decides: granted")
        answer = await self.walker.act(handler, case, "complete", {"result_code": 0})
        self.walker.tell(answer, "The handler completes the case")

    async def rate_badly(self, resident: str, case: str) -> dict[str, Any]:
        """Evaluation has opened by event; the resident says 不满意."""
        case_id = case.rpartition("/")[2]

        async def opened() -> tuple[httpx.Response, dict[str, Any]] | None:
            answer = await self.walker.call("GET", "/v1/evaluables", resident)
            found = [
                each
                for each in answer.json()["items"]
                if each["case_id"] == case_id and each["service_name"] == "办结"
            ]
            return (answer, found[0]) if found else None

        answer, evaluable = await self.walker.until("opening the evaluation", opened)
        self.walker.tell(answer, "By event, the case may now be rated")
        tags = await self.walker.call("GET", "/v1/rating-tags", params={"level": "dissatisfied"})
        tag = next(each for each in _items(tags) if each["code"] == "209")
        body = {
            "evaluable_id": evaluable["id"],
            "level": "dissatisfied",
            "tags": [tag["code"]],
            "text": "比说好的时间晚了，打电话 13700009050 没人接",
            "channel": "mini-program",
            "assess_number": 1,
        }
        answer = await self.walker.call("POST", "/v1/ratings", resident, json=body, want=201)
        self.walker.tell(answer, f"The resident rates 不满意, tag {tag['code']} {tag['text']}")
        return evaluable

    async def mend(self, resident: str, evaluable: dict[str, Any]) -> None:
        """核实, 立行立改, 反馈, a better 追评, 回访."""
        mine = await self.walker.call("GET", "/v1/evaluables", resident)
        own = next(each for each in mine.json()["items"] if each["id"] == evaluable["id"])
        record = f"/v1/rectifications/{own['rectification']['id']}"
        handler, _ = await sign_in_staff(self.walker, "handler-civil")
        read = await self.walker.call("GET", record, handler)
        shown = read.text
        self.walker.insist("13700009050" not in shown, "the unit sees the resident's number")
        self.walker.tell(read, "The unit finds the matter on its list, without who rated")
        steps: tuple[tuple[str, dict[str, Any], str], ...] = (
            ("verify", {"note": "审批系统停机，通知晚发了两天"}, "The unit verifies what happened"),
            ("fix-now", {"note": "已补发通知并增设值班电话"}, "It mends the matter at once"),
            ("reply", {"reply": "抱歉耽误了您的时间，已设值班电话专人接听"}, "It replies"),
        )
        for action, body, words in steps:
            self.walker.tell(await self.walker.act(handler, record, action, body), words)
        await self.notice(resident, "rectification-replied", "The resident is told of the reply")
        body = {
            "evaluable_id": evaluable["id"],
            "level": "satisfied",
            "tags": ["413"],
            "channel": "mini-program",
            "assess_number": 2,
        }
        answer = await self.walker.call("POST", "/v1/ratings", resident, json=body, want=201)
        self.walker.tell(answer, "The resident rates again: 满意")
        supervisor, _ = await sign_in_staff(self.walker, "county-supervisor")
        body = {"reached": True, "solved": True, "note": "本人表示已解决"}
        answer = await self.walker.act(supervisor, record, "call-back", body)
        self.walker.tell(answer, f"A supervisor calls back; the matter is {answer.json()['state']}")
        self.walker.insist(answer.json()["state"] == "closed", "the rectification is not closed")

    async def see_scores(
        self,
        item: dict[str, Any],
        item_before: dict[str, Any],
        unit: str,
        unit_before: dict[str, Any],
    ) -> None:
        """By event, both services show what residents think."""
        item_now = await self.score_after("item", item["id"], item_before)

        async def shown() -> httpx.Response | None:
            answer = await self.walker.call("GET", f"/v1/items/{item['id']}")
            score = answer.json()["score"]
            same = all(score[name] == item_now[name] for name in ("rated", "satisfaction_ratio"))
            return answer if same else None

        answer = await self.walker.until("the catalogue showing the rating", shown)
        score = answer.json()["score"]
        self.walker.tell(answer, f"The catalogue shows the item's score: {_score(score)}")
        unit_now = await self.score_after("unit", unit, unit_before)
        answer = await self.walker.call("GET", f"/v1/scores/unit/{unit}")
        words = f"Evaluation shows the unit's: {_score(unit_now)}, 首次差评 {unit_now['bad_first']}"
        self.walker.tell(answer, words)

    async def score(self, kind: str, subject: str) -> dict[str, Any]:
        """The score of an item or unit now."""
        answer = await self.walker.send("GET", f"/v1/scores/{kind}/{subject}")
        if answer.status_code == 404:
            return {"rated": 0}
        found: dict[str, Any] = answer.json()
        return found

    async def score_after(self, kind: str, subject: str, before: dict[str, Any]) -> dict[str, Any]:
        """The score with one more rating; a stranger may read the old one for two seconds."""

        async def counted() -> dict[str, Any] | None:
            now = await self.score(kind, subject)
            # A service that is overtaxed for a moment answers with a problem: asked again.
            return now if now.get("rated") == before["rated"] + 1 else None

        return await self.walker.until(f"counting the rating of the {kind}", counted)

    async def notice(self, resident: str, template: str, words: str) -> None:
        """Wait for a notice in the resident's in-app inbox."""

        async def arrived() -> tuple[httpx.Response, dict[str, Any]] | None:
            answer = await self.walker.call("GET", "/v1/notices", resident)
            found = [each for each in answer.json()["items"] if each["template"] == template]
            return (answer, found[0]) if found else None

        answer, notice = await self.walker.until(f"the notice {template}", arrived)
        self.walker.tell(answer, words, notice["title"], *notice["body"].splitlines())


def _items(answer: httpx.Response) -> list[dict[str, Any]]:
    body = answer.json()
    listed: list[dict[str, Any]] = body["items"] if isinstance(body, dict) else body
    return listed


def _score(score: dict[str, Any]) -> str:
    return f"{score['rated']} rated, 好评率 {score['satisfaction_ratio']:.0%}"
