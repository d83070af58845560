"""Taking files in: piece by piece, by signed link, checked by content, encrypted where they lie."""

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import unquote, urlparse
from uuid import UUID, uuid4

import httpx
import pytest

from servicekit.app import create_cipher
from servicekit.personal_data import Cipher, rotate
from services.requests.definition import SERVICE
from services.requests.materials import rules
from services.requests.materials.scanning import (
    CommandScanner,
    HttpScanner,
    ScanFailed,
    forget_orphans,
    scan_next,
    scanner_of,
)
from services.requests.materials.store import open_store
from services.requests.materials.uploads import PART_BYTES
from tests.requests.uploading import EICAR_PDF, PDF, TUS, begin, png, send, upload
from tests.support.tokens import bearer, resident

LARGE = PDF + b"%" * (2 * PART_BYTES)


def stored(service) -> list[Path]:
    root = Path(unquote(urlparse(service.settings.files_url).path))
    return [path for path in root.rglob("*") if path.is_file()]


async def progress(service, url):
    return (await service.client.get(url)).json()


class TestSending:
    async def test_a_broken_transfer_goes_on_where_it_stopped(self, service):
        begun = (await begin(service, resident(), len(LARGE))).json()
        url, cut = begun["url"], PART_BYTES + 1000
        first = await send(service, url, LARGE[:cut], 0)
        assert (first.status_code, first.headers["upload-offset"]) == (204, str(cut))
        head = await service.client.head(url)
        assert (head.headers["upload-offset"], head.headers["upload-length"]) == (
            str(cut),
            str(len(LARGE)),
        )
        wrong = await send(service, url, LARGE, 0)
        assert (wrong.status_code, wrong.json()["code"]) == (409, "offset-mismatch")
        assert wrong.json()["offset"] == cut
        await send(service, url, LARGE[cut:], cut)
        whole = await progress(service, url)
        assert (whole["state"], whole["media_type"], whole["scan"]) == (
            "complete",
            "application/pdf",
            "not-scanned",
        )
        assert whole["sha256"] == hashlib.sha256(LARGE).hexdigest()
        again = await send(service, url, b"", len(LARGE))
        assert again.json()["code"] == "upload-closed"

    async def test_what_came_before_the_caller_hung_up_is_kept(self, service):
        begun = (await begin(service, resident(), len(PDF))).json()
        path, _, query = begun["url"].partition("?")
        messages = iter(
            [
                {"type": "http.request", "body": PDF[:500], "more_body": True},
                {"type": "http.disconnect"},
            ]
        )
        headers = TUS | {"Upload-Offset": "0", "Transfer-Encoding": "chunked"}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PATCH",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "scheme": "http", "server": ("service", 80), "client": ("127.0.0.1", 1), "root_path": "",
        }  # fmt: skip

        async def receive():
            return next(messages)

        async def ignore(_):
            return None

        await service.app(scope, receive, ignore)
        assert (await progress(service, begun["url"]))["received_bytes"] == 500
        await send(service, begun["url"], PDF[500:], 500)
        assert (await progress(service, begun["url"]))["state"] == "complete"

    async def test_two_that_send_the_same_piece(self, service):
        begun = (await begin(service, resident(), len(PDF))).json()
        answers = await asyncio.gather(*(send(service, begun["url"], PDF, 0) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) in ([204, 409], [204, 410])
        whole = await progress(service, begun["url"])
        assert whole["sha256"] == hashlib.sha256(PDF).hexdigest()

    async def test_more_than_was_announced(self, service):
        begun = (await begin(service, resident(), 100)).json()
        answer = await send(service, begun["url"], PDF, 0)
        assert (answer.status_code, answer.json()["code"]) == (422, "file-too-large")
        limit = service.settings.file_limit_bytes
        large = await begin(service, resident(), limit + 1)
        assert large.json()["code"] == "file-too-large"

    @pytest.mark.parametrize(
        "content",
        [
            b"MZ\x90\x00" + b"\x00" * 200,
            b"<html><script>1</script></html>",
            b"PK\x03\x04" + b"0" * 90,
        ],
    )
    async def test_the_type_is_what_the_content_says(self, service, content):
        begun = (await begin(service, resident(), len(content), "照片.png")).json()
        answer = await send(service, begun["url"], content, 0)
        assert (answer.status_code, answer.json()["code"]) == (415, "file-type-refused")
        assert (await progress(service, begun["url"]))["state"] == "refused"
        assert not [path for path in stored(service) if begun["id"] in str(path)]

    async def test_stored_bytes_and_names_are_encrypted(self, service):
        upload_id = await upload(service, resident())
        pieces = [path.read_bytes() for path in stored(service) if upload_id in str(path)]
        assert pieces
        assert all(b"Catalog" not in piece for piece in pieces)
        [row] = await service.fetch("SELECT u::text AS u FROM material_upload u")
        assert "身份证" not in row["u"]

    async def test_who_may_begin_and_by_which_link(self, service):
        assert (await begin(service, {}, 10)).status_code == 401
        assert (await begin(service, bearer("auditor"), 10)).json()["code"] == "wrong-role"
        begun = (await begin(service, resident(), len(PDF))).json()
        path = f"/v1/uploads/{begun['id']}"
        cipher = create_cipher(service.settings)
        upload_id = UUID(begun["id"])
        links = [
            begun["url"][:-1] + ("A" if begun["url"][-1] != "A" else "B"),
            begun["url"].replace("expires=", "expires=1"),
            rules.link(cipher, path, "upload", upload_id, -1)[0],
            rules.link(cipher, path, "open", upload_id, 60)[0],
            rules.link(cipher, path, "upload", uuid4(), 60)[0],
        ]
        for link in links:
            answer = await send(service, link, PDF, 0)
            assert (answer.status_code, answer.json()["code"]) == (403, "link-invalid"), link
        version = await service.client.patch(
            begun["url"],
            content=PDF,
            headers=TUS | {"Upload-Offset": "0", "Tus-Resumable": "0.2.2"},
        )
        assert version.status_code == 412
        typed = await service.client.patch(
            begun["url"], content=PDF, headers=TUS | {"Upload-Offset": "0", "Content-Type": "a/b"}
        )
        assert typed.status_code == 415
        assert (await progress(service, begun["url"]))["received_bytes"] == 0

    async def test_not_too_many_that_belong_to_nothing(self, service):
        me = resident()
        for _ in range(60):
            assert (await begin(service, me, 10)).status_code == 201
        assert (await begin(service, me, 10)).json()["code"] == "too-many-files"


async def content_of(service, upload_id) -> bytes:
    link, _ = rules.link(
        create_cipher(service.settings), f"/v1/files/{upload_id}", "open", UUID(upload_id), 60
    )
    answer = await service.client.get(link)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_rotation_renews_the_key_and_leaves_the_file_readable(service):
    upload_id = await upload(service, resident())
    cipher = service.app.state.cipher
    renewed = Cipher({**cipher.keys, "next": b"n" * 32}, "next", cipher.index_key)
    columns = [column for column in SERVICE.encrypted if column.table == "material_upload"]
    assert {column.column for column in columns} == {"file_name", "content_key"}
    async with service.database.transaction() as session:
        for column in columns:
            assert await rotate(session, renewed, column) == [UUID(upload_id)]
    service.app.state.files = files = service.app.state.files
    object.__setattr__(files, "cipher", renewed)
    try:
        assert await content_of(service, upload_id) == PDF
    finally:
        object.__setattr__(files, "cipher", cipher)


class TestScanning:
    COMMAND = "sh -c 'if grep -q EICAR; then exit 1; fi'"

    async def pending(self, service, content):
        upload_id = await upload(service, resident(), content)
        await service.fetch(
            "UPDATE material_upload SET scan = 'pending' WHERE id = $1 RETURNING id",
            UUID(upload_id),
        )
        return upload_id

    async def scan_of(self, service, upload_id):
        [row] = await service.fetch(
            "SELECT scan, content_key FROM material_upload WHERE id = $1", UUID(upload_id)
        )
        return row["scan"], row["content_key"] is not None

    async def test_clean_and_infected_by_a_command(self, service):
        scanner = CommandScanner(self.COMMAND)
        good, bad = await self.pending(service, PDF), await self.pending(service, EICAR_PDF)
        files = service.app.state.files
        while await scan_next(service.database, files, scanner):
            pass
        assert await self.scan_of(service, good) == ("clean", True)
        assert await self.scan_of(service, bad) == ("infected", False)
        assert not [path for path in stored(service) if bad in str(path)]
        assert await content_of(service, good) == PDF

    @pytest.mark.parametrize("command", ["sh -c 'exit 2'", "no-such-scanner-anywhere"])
    async def test_a_scanner_that_fails_leaves_the_file_closed(self, service, command):
        upload_id = await self.pending(service, PDF)
        scanner = CommandScanner(command)
        assert await scan_next(service.database, service.app.state.files, scanner)
        assert await self.scan_of(service, upload_id) == ("pending", True)
        assert not await scan_next(service.database, service.app.state.files, scanner)

    async def test_by_http(self):
        def answer(request: httpx.Request) -> httpx.Response:
            if request.content == b"broken":
                return httpx.Response(200, json={"infected": "maybe"})
            return httpx.Response(200, json={"infected": b"EICAR" in request.content})

        scanner = HttpScanner("http://scanner/scan", httpx.MockTransport(answer))
        assert await scanner(EICAR_PDF)
        assert not await scanner(PDF)
        with pytest.raises(ScanFailed):
            await scanner(b"broken")

    def test_without_one_files_say_that_nobody_has_looked(self):
        assert scanner_of("", "") is None


async def test_orphans_are_forgotten_and_what_is_handed_in_is_not(service):
    orphan, fresh = await upload(service, resident(), png()), await upload(service, resident())
    await service.fetch(
        "UPDATE material_upload SET expires_at = now() - interval '2 hours' WHERE id = $1 "
        "RETURNING id",
        UUID(orphan),
    )
    assert await forget_orphans(service.database, service.app.state.files) == 1
    rows = await service.fetch("SELECT id FROM material_upload")
    assert [str(row["id"]) for row in rows] == [fresh]
    assert not [path for path in stored(service) if orphan in str(path)]
    assert [path for path in stored(service) if fresh in str(path)]


async def test_a_changed_piece_is_noticed(service):
    from services.requests.materials.store import FileDamaged, key_bytes, new_key

    store, key, upload_id = open_store(service.settings.files_url), key_bytes(new_key()), uuid4()
    part = await store.put(upload_id, 0, b"content", key)
    [path] = [path for path in stored(service) if str(upload_id) in str(path)]
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(FileDamaged):
        [piece async for piece in store.read(upload_id, [part], key)]
