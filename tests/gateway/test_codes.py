"""Sign-in codes: how often they are sent and what a guess is worth."""

import asyncio
import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.rules import (
    DAY,
    HOUR,
    MAX_ATTEMPTS,
    CodeLimits,
    CodeVerdict,
    judge_code,
    wait_before_sending,
)
from gateway.codes.sms import HttpSms, SmsUnavailable
from servicekit.identifiers import new_id
from tests.gateway.conftest import PHONE, running_gateway

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LIMITS = CodeLimits(
    resend_after=timedelta(seconds=60), per_phone_hour=3, per_phone_day=5, per_address_hour=4
)


class TestWaitBeforeSending:
    def wait(self, *seconds_ago: float, from_address=()) -> float:
        times = [NOW - timedelta(seconds=ago) for ago in seconds_ago]
        others = [NOW - timedelta(seconds=ago) for ago in from_address]
        wait = wait_before_sending(LIMITS, to_phone=times, from_address=others, now=NOW)
        return wait.total_seconds()

    def test_the_first_is_free(self):
        assert self.wait() == 0

    def test_the_next_only_after_a_minute(self):
        assert self.wait(20) == 40
        assert self.wait(60) == 0

    def test_only_so_many_an_hour(self):
        assert self.wait(3000, 2000, 1000) == 600
        assert self.wait(3600, 2000, 1000) == 0

    def test_only_so_many_a_day(self):
        hours = [20 * 3600, 15 * 3600, 10 * 3600, 5 * 3600, 2 * 3600]
        assert self.wait(*hours) == 4 * 3600

    def test_an_address_counts_over_all_telephones(self):
        assert self.wait(from_address=[3000, 2000, 1000, 500]) == 600

    @given(st.lists(st.integers(min_value=0, max_value=400), max_size=60))
    def test_no_window_ever_holds_more(self, gaps):
        """Whoever asks as often as allowed gets at most the limit in any hour and any day."""
        now = NOW
        sent: list[datetime] = []
        for gap in gaps:
            now += timedelta(seconds=gap * 10)
            if not wait_before_sending(LIMITS, to_phone=sent, from_address=[], now=now):
                sent.append(now)
        for at in sent:
            assert sum(at <= other < at + HOUR for other in sent) <= LIMITS.per_phone_hour
            assert sum(at <= other < at + DAY for other in sent) <= LIMITS.per_phone_day


class TestJudgeCode:
    @pytest.mark.parametrize(
        ("matches", "attempts", "left", "is_used", "verdict"),
        [
            (True, 0, 1, False, CodeVerdict.right),
            (True, MAX_ATTEMPTS - 1, 1, False, CodeVerdict.right),
            (True, MAX_ATTEMPTS, 1, False, CodeVerdict.exhausted),
            (True, 0, 0, False, CodeVerdict.stale),
            (True, 0, 1, True, CodeVerdict.stale),
            (False, 0, 1, False, CodeVerdict.wrong),
        ],
    )
    def test_verdicts(self, matches, attempts, left, is_used, verdict):
        found = judge_code(
            matches=matches,
            attempts=attempts,
            expires_at=NOW + timedelta(seconds=left),
            is_used=is_used,
            now=NOW,
        )
        assert found is verdict


async def redeem(gateway, code: str, phone: str = PHONE) -> tuple[int, str]:
    answer = await gateway.client.post("/v1/sign-in/residents", json={"phone": phone, "code": code})
    return answer.status_code, answer.json().get("code", "")


def other_than(code: str) -> str:
    return str((int(code) + 1) % 1_000_000).zfill(6)


