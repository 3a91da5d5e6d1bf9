#!/usr/bin/env bash
# openpyxl 3.1.5: opened to be read once, a workbook that openpyxl wrote has lost its raised digits, rich_text=True or not.
#
# A cell "10" with a raised "9" is written as parts of an inline string. One would guess that rich_text=True gives these
# parts back in both ways of opening. With read_only=True, which large workbooks need, only strings that are shared (as
# Excel writes them) keep their parts; inline ones come back as plain text, and 10⁹ is 109.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check openpyxl==3.1.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

print("openpyxl", openpyxl.__version__)
book = openpyxl.Workbook()
book.active["A1"] = CellRichText("10", TextBlock(InlineFont(vertAlign="superscript"), "9"))
book.save("report.xlsx")
seen = {}
for read_only in (False, True):
    opened = openpyxl.load_workbook("report.xlsx", read_only=read_only, rich_text=True)
    value = next(opened["Sheet"].iter_rows())[0].value
    seen[read_only] = type(value).__name__
    print(f"read_only={read_only}: {type(value).__name__} {value!r}")
assert seen == {False: "CellRichText", True: "str"}, seen
PYTHON
