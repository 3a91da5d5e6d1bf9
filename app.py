"""The browser face: page config and navigation."""

from pathlib import Path

import streamlit as st

from ui.navigation import pages

HERE = Path(__file__).parent

st.set_page_config(page_title="Bespoke", page_icon=str(HERE / "ui" / "icon.svg"), layout="wide")
st.logo(str(HERE / "ui" / "logo.svg"), size="large")
st.html(HERE / "ui" / "style.css")
# A dialog is drawn outside the app's own element, which alone knows the colour scheme otherwise.
st.html(f"<style>body {{ color-scheme: {st.context.theme.type or 'light'}; }}</style>")
st.navigation(list(pages().values()), position="top").run()
