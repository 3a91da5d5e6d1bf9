#!/usr/bin/env bash
# pypdfium2 5.15.2: lines that are turned by a quarter to the right come in reverse order, the last one first.
#
# Wide tables are set so on an upright page. A reader turns the page and reads from the first line to the second, which
# stands to the left of it, and both are drawn in this order. One would guess that this order is kept, as it is for upright
# lines. PDFium gives the second line first: sentences that go on in the next line are woven backwards, without a sign.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check fpdf2==2.8.9 pypdfium2==5.15.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import pypdfium2
from fpdf import FPDF

print("pypdfium2", version("pypdfium2"))


def text(turned: bool) -> list[str]:
    page = FPDF(unit="pt", format=(600, 800))
    page.add_page()
    page.set_font("Helvetica", size=12)
    for number, line in enumerate(("first line of the chart", "second line of the chart")):
        if turned:
            with page.rotation(-90, 100 - 20 * number, 100):
                page.text(100 - 20 * number, 100, line)
        else:
            page.text(100, 100 + 20 * number, line)
    page.output("chart.pdf")
    return pypdfium2.PdfDocument("chart.pdf")[0].get_textpage().get_text_range().splitlines()


upright, turned = text(False), text(True)
print("upright:", upright, "turned:", turned)
assert upright == ["first line of the chart", "second line of the chart"], upright
assert turned == upright[::-1], turned
PYTHON
