"""Models: is a model that another program serves the one that was measured here?"""

import streamlit as st

from search.models.api.settings import api_settings
from search.models.registry import models
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.projects.runs import Run
from ui import run_view
from ui.rendering import literal

_VERB = "verify"
_BY = {"server": "the server puts them itself", "client": "whoever asks puts them"}


def section(project: Project) -> None:
    """What the last server was found to be, and the form that asks one."""
    st.header("Is a served model right?", anchor=False)
    st.write(
        "Where another program serves a model of yours, this asks it for two hundred texts, says what differs from the "
        "model and what to set there, and what searches through it are worth."
    )
    run = run_view.latest(project, [_VERB])
    if run_view.watched(run):
        return
    run_view.ended(run, quiet=["done"])
    if run is not None:
        _said(run)
    with st.container(border=True, key="verify-server"):
        _form(project)


def _said(run: Run) -> None:
    sentences = run.status.result.get("sentences", [])
    if not sentences:
        return
    first, *others = sentences
    if run.status.result.get("right"):
        st.success(literal(first), icon=":material/verified:")
    else:
        st.warning(literal(first), icon=":material/report:")
    for sentence in others:
        st.write(literal(sentence))


def _form(project: Project) -> None:
    name = st.selectbox("Model", [info.name for info in models(project)], key="verify-model")
    address = st.text_input("Address", placeholder="http://localhost:8080/v1", key="verify-address")
    served = st.text_input("The model’s name there", placeholder=name, key="verify-name")
    key = st.text_input(
        "Environment variable that holds the server’s key, if it wants one", key="verify-key"
    )
    by = st.radio("Prompts", list(_BY), format_func=_BY.__getitem__, key="verify-prompts")
    st.caption(
        "The server is sent texts of your documents and questions of your query set. That it was asked is noted below."
    )
    if not st.button("Ask the server", key="verify-start", disabled=not address.strip()):
        return
    given = {"--base-url": address, "--served-name": served, "--key-variable": key}
    options = [
        part for option, value in given.items() if value.strip() for part in (option, value.strip())
    ]
    try:  # What cannot be asked is said at once.
        api_settings(
            {
                "base_url": address.strip(),
                "model": served.strip() or name,
                "key_variable": key.strip() or None,
            }
        )
    except BespokeError as error:
        st.error(literal(error), icon=":material/error:")
        return
    run_view.start(project, [_VERB, project.name, name, *options, "--prompts", by])
