"""Finding a person's requests, and what is seen of people by whom."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.personal_data import Cipher, is_rotated, rotate
from services.requests.definition import SERVICE
from services.requests.disclosures.rules import SIGHTS, Person, Sight, shown
from services.requests.submissions.standing import person_id
from tests.requests import factories
from tests.requests.factories import COUNTY_UNIT, OTHER_COUNTY_VILLAGE
from tests.requests.test_parties import AGENT, DRAFT, clerk, submit
from tests.requests.uploading import upload
from tests.support.tokens import bearer, resident

PERSON = factories.PERSON
REASON = {"reason": "来电查询进度"}


async def search(service, who, **body):
    return await service.client.post("/v1/people/searches", json=REASON | body, headers=who)


class TestSearch:
    @pytest.mark.parametrize("by", ["identity_number", "mobile"])
    async def test_finds_by_number_or_telephone_and_tells_the_person(self, service, by):
        me = uuid4()
        receipt = (await submit(service, resident(me))).json()
        await submit(service, resident(), applicant=PERSON | {
            "identity_number": AGENT["identity_number"], "mobile": AGENT["mobile"],
        })  # fmt: skip
        answer = await search(service, clerk(), **{by: PERSON[by]})
        [found] = answer.json()["items"]
        assert (found["number"], found["found_as"]) == (receipt["number"], "applicant")
        assert (found["applicant_name"], found["applicant_mobile"]) == ("*大友", "137****9050")
        assert PERSON["identity_number"] not in answer.text
        seen = await service.client.get("/v1/data-accesses", headers=resident(me))
        [entry] = seen.json()["items"]
        assert (entry["viewer_name"], entry["fields"], entry["reason"]) == (
            "李窗口",
            ["search"],
            REASON["reason"],
        )

    async def test_an_agent_is_found_as_one(self, service):
        await submit(service, resident(), agent=AGENT)
        for by in ("identity_number", "mobile"):
            [found] = (await search(service, clerk(), **{by: AGENT[by]})).json()["items"]
            assert found["found_as"] == "agent"

    async def test_only_within_the_callers_division_or_unit(self, service):
        await submit(service, resident())
        identity = {"identity_number": PERSON["identity_number"]}
        for who, count in (
            (bearer("supervisor", division="140800000000"), 1),
            (bearer("supervisor", division="140821000000"), 0),
            (bearer("handler", division="140802000000", unit=COUNTY_UNIT), 1),
            (bearer("handler", division="140802000000", unit="140802000000:health"), 0),
            (bearer("village-agent", division=factories.VILLAGE), 1),
            (bearer("village-agent", division=OTHER_COUNTY_VILLAGE), 0),
        ):
            assert len((await search(service, who, **identity)).json()["items"]) == count

    async def test_a_search_without_result_leaves_its_trace_too(self, service):
        await search(service, clerk(), identity_number=PERSON["identity_number"])
        [row] = await service.fetch("SELECT subject_id FROM data_access")
        assert row["subject_id"] == person_id(service.app.state.cipher, PERSON["identity_number"])

    async def test_refusals_leave_none(self, service):
        identity = {"identity_number": PERSON["identity_number"]}
        for who, status in (({}, 401), (resident(), 403), (bearer("auditor"), 403)):
            assert (await search(service, who, **identity)).status_code == status
        for body in ({}, identity | {"mobile": PERSON["mobile"]}, identity | {"reason": "看"}):
            assert (await search(service, clerk(), **body)).status_code == 422
        assert await service.count("data_access") == 0

    async def test_it_is_found_by_an_index(self, service):
        """Pages touched do not grow with the table."""
        for column, table in (("identity_index", "citizen_request"), ("mobile_index", "citizen_request"),
                              ("identity_index", "request_party"), ("mobile_index", "request_party")):  # fmt: skip
            rows = await service.fetch(
                "SELECT indexdef FROM pg_indexes WHERE tablename = $1 AND indexdef LIKE $2",
                table,
                f"%({column}%",
            )
            assert rows, (table, column)


class TestSight:
    @given(
        st.builds(
            Person,
            st.text("王大友诸葛", min_size=2, max_size=4),
            st.just("11010519491231002X"),
            st.just("13700009050"),
        )
    )
    def test_nobody_but_the_person_sees_everything(self, person):
        for sight in set(SIGHTS.values()):
            seen = shown(person, sight)
            assert seen.name != person.name
            assert person.identity_number[6:14] not in seen.identity_number
            assert person.mobile[3:7] not in seen.mobile
        hidden = shown(person, Sight.hidden)
        assert set(hidden.name + hidden.identity_number + hidden.mobile) == {"*"}
        assert shown(person, Sight.whole) == person


async def test_a_rotation_renews_every_encrypted_column(service):
    """Every column that holds a ciphertext is named in the definition, and is renewed online."""
    me = uuid4()
    await submit(service, resident(me), agent=AGENT)
    await upload(service, resident(me))
    await service.client.post("/v1/drafts", json=DRAFT, headers=resident(me))
    columns = await service.fetch(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')"
    )
    sealed = set()
    for column in columns:
        name, table = column["column_name"], column["table_name"]
        rows = await service.fetch(
            f'SELECT 1 FROM "{table}" WHERE "{name}" LIKE \'test.%\' LIMIT 1'
        )
        if rows:
            sealed.add((table, name))
    named = {(column.table, column.column) for column in SERVICE.encrypted}
    assert sealed <= named
    assert {table for table, _ in sealed} == {
        "citizen_request", "service_case", "request_party", "request_draft", "material_upload",
    }  # fmt: skip
    cipher = service.app.state.cipher
    renewed = Cipher({**cipher.keys, "next": b"n" * 32}, "next", cipher.index_key)
    for column in SERVICE.encrypted:
        async with service.database.transaction() as session:
            await rotate(session, renewed, column)
            assert await is_rotated(session, renewed, column)
    rows = await service.fetch("SELECT name FROM request_party")
    assert [renewed.decrypt(row["name"], "request_party.name") for row in rows] == ["王小友"]