class TestSending:
    async def test_a_code_arrives_and_leaves_no_trace_of_number_or_code(self, gateway):
        code = await gateway.send_code()
        assert len(code) == 6
        rows = await gateway.fetch("SELECT * FROM sign_in_code")
        assert len(rows) == 1
        stored = b"".join(value for value in rows[0].values() if isinstance(value, bytes))
        assert PHONE.encode() not in stored
        assert code.encode() not in stored

    async def test_the_answer_says_what_a_client_needs(self, gateway):
        answer = await gateway.client.post("/v1/sign-in/codes", json={"phone": PHONE})
        assert answer.status_code == 202
        assert answer.json() == {"expires_in": 300, "resend_after": 60}
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        "written",
        ["+86 137-0000-0001", "0086 13700000001", "１３７０００００００１", " 13700000001 "],
    )
    async def test_numbers_may_be_written_as_telephones_do(self, gateway, written):
        answer = await gateway.client.post("/v1/sign-in/codes", json={"phone": written})
        assert answer.status_code == 202
        assert gateway.last_code(PHONE)

    @pytest.mark.parametrize("phone", ["", "1370000", "23700000001", "137000000012", None, 5, []])
    async def test_other_numbers_are_refused_and_nothing_is_written(self, gateway, phone):
        answer = await gateway.client.post("/v1/sign-in/codes", json={"phone": phone})
        assert answer.status_code == 422
        assert answer.json()["code"] == "invalid-request"
        assert await gateway.count("sign_in_code") == 0

    async def test_a_second_within_a_minute_is_refused(self, gateway):
        await gateway.send_code()
        answer = await gateway.client.post("/v1/sign-in/codes", json={"phone": PHONE})
        assert answer.status_code == 429
        assert answer.json()["code"] == "code-too-often"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert await gateway.count("sign_in_code") == 1

    async def test_an_address_is_limited_over_all_telephones(self, databases, tmp_path, gateway):
        async for strict in running_gateway(
            gateway.at, gateway.issuer, tmp_path, codes_per_address_hour=2
        ):
            for number in range(2):
                await strict.send_code(f"1370000002{number}")
            answer = await strict.client.post("/v1/sign-in/codes", json={"phone": "13700000030"})
            assert answer.status_code == 429

    async def test_of_two_at_once_one_is_sent(self, gateway):
        answers = await asyncio.gather(
            *(gateway.client.post("/v1/sign-in/codes", json={"phone": PHONE}) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [202, 429, 429, 429]
        assert await gateway.count("sign_in_code") == 1


class TestRedeeming:
    async def test_the_first_sign_in_makes_the_account_and_the_next_finds_it(self, gateway):
        first = await gateway.sign_in()
        await gateway.execute("UPDATE sign_in_code SET created_at = created_at - interval '2 min'")
        second = await gateway.sign_in()
        assert first["account"] == second["account"]
        assert first["account"]["phone"] == "137****0001"
        assert first["account"]["kind"] == "resident"
        assert first["token_type"] == "Bearer"
        assert first["expires_in"] == 600
        rows = await gateway.fetch("SELECT * FROM account")
        assert len(rows) == 1
        assert PHONE not in str(rows[0]["phone"])

    async def test_a_code_works_once(self, gateway):
        code = await gateway.send_code()
        assert (await redeem(gateway, code))[0] == 200
        assert await redeem(gateway, code) == (401, "code-expired")

    async def test_full_width_digits_are_digits(self, gateway):
        code = await gateway.send_code()
        full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
        assert (await redeem(gateway, full_width))[0] == 200

    async def test_a_wrong_code_counts_although_it_is_refused(self, gateway):
        code = await gateway.send_code()
        assert await redeem(gateway, other_than(code)) == (401, "code-wrong")
        rows = await gateway.fetch("SELECT attempts FROM sign_in_code")
        assert rows[0]["attempts"] == 1
        assert await gateway.count("account") == 0
        assert await gateway.count("session") == 0

    async def test_after_five_wrong_ones_the_right_one_is_no_use(self, gateway):
        code = await gateway.send_code()
        for _ in range(MAX_ATTEMPTS):
            assert await redeem(gateway, other_than(code)) == (401, "code-wrong")
        assert await redeem(gateway, code) == (401, "code-exhausted")

    async def test_guesses_at_once_all_count(self, gateway):
        code = await gateway.send_code()
        answers = await asyncio.gather(*(redeem(gateway, other_than(code)) for _ in range(12)))
        assert answers.count((401, "code-wrong")) == MAX_ATTEMPTS
        assert answers.count((401, "code-exhausted")) == 12 - MAX_ATTEMPTS

    async def test_an_old_code_is_refused(self, gateway):
        code = await gateway.send_code()
        await gateway.execute("UPDATE sign_in_code SET expires_at = now() - interval '1 s'")
        assert await redeem(gateway, code) == (401, "code-expired")

    async def test_a_newer_code_replaces_the_older(self, gateway):
        older = await gateway.send_code()
        await gateway.execute("UPDATE sign_in_code SET created_at = created_at - interval '2 min'")
        newer = await gateway.send_code()
        if older != newer:
            assert (await redeem(gateway, older))[0] == 401
        assert (await redeem(gateway, newer))[0] == 200

    async def test_another_s_code_is_no_use(self, gateway):
        code = await gateway.send_code("13700000002")
        assert await redeem(gateway, code) == (401, "code-expired")

    async def test_of_two_at_once_one_gets_in(self, gateway):
        code = await gateway.send_code()
        answers = await asyncio.gather(*(redeem(gateway, code) for _ in range(3)))
        assert [status for status, _ in answers].count(200) == 1
        assert await gateway.count("session") == 1

    async def test_a_suspended_account_stays_out(self, gateway):
        await gateway.sign_in()
        await gateway.execute("UPDATE account SET status = 'suspended'")
        await gateway.execute("UPDATE sign_in_code SET created_at = created_at - interval '2 min'")
        code = await gateway.send_code()
        assert await redeem(gateway, code) == (403, "account-suspended")

    @pytest.mark.parametrize("code", ["12345", "1234567", "abcdef", "١٢٣٤٥٦", ""])
    async def test_what_is_no_code_is_refused_without_counting(self, gateway, code):
        await gateway.send_code()
        assert (await redeem(gateway, code))[0] == 422
        rows = await gateway.fetch("SELECT attempts FROM sign_in_code")
        assert rows[0]["attempts"] == 0


class TestHttpSms:
    SECRET = "shared"

    async def sent(self, status: int) -> list[httpx.Request]:
        requests = []

        def provider(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(status)

        async with httpx.AsyncClient(transport=httpx.MockTransport(provider)) as client:
            sms = HttpSms(client, url="https://sms.test/send", secret=self.SECRET)
            await sms.send_code(message_id=new_id(), phone=PHONE, code="204817")
        return requests

    async def test_the_message_is_signed(self):
        (request,) = await self.sent(200)
        assert json.loads(request.content) == {"phone": PHONE, "code": "204817"}
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
        digest = hmac.new(self.SECRET.encode(), signed + request.content, sha256).digest()
        expected = "v1," + base64.b64encode(digest).decode()
        assert request.headers["webhook-signature"] == expected

    async def test_a_provider_s_failure_is_told_plainly(self):
        with pytest.raises(SmsUnavailable):
            await self.sent(500)

    async def test_a_code_that_could_not_be_sent_does_not_count(self, gateway, tmp_path):
        async for broken in running_gateway(
            gateway.at,
            gateway.issuer,
            tmp_path,
            sms_provider="http",
            sms_url="http://127.0.0.1:9/send",
            sms_secret=self.SECRET,
            development_outbox=None,
        ):
            for _ in range(2):
                answer = await broken.client.post("/v1/sign-in/codes", json={"phone": PHONE})
                assert answer.status_code == 503
                assert answer.json()["code"] == "sms-unavailable"
            assert await broken.count("sign_in_code") == 0
