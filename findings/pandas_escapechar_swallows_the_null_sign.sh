#!/usr/bin/env bash
# pandas 3.1: with the escape character of a database's export, its sign for nothing becomes the letter N.
#
# PostgreSQL and MySQL can write a CSV in which a backslash stands before quotation marks and \N stands for NULL.
# One would read it with escapechar="\\" and na_values=["\\N"]. But the escape is undone before missing values are
# looked for: \N has become "N", matches nothing, and thousands of missing texts are documents of one letter.
# Python's own csv module does the same. Double the backslash of lone \N before reading, or drop "N" after it.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pandas==3.1.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import csv
import io

import pandas

print("pandas", pandas.__version__)
export = 'id,text\n1,\\N\n2,"said \\"no\\""\n'
options = {"escapechar": "\\", "na_values": ["\\N"]}
for engine in ("c", "python"):
    texts = pandas.read_csv(io.StringIO(export), engine=engine, **options)["text"].tolist()
    print(engine, texts)
    assert texts == ["N", 'said "no"'], texts
plain = list(csv.reader(io.StringIO(export), escapechar="\\", doublequote=False))[1]
print("csv", plain)
assert plain == ["1", "N"], plain
assert pandas.read_csv(io.StringIO("id,text\n1,\\N\n"), na_values=["\\N"])["text"].isna().all()
PYTHON
