#!/usr/bin/env bash
# openpyxl 3.1.5: a date that Excel shows as 2026年1月3日 is the number 46025.
#
# Chinese, Japanese and Korean Excel format dates with built-in formats 27 to 36 and 50 to 58, of which a file holds
# the number only. Excel shows a date. openpyxl has no code for them, calls the format "General" and gives the serial
# number; cell.is_date is False. One would guess that a typed date is a datetime, as with the other built-in formats
# (14 to 22). Look at cell.style_array.numFmtId.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check openpyxl==3.1.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import re
import zipfile

import openpyxl

print("openpyxl", openpyxl.__version__)
made = io.BytesIO()
book = openpyxl.Workbook()
book.active.append([46025])
book.save(made)
seen = {}
for number in (14, 31, 57):
    # What Excel writes: a style that names a built-in format by its number.
    changed = io.BytesIO()
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(changed, "w") as copy:
        for name in source.namelist():
            part = source.read(name)
            if name == "xl/styles.xml":
                new = f'\\g<1>{number}"'.encode()
                part = re.sub(rb'(<cellXfs.*?numFmtId=")0"', new, part, flags=re.S)
            copy.writestr(name, part)
    cell = openpyxl.load_workbook(changed)["Sheet"]["A1"]
    seen[number] = (str(cell.value), cell.is_date, cell.number_format)
    print("built-in format", number, seen[number])
assert seen[14] == ("2026-01-03 00:00:00", True, "mm-dd-yy"), seen
assert seen[31] == seen[57] == ("46025", False, "General"), seen
PYTHON
