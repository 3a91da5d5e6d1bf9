"""The custom models so far, and what those of word vectors learned of a word."""

from typing import Any

import streamlit as st

from search.insight.word_space import nearest_words
from search.models.registry import REFIT_OF, custom_manifests, models
from search.projects.errors import BespokeError
from search.projects.project import Project
from training.gain import TrainingGain
from training.recipes import RECIPES
from ui import leaderboard, widgets
from ui.rendering import literal


def table(project: Project) -> None:
    """The custom models so far."""
    rows, leaderboards = [], []
    called = {info.id: info.name for info in models(project)}
    for manifest in reversed(custom_manifests(project)):
        details = manifest.details
        if "leaderboard" in details:
            leaderboards.append(details)
        from_pairs = RECIPES[details["recipe"]].needs_pairs
        gain = TrainingGain.of(manifest, from_pairs)
        rows.append(
            {
                "model": called[manifest.id] + (widgets.SAME if details.get("is_start") else ""),
                "recipe": RECIPES[details["recipe"]].title,
                "dev nDCG@10 before": _score(gain.start),
                "dev nDCG@10 after": _score(gain.model),
                "kept": _what_stayed(details),
                "trained on": f"{details['pairs']:,} pairs" if from_pairs else "documents alone",
                "time": widgets.duration(details["seconds"]),
                "device": details["device"],
            }
        )
    if not rows:
        return
    st.header("Custom models", anchor=False)
    with st.container(key="made"):
        widgets.dataframe(rows)
    st.caption(
        "Dev scores steer training and are measured on a part of the corpus: compare them with each "
        "other only. The proof asks other questions."
    )
    for details in leaderboards:
        with st.expander(f"What was tried for {literal(details['name'])}"):
            leaderboard.draw(details["leaderboard"])


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _what_stayed(details: dict[str, Any]) -> str:
    """What of a training was kept, in words."""
    if REFIT_OF in details:
        return f"as in {details[REFIT_OF]['name']}, from everything"
    dev = details.get("dev") or {}
    return str(dev.get("kept", "last epoch")) if dev.get("ndcg@10") else "last epoch"


def nearest(project: Project) -> None:
    """Nearest words under a word-vector model."""
    known = [i.name for i in reversed(models(project)) if i.recipe in ("word2vec", "fasttext")]
    if not known:
        return
    st.header("What did it learn about a word?", anchor=False)
    left, right = st.columns(2)
    model = left.selectbox("Word-vector model", known, key="words-model")
    word = right.text_input("Word", placeholder="for example: mortgage", key="words-word")
    if not word.strip() or model is None:
        return
    try:
        answer = nearest_words(project, model, word)
    except BespokeError as error:
        st.warning(literal(error))
        return
    if answer.note:
        st.caption(literal(answer.note))
    bar = st.column_config.ProgressColumn(format="%.2f", min_value=0.0, max_value=1.0)
    heads = ["nearest word", "cosine"]
    widgets.dataframe(answer.words, heads, column_config={"cosine": bar})
