#!/usr/bin/env bash
# charset-normalizer 3.5: sixty western lines with a degree and a micro sign are read as Korean.
#
# A chart in cp1252, the encoding that Windows saves by default in the west: "Temp 38.5 °C, 5 µg of it", sixty lines.
# One would guess cp1252 or Latin-1. The best guess is a Korean (cp949) or Japanese (cp932) code page, in which a
# lone sign and the letter after it are one letter: "°C" becomes one Hangul syllable and the C is gone. More text of
# the same kind does not help. Ask for text whose high bytes stand alone to be read as cp1252.
#
# Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check charset-normalizer==3.5.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from charset_normalizer import from_bytes

print("charset-normalizer", version("charset-normalizer"))
seen = {}
for line in ("Temp 38.{} °C, 5 µg of it", "Count {} /mm³"):
    raw = "\n".join(line.format(i) for i in range(60)).encode("cp1252")
    best = from_bytes(raw).best()
    seen[line] = best.encoding
    print(f"{line.format(0)!r} is read as {best.encoding}: {str(best).splitlines()[0]!r}")
assert seen == {"Temp 38.{} °C, 5 µg of it": "cp949", "Count {} /mm³": "cp932"}, seen
PYTHON
