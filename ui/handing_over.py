"""A verdict to hand over: one file for somebody who was not there."""

from functools import partial

import streamlit as st

from search.evaluation.statistics.significance import PairedTest
from search.insight.verdict_page.content import MeasuredPair
from search.insight.verdict_page.files import SUFFIXES, written
from search.projects import audit
from search.projects.artifacts import Manifest
from search.projects.project import Project
from ui.rendering import literal

_KINDS = {".html": ("the page", "text/html"), ".json": ("the JSON", "application/json")}


def button(project: Project, manifest: Manifest, main: PairedTest) -> None:
    """Draw the button, and behind it what is handed over.

    :param manifest: of the evaluation.
    :param main: the comparison that the verdict is about.
    """
    with st.popover("Hand over", icon=":material/ios_share:", key="hand-over"):
        st.caption(
            "One file with the verdict and all that it rests on: no script, no network, six printed pages at most."
        )
        bare = st.checkbox("Leave out every text of documents and questions", key="hand-over-bare")
        for suffix in SUFFIXES:
            title, kind = _KINDS[suffix]
            st.download_button(
                literal(f"Download {title}"),
                audit.noted(
                    project.name,
                    f"a verdict on Evaluate ({suffix.removeprefix('.')})",
                    partial(_made, project, manifest, main, suffix, not bare),
                ),
                f"{project.name} {main.candidate} verdict{suffix}".replace(":", "-"),
                kind,
                key=f"hand-over-{suffix.removeprefix('.')}",
                on_click="ignore",
                icon=":material/download:",
                type="primary" if suffix == ".html" else "secondary",
                width="stretch",
            )


def _made(
    project: Project, manifest: Manifest, main: PairedTest, suffix: str, with_text: bool
) -> bytes:
    measured = MeasuredPair.of(project, manifest, main.candidate, main.baseline)
    return written(measured, suffix, with_text).encode()
