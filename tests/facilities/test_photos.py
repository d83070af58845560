import asyncio
import struct
import zlib
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest

from servicekit.timers import Timers
from services.facilities.photos.erasing import ERASE, SETTLED, erase, sweep
from services.facilities.photos.store import PhotoStore, PhotosUnavailable, open_store
from tests.facilities.factories import OTHER_COUNTY, manager, recorded
from tests.support.tokens import bearer, resident


def png(grey: int = 0) -> bytes:
    """A picture of one point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes([0, grey])))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def stored(facilities, tmp_path):
    """The service with a directory for pictures."""
    before = facilities.app.state.photos
    facilities.app.state.photos = open_store(tmp_path.as_uri())
    yield facilities
    facilities.app.state.photos = before


async def post(service, body, content, *, headers=None, kind="image/png", **query):
    return await service.client.post(
        f"/v1/facilities/{body['id']}/photos",
        params=query,
        content=content,
        headers={"Content-Type": kind} | (headers or manager()),
    )


class TestPhotos:
    async def test_added_shown_and_taken_away(self, stored):
        body = await recorded(stored)
        answer = await post(stored, body, png(), caption="大厅")
        assert answer.status_code == 201, answer.text
        photo = answer.json()
        assert (photo["content_type"], photo["caption"]) == ("image/png", "大厅")
        shown = await stored.client.get(photo["url"])
        assert (shown.content, shown.headers["content-type"]) == (png(), "image/png")
        assert "immutable" in shown.headers["cache-control"]
        listed = await stored.client.get(f"/v1/facilities/{body['id']}/photos")
        assert listed.json()["items"] == [photo]
        gone = await stored.client.delete(photo["url"], headers=manager())
        assert gone.status_code == 204
        assert (await stored.client.get(photo["url"])).json()["code"] == "photo-not-found"
        again = await stored.client.delete(photo["url"], headers=manager())
        assert again.json()["code"] == "photo-not-found"

    async def test_what_it_is_counts_and_not_what_it_says(self, stored):
        body = await recorded(stored)
        for content in (b"%PDF-1.7 not a picture at all", b"<svg/>", b"", png()[:4]):
            answer = await post(stored, body, content)
            assert (answer.status_code, answer.json()["code"]) == (422, "photo-unreadable")
        assert (await post(stored, body, png(), kind="image/jpeg")).json()[
            "content_type"
        ] == "image/png"
        assert await stored.count("photo") == 1

    async def test_a_repeat_adds_once_and_the_same_picture_is_kept_once(self, stored):
        body = await recorded(stored)
        keyed = manager() | {"Idempotency-Key": "photo-1"}
        first = await post(stored, body, png(), headers=keyed)
        assert (await post(stored, body, png(), headers=keyed)).json() == first.json()
        answers = await asyncio.gather(*(post(stored, body, png(7)) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        assert {answer.json().get("code") for answer in answers} == {None, "photo-taken"}

    async def test_who_may_not(self, stored):
        body = await recorded(stored)
        for headers, code in [
            (resident(), "wrong-role"),
            (bearer("auditor"), "wrong-role"),
            (manager(OTHER_COUNTY), "wrong-division"),
        ]:
            assert (await post(stored, body, png(), headers=headers)).json()["code"] == code
        assert await stored.count("photo") == 0

    async def test_without_a_store_nothing_is_written(self, facilities):
        body = await recorded(facilities)
        answer = await post(facilities, body, png())
        assert (answer.status_code, answer.json()["code"]) == (503, "photos-unavailable")
        assert await facilities.count("photo") == 0


async def erase_due(service, store: PhotoStore) -> int:
    return await Timers(service.database, {ERASE: partial(erase, store)}).run_due()


class TestBytes:
    async def test_a_picture_taken_away_leaves_a_bucket(self, facilities, s3):
        bucket = f"photos-{uuid4().hex[:8]}"
        directory = s3.create_bucket(bucket)
        before, store = facilities.app.state.photos, open_store(f"s3://{bucket}/places")
        facilities.app.state.photos = store
        try:
            body = await recorded(facilities)
            first = await post(facilities, body, png(1))
            assert first.status_code == 201, first.text
            kept = first.json()
            photo = (await post(facilities, body, png(2))).json()
            assert (await facilities.client.get(photo["url"])).content == png(2)
            assert (
                await facilities.client.delete(photo["url"], headers=manager())
            ).status_code == 204
            assert await erase_due(facilities, store) == 1
            [left] = [path for path in directory.rglob("*") if path.is_file()]
            assert left.name == kept["id"]
            assert left == directory / "places" / "photos" / kept["id"]
        finally:
            facilities.app.state.photos = before

    async def test_bytes_of_nobody_are_swept_once_they_are_old(self, stored):
        store = stored.app.state.photos
        kept = (await post(stored, await recorded(stored), png())).json()
        lost, now = uuid4(), datetime.now(UTC)
        await store.put(lost, png(3))  # as when its transaction is lost
        assert await sweep(store, stored.database, now) == 0
        assert await store.get(lost) is not None
        assert await sweep(store, stored.database, now + 2 * SETTLED) == 1
        assert await store.get(lost) is None
        assert (await stored.client.get(kept["url"])).content == png()

    async def test_a_store_that_is_away_is_asked_again(self, stored):
        photo = (await post(stored, await recorded(stored), png())).json()
        assert (await stored.client.delete(photo["url"], headers=manager())).status_code == 204
        assert await erase_due(stored, PhotoStore(None)) == 1
        [timer] = await stored.fetch("SELECT attempts FROM timer WHERE kind = $1", ERASE)
        assert timer["attempts"] == 1
        with pytest.raises(PhotosUnavailable):
            await sweep(PhotoStore(None), stored.database, datetime.now(UTC))
