#!/usr/bin/env bash
# streamlit 1.67.0: st.switch_page with query_params adds two steps to the history; Back shows the page that was left
# with parameters that it never had.
#
# One would guess that a change of page is one step, and that Back brings the page as it was: ?question=roof. The
# parameters are written into the address of the page that is left first, as a step of its own, and only then is the
# other page's address added. Back leads to the first page with ?document=7: what was asked there is gone from its
# script. A second press brings ?question=roof.
#
# Needs a Chromium (Debian's; CHROMIUM names another). Ends with 0 while it is so, and with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check streamlit==1.67.0 playwright==1.65.2
cd "$folder"
cat > app.py <<'PYTHON'
import json

import streamlit as st


def said(page):
    st.text(f"{page} {json.dumps(dict(st.query_params))}")


def search():
    said("search")
    if st.button("Open the document"):
        st.switch_page(document, query_params={"document": "7"})


def read():
    said("document")


document = st.Page(read, url_path="document")
st.navigation([st.Page(search, url_path="search", default=True), document], position="hidden").run()
PYTHON
cat > drive.py <<'PYTHON'
import os
import shutil
import socket
import subprocess
import sys
import time
from importlib.metadata import version

from playwright.sync_api import sync_playwright

print("streamlit", version("streamlit"))
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
server = subprocess.Popen(
    [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true",
     "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)  # fmt: skip
try:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.1)
    with sync_playwright() as driver:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        page = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page()
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{port}/?question=roof")
        page.get_by_text('search {"question": "roof"}').wait_for()
        before = page.evaluate("history.length")
        page.get_by_role("button", name="Open the document").click()
        page.get_by_text('document {"document": "7"}').wait_for()
        print("steps that one change of page added:", page.evaluate("history.length") - before)
        assert page.evaluate("history.length") - before == 2
        page.go_back()
        page.get_by_text('search {"document": "7"}').wait_for()
        print("Back:", page.get_by_text("search {").inner_text())
        page.go_back()
        page.get_by_text('search {"question": "roof"}').wait_for()
        print("Back again:", page.get_by_text("search {").inner_text())
finally:
    server.terminate()
PYTHON
"$folder/venv/bin/python" drive.py
