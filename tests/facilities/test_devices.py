import asyncio
from uuid import UUID, uuid4

import pytest

from servicekit.timers import Timers
from services.facilities.devices import service
from services.facilities.worker import TIMERS
from tests.facilities.factories import COUNTY, OTHER_COUNTY, TOWNSHIP, manager, recorded
from tests.support.tokens import bearer, resident

TERMINAL = {
    "kind": "self-service-terminal",
    "name": "大厅自助机",
    "serial_number": "YC-0001",
}


async def register(facilities, body, device=TERMINAL, headers=None):
    return await facilities.client.post(
        f"/v1/facilities/{body['id']}/devices", json=device, headers=headers or manager()
    )


async def beat(facilities, key, **report):
    return await facilities.client.post(
        "/v1/device-heartbeats", json=report, headers={"X-Device-Key": key}
    )


async def seen(facilities, body):
    answer = await facilities.client.get(f"/v1/facilities/{body['id']}/devices")
    return [(device["state"], device["paper"]) for device in answer.json()["items"]]


async def silence(facilities, device_id):
    """Let the device have been silent for long, and the worker notice."""
    await facilities.fetch(
        "UPDATE device SET last_seen_at = now() - interval '1 hour' WHERE id = $1", UUID(device_id)
    )
    await facilities.fetch("UPDATE timer SET due_at = now()")
    await Timers(facilities.database, TIMERS).run_due()


class TestHeartbeat:
    async def test_online_out_of_paper_silent_and_back(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        assert await seen(facilities, body) == [("never-seen", None)]
        answer = await beat(facilities, device["key"], paper="ok")
        assert answer.json() == {
            "device_id": device["id"], "state": "online", "report_again_in_seconds": 60,
        }  # fmt: skip
        await beat(facilities, device["key"], paper="ok")
        await beat(facilities, device["key"], paper="out")
        assert await seen(facilities, body) == [("online", "out")]
        await silence(facilities, device["id"])
        assert await seen(facilities, body) == [("offline", "out")]
        await beat(facilities, device["key"], paper="ok", fault="读卡器无响应")
        url = f"/v1/devices/{device['id']}/changes"
        page = (await facilities.client.get(url, headers=bearer("auditor"))).json()
        assert [(entry["state"], entry["paper"]) for entry in page["items"]] == [
            ("online", "ok"), ("offline", "out"), ("online", "out"), ("online", "ok"),
        ]  # fmt: skip
        assert page["items"][0]["fault"] == "读卡器无响应"

    async def test_a_timer_that_comes_too_early_is_set_again(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        await beat(facilities, device["key"])
        async with facilities.database.transaction() as session:
            await service.miss(session, UUID(device["id"]))
        assert await seen(facilities, body) == [("online", None)]
        assert await facilities.count("timer") == 1

    @pytest.mark.parametrize("key", ["", "x" * 43, "y" * 500])
    async def test_a_foreign_key_is_refused(self, facilities, key):
        answer = await beat(facilities, key)
        assert (answer.status_code, answer.json()["code"]) == (401, "device-key-unknown")

    async def test_a_bad_report_changes_nothing(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        assert (await beat(facilities, device["key"], paper="a lot")).status_code == 422
        assert (await beat(facilities, device["key"], owner="x")).status_code == 422
        assert await seen(facilities, body) == [("never-seen", None)]

    async def test_reports_at_once_leave_one_change(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        await asyncio.gather(*(beat(facilities, device["key"], paper="low") for _ in range(4)))
        assert await facilities.count("device_state_change") == 1


class TestRegister:
    async def test_the_key_is_shown_once_and_ends_with_the_next(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        [row] = await facilities.fetch("SELECT key_hash FROM device")
        assert device["key"].encode() != row["key_hash"]
        renewed = await facilities.client.post(f"/v1/devices/{device['id']}/key", headers=manager())
        assert renewed.json()["key"] != device["key"]
        assert (await beat(facilities, device["key"])).status_code == 401
        assert (await beat(facilities, renewed.json()["key"])).status_code == 200

    async def test_a_serial_number_is_taken_once(self, facilities):
        body = await recorded(facilities)
        answers = await asyncio.gather(*(register(facilities, body) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        codes = {answer.json().get("code") for answer in answers}
        assert codes == {None, "device-serial-taken"}

    async def test_what_does_not_report_has_no_key(self, facilities):
        body = await recorded(facilities)
        aed = TERMINAL | {"kind": "aed", "serial_number": "AED-1"}
        device = (await register(facilities, body, aed)).json()
        assert device["key"] is None
        answer = await facilities.client.post(f"/v1/devices/{device['id']}/key", headers=manager())
        assert answer.json()["code"] == "device-does-not-report"

    async def test_a_retired_device_is_heard_no_more(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        await beat(facilities, device["key"])
        for _ in range(2):
            answer = await facilities.client.delete(
                f"/v1/devices/{device['id']}", headers=manager()
            )
            assert answer.status_code == 204
        assert (await beat(facilities, device["key"])).status_code == 401
        assert await seen(facilities, body) == []
        assert await facilities.count("timer") == 0

    async def test_who_may_not(self, facilities):
        body = await recorded(facilities)
        device = (await register(facilities, body)).json()
        url = f"/v1/devices/{device['id']}"
        for headers, code in [
            ({}, "unauthenticated"),
            (resident(), "wrong-role"),
            (bearer("auditor"), "wrong-role"),
            (manager(OTHER_COUNTY), "wrong-division"),
        ]:
            other = TERMINAL | {"serial_number": "YC-2"}
            refused = await facilities.client.post(
                f"/v1/facilities/{body['id']}/devices", json=other, headers=headers
            )
            assert refused.json()["code"] == code
            renewed = await facilities.client.post(f"{url}/key", headers=headers)
            assert renewed.json()["code"] == code
            assert (await facilities.client.delete(url, headers=headers)).json()["code"] == code
        elsewhere = await facilities.client.get(
            f"{url}/changes", headers=bearer("auditor", division=OTHER_COUNTY)
        )
        assert elsewhere.json()["code"] == "wrong-division"
        assert await facilities.count("device") == 1
        unknown = await facilities.client.delete(f"/v1/devices/{uuid4()}", headers=manager())
        assert unknown.json()["code"] == "device-not-found"


class TestListDevices:
    async def test_those_that_need_a_hand(self, facilities):
        body = await recorded(facilities)
        for number in range(3):
            device = await register(
                facilities, body, TERMINAL | {"serial_number": f"YC-{number:04}"}
            )
            if number:
                await beat(facilities, device.json()["key"], paper="out")
        url = "/v1/devices"
        page = await facilities.client.get(f"{url}?paper=out&limit=1", headers=manager())
        assert page.json()["items"][0]["serial_number"] == "YC-0001"
        rest = await facilities.client.get(
            f"{url}?paper=out&after={page.json()['next']}", headers=manager()
        )
        assert [entry["serial_number"] for entry in rest.json()["items"]] == ["YC-0002"]
        silent = await facilities.client.get(
            f"{url}?state=never-seen&within={TOWNSHIP}", headers=bearer("auditor")
        )
        assert len(silent.json()["items"]) == 1
        outside = await facilities.client.get(
            f"{url}?within={COUNTY}", headers=manager(OTHER_COUNTY)
        )
        assert outside.json()["code"] == "wrong-division"
        assert (await facilities.client.get(url)).status_code == 401
