"""Personal data: unreadable in the database, found again, and never shown by accident."""

import asyncio
import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from servicekit.personal_data import (
    Cipher,
    EncryptedColumn,
    UndecryptableData,
    is_rotated,
    mask_identity_number,
    mask_mobile,
    mask_name,
    record_access,
    rotate,
)
from tests.servicekit.sample.models import Note

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32
SECRET = EncryptedColumn("note", "secret")
cipher = Cipher({"old": OLD}, "old", INDEX)
newer = Cipher({"old": OLD, "new": NEW}, "new", INDEX)


class TestCipher:
    @given(st.text())
    def test_a_value_comes_back_as_it_went_in(self, plain):
        stored = cipher.encrypt(plain, "person.name")
        assert cipher.decrypt(stored, "person.name") == plain

    def test_equal_values_look_different(self):
        one, other = (cipher.encrypt("王大友", "person.name") for _ in range(2))
        assert one != other
        assert "王" not in one

    def test_a_value_cannot_be_moved_to_another_column(self):
        stored = cipher.encrypt("王大友", "person.name")
        with pytest.raises(UndecryptableData):
            cipher.decrypt(stored, "person.spouse")

    @pytest.mark.parametrize(
        "spoiled",
        [
            "",
            "old",
            "old.",
            "old.AAAA",
            "old.no base64!",
            "old.A",
            pytest.param("gone." + cipher.encrypt("王", "c").partition(".")[2], id="unknown key"),
            pytest.param(cipher.encrypt("王", "c")[:-4] + "AAAA", id="changed tag"),
        ],
    )
    def test_what_is_no_value_of_ours_is_refused(self, spoiled):
        with pytest.raises(UndecryptableData):
            cipher.decrypt(spoiled, "c")

    def test_old_values_are_readable_after_the_key_has_changed(self):
        stored = cipher.encrypt("王大友", "c")
        assert newer.decrypt(stored, "c") == "王大友"
        assert not newer.is_current(stored)
        assert newer.is_current(newer.encrypt("王大友", "c"))

    def test_its_keys_are_not_shown(self):
        assert "bytes" not in repr(newer)
        assert "nnnn" not in repr(newer)
        assert "iiii" not in repr(newer)

    @pytest.mark.parametrize(
        ("keys", "current", "index"),
        [
            ({"old": OLD}, "new", INDEX),
            ({"2026.1": OLD}, "2026.1", INDEX),
            ({"": OLD}, "", INDEX),
            ({"old": OLD[:16]}, "old", INDEX),
            ({"old": OLD}, "old", b""),
        ],
        ids=["no current key", "dot in the id", "no id", "half a key", "no index key"],
    )
    def test_unusable_keys_stop_the_start(self, keys, current, index):
        with pytest.raises(ValueError, match="key"):
            Cipher(keys, current, index)


class TestBlindIndex:
    def test_is_equal_for_equal_values(self):
        lower, padded = "14080219900101123x", " 14080219900101123X "
        assert cipher.blind_index(lower, "c") == cipher.blind_index(padded, "c")

    def test_survives_a_change_of_the_data_key(self):
        assert cipher.blind_index("13712349050", "c") == newer.blind_index("13712349050", "c")

    def test_differs_by_value_column_and_key(self):
        other = Cipher({"old": OLD}, "old", b"j" * 32)
        found = {
            cipher.blind_index("13712349050", "c"),
            cipher.blind_index("13712349051", "c"),
            cipher.blind_index("13712349050", "d"),
            other.blind_index("13712349050", "c"),
        }
        assert len(found) == 4
        assert {len(index) for index in found} == {32}


class TestMasks:
    """Samples of 浙里办's published rules."""

    @pytest.mark.parametrize(
        ("name", "masked"),
        [("王大友", "*大友"), ("李安", "*安"), ("王", "*"), ("", ""), ("欧阳大友", "*阳大友")],
    )
    def test_name(self, name, masked):
        assert mask_name(name) == masked

    @pytest.mark.parametrize(
        ("number", "masked"),
        [("33012319740215123X", "3****************X"), ("AB", "**"), ("A", "*"), ("", "")],
    )
    def test_identity_number(self, number, masked):
        assert mask_identity_number(number) == masked

    @pytest.mark.parametrize(
        ("number", "masked"), [("13712349050", "137****9050"), ("12345", "*****"), ("", "")]
    )
    def test_mobile(self, number, masked):
        assert mask_mobile(number) == masked

    @given(st.text(st.characters(min_codepoint=48, max_codepoint=57), min_size=18, max_size=18))
    def test_identity_number_keeps_its_length_and_two_digits(self, number):
        masked = mask_identity_number(number)
        assert (len(masked), masked.count("*")) == (18, 16)


