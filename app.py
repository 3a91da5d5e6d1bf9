"""The browser face: page config and navigation, and the server they are served by."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.starlette import App

from search.projects.files import keep_private
from search.projects.room import reserve
from search.projects.settings import settings
from search.retrieval.deletion import finish_deletions
from ui import door, failures, first_paint, working
from ui.menu import menu
from ui.rendering import render
from ui.signin.gate import Gate
from ui.signin.ways import start_or_exit

HERE = Path(__file__).parent

if __name__ == "__main__":  # Streamlit runs this file anew for each view of a page ...
    st.set_page_config(page_title="Bespoke", page_icon=str(HERE / "ui" / "icon.svg"), layout="wide")
    st.logo(str(HERE / "ui" / "logo.svg"), size="large")
    # A dialog is drawn outside the app's own element, which alone knows the colour scheme otherwise.
    st.html(render("scheme.html", dark=st.context.theme.type == "dark"))
    if door.entered():
        working.with_line(st.navigation(menu(), position="top"))
else:  # ... and imports it once, for what it serves.
    way = start_or_exit()
    keep_private(settings().home)
    reserve(settings().home)
    finish_deletions()
    app = App(
        Path(__file__).resolve(),
        routes=first_paint.routes(),
        middleware=[Middleware(Gate, way=way)],
        on_script_error=failures.tell,
    )
