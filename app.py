"""The browser face: page config and navigation."""

from pathlib import Path

import streamlit as st

from ui.navigation import pages

HERE = Path(__file__).parent

st.set_page_config(page_title="Bespoke", page_icon=str(HERE / "ui" / "icon.svg"), layout="wide")
st.logo(str(HERE / "ui" / "logo.svg"), size="large")
st.html(HERE / "ui" / "style.css")
st.navigation(list(pages().values()), position="top").run()
