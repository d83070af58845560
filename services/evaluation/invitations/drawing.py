"""The QR code of a link as SVG, PNG or a slip of paper."""

import struct
import zlib
from enum import StrEnum

_QUIET, _PIXELS = 4, 8


class QrFormat(StrEnum):
    """How a QR code is drawn."""

    svg = "svg"
    png = "png"
    pdf = "pdf"

    @property
    def media_type(self) -> str:
        """As HTTP names it."""
        return {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}[self.value]


def modules(content: str) -> list[list[bool]]:
    """The squares of a QR code (error correction M) with the quiet zone of four around it."""
    # large, and few processes ever need it
    from reportlab.graphics.barcode.qr import QrCodeWidget

    widget = QrCodeWidget(content, barLevel="M")
    widget.draw()  # type: ignore[no-untyped-call]
    rows: list[list[bool]] = [[bool(dark) for dark in row] for row in widget.qr.modules]  # type: ignore[attr-defined]
    side = len(rows) + 2 * _QUIET
    edge = [False] * _QUIET
    empty = [[False] * side for _ in range(_QUIET)]
    return [*empty, *([*edge, *row, *edge] for row in rows), *empty]


def svg(content: str) -> bytes:
    """The code as SVG: one path, sharp at any size."""
    rows = modules(content)
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{path}"/></svg>'
    ).encode()


def png(content: str) -> bytes:
    """The code as a PNG of two colours. Source: PNG specification (ISO/IEC 15948), 1 bit grey."""
    rows = modules(content)
    side = len(rows) * _PIXELS
    lines = b"".join(_line(row) * _PIXELS for row in rows)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


async def slip(content: str, *, item: str, service: str, until: str, code: str) -> bytes:
    """A slip to hand out: what is rated, the code to scan, and the look-up code."""
    # large, and few processes ever need it
    from servicekit.pdf import Document

    document = Document("请您评价")
    document.fields([("事项", item), ("环节", service), ("评价截止", until), ("查询码", code)])
    document.qr_code(content, caption="扫码评价，一码一次", size_mm=45)
    document.paragraph("评价对经办人员不公开您的身份。任何人不得要求、代替您评价。")
    return await document.render()


def _line(row: list[bool]) -> bytes:
    bits = "".join(("0" if dark else "1") * _PIXELS for dark in row)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return b"\x00" + packed


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
