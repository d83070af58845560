"""Files for tests, and how a phone sends them."""

import struct
import zlib
from uuid import uuid4

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
PDF = b"%PDF-1.7\n" + b"1 0 obj\n<< /Type /Catalog >>\nendobj\n" * 40 + b"%%EOF\n"
EICAR_PDF = b"%PDF-1.7\n% EICAR-STANDARD-ANTIVIRUS-TEST-FILE\n%%EOF\n"


def png() -> bytes:
    """A picture of its own each time."""
    body = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" + uuid4().bytes[:3])
    chunks = [(b"IHDR", body), (b"IDAT", pixels), (b"IEND", b"")]
    packed = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + packed


async def begin(service, headers, size, name="身份证.pdf"):
    body = {"file_name": name, "size_bytes": size}
    return await service.client.post("/v1/uploads", json=body, headers=headers)


async def send(service, url, content, offset):
    headers = TUS | {"Upload-Offset": str(offset)}
    return await service.client.patch(url, content=content, headers=headers)


async def upload(service, headers, content=PDF, name="身份证.pdf"):
    """Send a file whole; return its id."""
    begun = (await begin(service, headers, len(content), name)).json()
    answer = await send(service, begun["url"], content, 0)
    assert answer.status_code == 204, answer.text
    return begun["id"]
