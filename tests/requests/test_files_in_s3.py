"""Files of materials in a real S3 server: taken in, opened, and gone when they should be."""

import hashlib
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from devstack.ports import pick_free_port
from servicekit.app import create_cipher
from servicekit.timers import Timers, set_timer
from services.requests.materials import rules
from services.requests.materials.erasing import ERASE, erase
from services.requests.materials.scanning import CommandScanner, forget_orphans, scan_next
from services.requests.materials.store import (
    ANSWER,
    FileDamaged,
    FilesUnavailable,
    Part,
    open_store,
)
from services.requests.materials.uploads import PART_BYTES
from tests.requests.test_uploads import LARGE
from tests.requests.uploading import EICAR_PDF, PDF, begin, send, upload
from tests.support.tokens import resident


@pytest.fixture
def kept(service, s3):
    """The service with its files in a bucket of their own, and the directory that is the bucket."""
    bucket = f"files-{uuid4().hex[:8]}"
    directory = s3.create_bucket(bucket)
    before = service.app.state.files
    service.app.state.files = replace(before, store=open_store(f"s3://{bucket}/county"))
    yield service, directory
    service.app.state.files = before


def objects(directory: Path, upload_id: str = "") -> list[Path]:
    return sorted(p for p in directory.rglob("*") if p.is_file() and upload_id in str(p))


def open_link(service, upload_id: str, seconds: int = 60) -> str:
    cipher, path = create_cipher(service.settings), f"/v1/files/{upload_id}"
    return rules.link(cipher, path, "open", UUID(upload_id), seconds)[0]


async def test_a_broken_transfer_goes_on_and_the_link_gives_what_was_sent(kept):
    service, bucket = kept
    begun = (await begin(service, resident(), len(LARGE))).json()
    url, cut = begun["url"], PART_BYTES + 1000
    await send(service, url, LARGE[:cut], 0)
    head = await service.client.head(url)
    assert head.headers["upload-offset"] == str(cut)
    assert (await send(service, url, LARGE, 0)).json()["offset"] == cut
    assert (await send(service, url, LARGE[cut:], cut)).status_code == 204
    whole = (await service.client.get(url)).json()
    assert whole["sha256"] == hashlib.sha256(LARGE).hexdigest()
    pieces = objects(bucket, begun["id"])
    assert len(pieces) == 2
    assert all(piece.is_relative_to(bucket / "county" / "files") for piece in pieces)
    assert all(b"Catalog" not in piece.read_bytes() for piece in pieces)
    assert (await service.client.get(open_link(service, begun["id"]))).content == LARGE
    for link in (open_link(service, begun["id"], -1), open_link(service, begun["id"])[:-2] + "AA"):
        assert (await service.client.get(link)).json()["code"] == "link-invalid"


async def test_what_is_refused_infected_forgotten_or_destroyed_leaves_no_object(kept):
    service, bucket = kept
    files, me = service.app.state.files, resident()
    begun = (await begin(service, me, 200)).json()
    assert (await send(service, begun["url"], b"MZ" + b"\x00" * 198, 0)).status_code == 415
    infected, orphan, destroyed, stays = [
        await upload(service, me, content) for content in (EICAR_PDF, PDF, PDF, PDF)
    ]
    await service.fetch(
        "UPDATE material_upload SET scan = 'pending' WHERE id = $1 RETURNING id", UUID(infected)
    )
    scanner = CommandScanner("sh -c 'if grep -q EICAR; then exit 1; fi'")
    assert await scan_next(service.database, files, scanner)
    await service.fetch(
        "UPDATE material_upload SET expires_at = now() - interval '2 hours' WHERE id = $1 "
        "RETURNING id",
        UUID(orphan),
    )
    assert await forget_orphans(service.database, files) == 1
    async with service.database.transaction() as session:
        await set_timer(session, ERASE, UUID(destroyed), datetime.now(UTC))

    async def erase_file(session, upload_id):
        await erase(files, session, upload_id)

    assert await Timers(service.database, {ERASE: erase_file}).run_due() == 1
    assert {path.parent.name for path in objects(bucket)} == {stays}
    assert (await service.client.get(open_link(service, stays))).content == PDF


async def test_while_the_bucket_cannot_be_reached_nothing_is_lost_and_nobody_waits_long(
    kept, monkeypatch
):
    service, bucket = kept
    files = service.app.state.files
    orphan = await upload(service, resident())
    await service.fetch(
        "UPDATE material_upload SET expires_at = now() - interval '2 hours' RETURNING id"
    )
    begun = (await begin(service, resident(), len(PDF))).json()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{pick_free_port()}")
    away = replace(files, store=open_store("s3://anything/county"))
    service.app.state.files = away
    began = time.monotonic()
    answer = await send(service, begun["url"], PDF, 0)
    assert (answer.status_code, answer.json()["code"]) == (503, "files-unavailable")
    assert time.monotonic() - began < 2 * ANSWER.total_seconds()
    with pytest.raises(FilesUnavailable):
        await forget_orphans(service.database, away)
    assert await service.count("material_upload") == 2
    service.app.state.files = files
    assert (await send(service, begun["url"], PDF, 0)).status_code == 204
    assert await forget_orphans(service.database, files) == 1
    assert not objects(bucket, orphan)


async def test_a_bucket_that_is_gone_is_no_damaged_file(kept):
    service, bucket = kept
    upload_id = UUID(await upload(service, resident()))
    store, parts = service.app.state.files.open_store, [Part(0, "files/nothing")]
    with pytest.raises(FileDamaged):
        await anext(store.read(upload_id, parts, bytes(32)))
    with pytest.raises(FilesUnavailable):
        await anext(open_store("s3://files-unknown/county").read(upload_id, parts, bytes(32)))
    assert objects(bucket)


async def test_a_key_the_bucket_does_not_know(kept, monkeypatch):
    service, _ = kept
    begun = (await begin(service, resident(), len(PDF))).json()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", os.environ["AWS_SECRET_ACCESS_KEY"] + "x")
    bucket = "files-unknown"
    service.app.state.files = replace(
        service.app.state.files, store=open_store(f"s3://{bucket}/county")
    )
    answer = await send(service, begun["url"], PDF, 0)
    assert (answer.status_code, answer.json()["code"]) == (503, "files-unavailable")
