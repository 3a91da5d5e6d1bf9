"""The pages, by name, and how to get from one to another."""

from typing import Any

import streamlit as st

from ui import state


def pages() -> dict[str, Any]:
    """Every page of the app, in the order of the navigation."""
    # Imported here because the pages themselves link to one another through this module.
    from ui import compare, corpus, evaluate, models, projects, train

    return {
        "projects": st.Page(projects.page, title="Projects", url_path="projects", default=True),
        "corpus": st.Page(corpus.page, title="Corpus", url_path="corpus"),
        "train": st.Page(train.page, title="Train", url_path="train"),
        "compare": st.Page(compare.page, title="Compare", url_path="compare"),
        "evaluate": st.Page(evaluate.page, title="Evaluate", url_path="evaluate"),
        "models": st.Page(models.page, title="Models", url_path="models"),
    }


def go(name: str, project: str | None = None, **parameters: str) -> None:
    """Open a page, with a project and its address parameters."""
    chosen = project or state.chosen_name()
    if chosen is not None:
        state.choose(chosen)
        parameters["project"] = chosen
    st.switch_page(pages()[name], query_params=parameters)


def step(label: str, name: str, key: str, **parameters: str) -> None:
    """The one obvious button that leads on."""
    if st.button(label, type="primary", key=key, icon=":material/arrow_forward:"):
        go(name, **parameters)
