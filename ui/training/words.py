"""Nearest words under a word-vector model."""

import streamlit as st

from search.insight.nearest_words import nearest_words
from search.models.registry import ModelInfo, models
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import widgets


def draw(project: Project) -> None:
    """Nearest words under a word-vector model."""
    known: list[ModelInfo] = [
        info for info in reversed(models(project)) if info.recipe in ("word2vec", "fasttext")
    ]
    if not known:
        return
    st.subheader("What did it learn about a word?", anchor=False)
    left, right = st.columns(2)
    model = left.selectbox("Word-vector model", [info.name for info in known], key="words-model")
    word = right.text_input("Word", placeholder="for example: mortgage", key="words-word")
    if not word.strip() or model is None:
        return
    try:
        nearest = nearest_words(project, model, word)
    except BespokeError as error:
        st.warning(str(error))
        return
    if nearest.note:
        st.caption(nearest.note)
    bar = st.column_config.ProgressColumn(format="%.2f", min_value=0.0, max_value=1.0)
    heads = ["nearest word", "cosine"]
    widgets.dataframe(nearest.words, heads, column_config={"cosine": bar})
