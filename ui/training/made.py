"""The custom models so far."""

import streamlit as st

from search.models.registry import custom_manifests
from search.projects.project import Project
from training.recipes import RECIPES
from ui import leaderboard, widgets


def draw(project: Project) -> None:
    """The custom models so far."""
    rows, leaderboards = [], []
    for manifest in reversed(custom_manifests(project)):
        details = manifest.details
        if "ladder" in details:
            leaderboards.append(details)
        dev = details.get("dev") or {}
        scores = dev.get("ndcg@10") or []
        from_pairs = RECIPES[details["recipe"]].needs_pairs
        after = (max(scores) if from_pairs else scores[-1]) if scores else None
        rows.append(
            {
                "model": details["name"] + (widgets.SAME if details.get("is_start") else ""),
                "recipe": RECIPES[details["recipe"]].title,
                "dev nDCG@10 before": f"{scores[0]:.3f}" if from_pairs and scores else "–",
                "dev nDCG@10 after": f"{after:.3f}" if after is not None else "–",
                "kept": dev.get("kept", "last epoch") if scores else "last epoch",
                "trained on": f"{details['pairs']:,} pairs" if from_pairs else "documents alone",
                "time": widgets.duration(details["seconds"]),
                "device": details["device"],
            }
        )
    if not rows:
        return
    st.subheader("Custom models", anchor=False)
    with st.container(key="made"):
        widgets.dataframe(rows)
    st.caption(
        "Dev scores steer training and are measured on a part of the corpus: compare them with each "
        "other only. The proof is on Evaluate."
    )
    for details in leaderboards:
        with st.expander(f"What was tried for {details['name']}"):
            leaderboard.draw(details["ladder"])
