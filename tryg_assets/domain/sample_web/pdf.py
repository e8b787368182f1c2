"""Pages that are PDF documents, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, datetime, time

from fpdf import FPDF

from tryg_assets.domain.sample_web.pages import SamplePage

_CREATED = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
# The fonts every PDF reader has know Latin-1 only.
_LATIN = str.maketrans(
    {"–": "-", "—": "-", "”": '"', "“": '"', "’": "'", "‘": "'", "…": "...", "•": "-", "\u00ad": "", "‑": "-"}
)


def pdf_of(page: SamplePage) -> bytes:
    """Return ``page`` as a PDF document of A4 pages, dated in its metadata as on the page."""
    document = FPDF()
    day = page.shown.day if page.shown else None
    document.set_creation_date(datetime.combine(day, time(12), UTC) if day else _CREATED)
    document.set_title(page.title)
    document.set_lang("da")
    document.set_margin(22)
    document.add_page()

    def write(text: str, size: int, style: str = "", indent: float = 0) -> None:
        document.set_font("Helvetica", style, size)
        document.set_x(document.l_margin + indent)
        # A dash that begins a line would read as a list mark.
        text = (
            text.replace(" – ", "\u00a0– ")
            .translate(_LATIN)
            .encode("latin-1", errors="replace")
            .decode("latin-1")
        )
        document.multi_cell(0, size * 0.52, text, align="L", new_x="LMARGIN", new_y="NEXT")
        document.ln(2.5)

    write(page.title, 20, "B")
    if page.shown and page.shown.line:
        write(page.shown.line, 10, "I")
    for block in page.blocks:
        if block.kind == "h2":
            write(block.text, 14, "B")
        else:
            write(
                f"- {block.text}" if block.kind == "li" else block.text,
                11,
                indent=4 if block.kind == "li" else 0,
            )
    write("Eksempel - ikke en rigtig kommune", 8, "I")
    return bytes(document.output())
