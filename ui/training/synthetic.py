"""Pairs mined from the documents: what there is of each kind, how much of it to use, and the button that does."""

from typing import Any, Literal

import streamlit as st

from search.evaluation.query_sets.leakage import WRITTEN
from search.projects.project import Project
from search.projects.settings import settings
from training.synthetic.make import current_synthetic_pairs
from ui import run_view, widgets
from ui.rendering import literal
from ui.training import chat

VERB = chat.VERB


def offer(project: Project, key: str) -> None:
    """What a project without pairs of its own can do: add some, or mine them.

    :param key: tells the pages apart on which this is drawn.
    """
    run = run_view.latest(project, [VERB])
    if run_view.watched(run):
        return
    run_view.ended(run, quiet=["done"])
    described = current_synthetic_pairs(project)
    with st.container(border=True, key=f"mining-{key}"):
        st.markdown("**Mine pairs from your documents**")
        st.caption(
            "Titles, headings, terms and sentences make pairs to learn from. Nobody asked these questions, so a "
            "model follows them only a little way, and only where that is clearly better on some that "
            "were held out. Real questions with their answers teach more."
        )
        if described is None or WRITTEN in described:
            kind: Literal["primary", "secondary"] = "primary" if described is None else "secondary"
            if st.button("See what can be mined", key=f"look-{key}", type=kind):
                run_view.start(project, [VERB, project.name])
        if described is not None:
            _kinds(project, described, key)
        with st.expander("Questions written by a chat server", expanded=bool(settings().chat_url)):
            chat.offer(project, key)


def beside(project: Project) -> None:
    """What a project with pairs of its own can do: let a server write some more beside them."""
    described = current_synthetic_pairs(project)
    chat.offer(project, "beside")
    if described is not None and WRITTEN in described:
        _kinds(project, described, "beside")


def _kinds(project: Project, described: dict[str, Any], key: str) -> None:
    kinds = [kind for kind in described["kinds"] if kind["usable"]]
    if not kinds:
        st.write(
            "No pairs can be mined from these documents: they are too short, and have no titles."
        )
        return
    weights = {}
    if described["looked_at"] < described["documents"]:
        st.caption(
            f"Counted in {described['looked_at']:,} of {described['documents']:,} documents."
        )
    for kind in kinds:
        with st.container(border=True, key=f"kind-{key}-{kind['kind']}"):
            left, right = st.columns([3, 1], vertical_alignment="center")
            with left:
                st.markdown(
                    f"**{literal(kind['title'])}** · {widgets.counted(kind['count'], 'pair')}"
                )
                st.caption(literal(kind["what"]))
            with right:
                weights[kind["kind"]] = st.slider(
                    f"Share of {literal(kind['title'].lower())} to use",
                    0.0,
                    1.0,
                    float(kind["weight"]),
                    0.1,
                    key=f"weight-{key}-{kind['kind']}",
                    help=f"Of at most {kind['usable']:,} pairs that are drawn at random.",
                )
            widgets.escaped_table(
                ["asked", "to be found"], [[e["query"], e["response"]] for e in kind["examples"]]
            )
    written = described.get(WRITTEN)  # Reports of before there were chat servers have no such key.
    for note in described["notes"] if written else ():
        st.caption(literal(note))
    learn = len(kinds) > 1 and st.checkbox(
        "Leave out kinds that make the others harder to find (takes a minute or two)",
        key=f"learn-{key}",
    )
    label = "Use these pairs beside your own" if key == "beside" else "Use these pairs"
    if st.button(label, key=f"save-{key}", type="primary"):
        arguments = [VERB, project.name, "--save"]
        if written:  # Its answers are here: it is asked nothing again.
            arguments += chat.arguments_of(written)
            for kind in kinds:
                if kind["kind"] != "generated":
                    arguments += ["--kind", kind["kind"]]
        for name, weight in weights.items():
            if weight != 1.0:
                arguments += ["--weight", f"{name}={weight:g}"]
        run_view.start(project, arguments + (["--learn-weights"] if learn else []))
