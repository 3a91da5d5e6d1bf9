#!/usr/bin/env bash
# pypdf 7.1, pdfplumber 0.11, pdfminer.six 20260107, pypdfium2 5.15: 10⁹ becomes 109 in all of them.
#
# A laboratory report has its powers as smaller, raised digits: "150 x 10⁹/L". One would guess that one of four
# libraries parts the raised digit, or says that it is raised. All of them put it behind the number as if it stood
# there: "150 x 109/L", a count ten million times too small, and the mark of a footnote becomes part of the word before
# it ("common1"). The layout modes do the same. Size and base line of each character must be looked at.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check fpdf2==2.8.9 pypdf==7.1.1 pdfplumber==0.11.10 pdfminer.six==20260107 pypdfium2==5.15.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import pdfplumber
import pypdf
import pypdfium2
from fpdf import FPDF
from pdfminer.high_level import extract_text

for name in ("pypdf", "pdfplumber", "pdfminer.six", "pypdfium2"):
    print(name, version(name))
page = FPDF(unit="pt")
page.add_page()
x = 50.0
for text, raised in (("Platelets 150 x 10", "9"), ("/L are common", "1"), (" here.", "")):
    page.set_font("Helvetica", size=11)
    page.text(x, 100, text)
    x += page.get_string_width(text)
    page.set_font("Helvetica", size=7)
    page.text(x, 95.5, raised)
    x += page.get_string_width(raised)
page.output("report.pdf")
with pdfplumber.open("report.pdf") as opened:
    of_plumber = opened.pages[0].extract_text()
reader = pypdf.PdfReader("report.pdf").pages[0]
seen = {
    "pypdf": reader.extract_text(),
    "pypdf, layout": reader.extract_text(extraction_mode="layout"),
    "pdfplumber": of_plumber,
    "pdfminer.six": extract_text("report.pdf"),
    "pypdfium2": pypdfium2.PdfDocument("report.pdf")[0].get_textpage().get_text_range(),
}
for name, text in seen.items():
    print(f"{name}: {text.strip()!r}")
assert all("150 x 109" in text and "common1" in text for text in seen.values()), seen
PYTHON
