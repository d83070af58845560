"""Documents to print or keep: titles, fields, tables, notes and a QR code, in Chinese, as PDF."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Literal, Self

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

_FONT = "WenQuanYi-Micro-Hei"
_FONT_FILE = Path(__file__).parent / "fonts" / "wqy-microhei.ttc"
#: What Chinese printers set for a character they lack.
_MISSING = "〓"
_CENTER: Literal[1] = 1
_RIGHT: Literal[2] = 2
_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_LINES = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
)


@lru_cache
def _font() -> TTFont:
    """The face of all documents; read once, which takes a tenth of a second."""
    font = TTFont(_FONT, str(_FONT_FILE))
    pdfmetrics.registerFont(font)
    return font


@lru_cache
def _style(
    size: int, alignment: Literal[0, 1, 2] = 0, before: int = 0, after: int = 4
) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}-{alignment}-{before}-{after}",
        fontName=_FONT,
        fontSize=size,
        leading=size * 1.5,
        alignment=alignment,
        spaceBefore=before,
        spaceAfter=after,
        wordWrap="CJK",
    )


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    known = _font().face.charToGlyph
    drawn = "".join(char if ord(char) in known or char == "\n" else _MISSING for char in text)
    return Paragraph(escape(drawn).replace("\n", "<br/>"), style)


@dataclass(slots=True)
class Document:
    """A document on A4, built from top to bottom; every method returns it.

    The same content gives the same bytes, so that a digest or an ETag of it holds.
    """

    title: str
    #: Who issues it; shown by readers of the file, not on the page.
    author: str = ""
    #: At the foot of every page, before the page number.
    footer: str = ""
    _parts: list[Flowable] = field(default_factory=list)

    def heading(self, text: str) -> Self:
        """Add a heading."""
        return self._add(_paragraph(text, _style(13, before=8)))

    def paragraph(self, text: str, *, size: int = 10) -> Self:
        """Add text; line breaks stay. `size` in points: 16 for elder readers."""
        return self._add(_paragraph(text, _style(size)))

    def signature(self, *lines: str) -> Self:
        """Add who signs and when, to the right."""
        for line in lines:
            self._add(_paragraph(line, _style(11, _RIGHT)))
        return self

    def fields(self, pairs: Sequence[tuple[str, str]]) -> Self:
        """Add a table of names and values."""
        return self.table((), pairs, widths=(1, 3))

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        widths: Sequence[float] | None = None,
    ) -> Self:
        """Add a table that may run over pages; `widths` are shares of the page's width."""
        lines = [*([header] if header else []), *rows]
        if not lines:
            return self
        shares = widths or [1.0] * len(lines[0])
        table = Table(
            [[_paragraph(text, _style(10, after=0)) for text in line] for line in lines],
            colWidths=[_WIDTH * share / sum(shares) for share in shares],
            repeatRows=1 if header else 0,
        )
        table.setStyle(_LINES)
        if header:
            table.setStyle([("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)])
        return self._add(table)._add(Spacer(0, 6))

    def qr_code(self, content: str, *, caption: str = "", size_mm: int = 30) -> Self:
        """Add a QR code with what it is for below it."""
        side = size_mm * mm
        code = QrCodeWidget(content, barWidth=side, barHeight=side, barLevel="M")
        drawing = Drawing(side, side)
        drawing.add(code)
        self._add(drawing)
        return self._add(_paragraph(caption, _style(9))) if caption else self

    def _add(self, part: Flowable) -> Self:
        self._parts.append(part)
        return self

    def draw(self) -> bytes:
        """Return the PDF. Takes tens of milliseconds of CPU: see `render`."""
        _font()
        target = io.BytesIO()
        template = SimpleDocTemplate(
            target,
            pagesize=A4,
            title=self.title,
            author=self.author,
            lang="zh-CN",
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            invariant=1,
        )
        title = _paragraph(self.title, _style(18, _CENTER, after=12))
        template.build([title, *self._parts], self._foot, self._foot)
        return target.getvalue()

    async def render(self) -> bytes:
        """Return the PDF, drawn beside the event loop."""
        return await asyncio.to_thread(self.draw)

    def _foot(self, canvas: Canvas, _template: SimpleDocTemplate) -> None:
        canvas.setFont(_FONT, 8)
        canvas.drawString(_MARGIN, 10 * mm, self.footer)
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"第 {canvas.getPageNumber()} 页")