async def add_notes(database, made_by: Cipher, count: int) -> None:
    rows = [
        {
            "id": uuid4(),
            "title": os.urandom(6).hex(),
            "secret": made_by.encrypt("王大友", SECRET.context),
            "version": 1,
        }
        for _ in range(count)
    ]
    async with database.transaction() as session:
        await session.execute(insert(Note), rows)


async def rotated_in(database, by: Cipher, batch: int) -> int:
    async with database.transaction() as session:
        return len(await rotate(session, by, SECRET, batch=batch))


class TestRotation:
    async def test_every_value_is_renewed_and_keeps_its_meaning(self, sample, database):
        await add_notes(database, cipher, 25)
        await add_notes(database, newer, 5)
        counts = [await rotated_in(database, newer, 10) for _ in range(4)]
        assert counts == [10, 10, 5, 0]
        only_new = Cipher({"new": NEW}, "new", INDEX)
        rows = await sample.fetch("SELECT secret FROM note")
        assert {only_new.decrypt(row["secret"], SECRET.context) for row in rows} == {"王大友"}

    async def test_batches_go_on_behind_one_another(self, sample, database):
        await add_notes(database, cipher, 12)
        seen: list[object] = []
        after = None
        async with database.transaction() as session:
            while batch := await rotate(session, newer, SECRET, batch=5, after=after):
                seen += batch
                after = batch[-1]
            assert len(seen) == 12
            assert await is_rotated(session, newer, SECRET)
            assert seen == sorted(seen, key=str)

    async def test_goes_on_while_rows_are_written(self, sample, database):
        await add_notes(database, cipher, 60)

        async def write() -> None:
            for _ in range(20):
                await add_notes(database, newer, 1)
                await sample.fetch(
                    "UPDATE note SET version = version + 1, secret = $1 WHERE id = "
                    "(SELECT id FROM note WHERE secret LIKE 'old.%' LIMIT 1)",
                    newer.encrypt("changed", SECRET.context),
                )

        async def renew() -> None:
            while True:
                async with database.transaction() as session:
                    renewed = await rotate(session, newer, SECRET, batch=7)
                    if not renewed and await is_rotated(session, newer, SECRET):
                        return

        await asyncio.gather(write(), renew())
        rows = await sample.fetch("SELECT secret, version FROM note")
        assert len(rows) == 80
        for row in rows:
            meaning = "王大友" if row["version"] == 1 else "changed"
            assert newer.is_current(row["secret"])
            assert newer.decrypt(row["secret"], SECRET.context) == meaning

    async def test_a_row_that_is_held_is_left_and_known_to_be_left(self, sample, database):
        await add_notes(database, cipher, 2)
        async with database.transaction() as holder:
            await holder.execute(text("SELECT 1 FROM note LIMIT 1 FOR UPDATE"))
            async with database.transaction() as session:
                assert len(await rotate(session, newer, SECRET)) == 1
                assert not await is_rotated(session, newer, SECRET)
        assert await rotated_in(database, newer, 10) == 1

    async def test_rows_without_a_value_are_left_alone(self, sample, database):
        await sample.fetch(
            "INSERT INTO note (id, title, version) VALUES (gen_random_uuid(), 'a', 1)"
        )
        assert await rotated_in(database, newer, 10) == 0
        async with database.reading() as session:
            assert await is_rotated(session, newer, SECRET)


async def test_an_access_is_written_down_in_the_callers_transaction(sample, database):
    resident, clerk = uuid4(), uuid4()
    access: dict[str, Any] = {
        "subject_id": resident,
        "viewer_id": clerk,
        "viewer_name": "测试人员",
        "viewer_unit": "140802000000:one-window",
        "record": "case 1",
        "fields": ["identity_number", "mobile"],
        "reason": "核对身份",
    }
    async with database.transaction() as session:
        await record_access(session, **access)
    [row] = await sample.fetch("SELECT * FROM data_access")
    assert {name: row[name] for name in access} == access
    assert row["seen_at"] is not None

    async def fail() -> None:
        async with database.transaction() as session:
            await record_access(session, **access)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await sample.count("data_access") == 1
