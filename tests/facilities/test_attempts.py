"""Everything wrong with a body is named in one answer, and nothing is written."""

from tests.facilities.factories import facility, manager, recorded, versioned
from tests.facilities.test_facilities_endpoints import URL, nothing_written


class TestAttempts:
    async def test_faults_of_form_and_between_fields_come_in_one_answer(self, facilities):
        body = facility(
            name="",
            facility_type="castle",
            phone="nobody",
            total_area_m2=100,
            activity_area_m2=300,
            office_area_m2="much",
            tenure_until="2027-01-01",
            colour="red",
        )
        answer = await facilities.client.post(URL, json=body, headers=manager())
        assert (answer.status_code, answer.json()["code"]) == (422, "facility-invalid")
        assert {(error["path"], error["type"]) for error in answer.json()["errors"]} == {
            ("/name", "string_too_short"),
            ("/phone", "string_pattern_mismatch"),
            ("/office_area_m2", "float_parsing"),
            ("/colour", "extra_forbidden"),
            ("/facility_type", "type-unknown"),
            ("/activity_area_m2", "area-too-large"),
            ("/tenure_until", "tenure-not-limited"),
        }
        assert await nothing_written(facilities)

    async def test_a_rule_is_silent_about_a_field_that_cannot_be_read(self, facilities):
        body = facility(total_area_m2="100 平方米", activity_area_m2=300, division_code="1408")
        answer = await facilities.client.post(URL, json=body, headers=manager())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
        assert {error["path"] for error in answer.json()["errors"]} == {
            "/total_area_m2",
            "/division_code",
        }
        assert await nothing_written(facilities)

    async def test_faults_of_both_kinds_in_a_change_are_named_at_once(self, facilities):
        body = await recorded(facilities)
        change = {"phone": "nobody", "activity_area_m2": 9000, "weekly_hours": {"monday": "ever"}}
        answer = await facilities.client.patch(
            f"{URL}/{body['id']}", json=change, headers=versioned(manager())
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "facility-invalid")
        assert {error["path"] for error in answer.json()["errors"]} == {
            "/phone",
            "/weekly_hours/monday",
            "/activity_area_m2",
        }
        assert len(await facilities.events()) == 1
