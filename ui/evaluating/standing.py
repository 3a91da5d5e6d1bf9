"""What was promised before anything was measured, what was looked at since, and what of the query set is sealed."""

import streamlit as st

from search.evaluation.evaluation import Evaluation
from search.evaluation.ledger.looks import Looks
from search.evaluation.ledger.protocol import Protocol, choose_protocol, protocol_of
from search.evaluation.ledger.sealing import sealed_in
from search.evaluation.query_sets.query_set import newest_query_set
from search.evaluation.query_sets.seal import Seal, seals
from search.evaluation.rankings.metrics import METRICS, metric_title
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import run_view, widgets
from ui.rendering import literal

_SHARE = 0.3


def before(project: Project) -> None:
    """What can still be chosen: nothing was measured yet."""
    known = protocol_of(project)
    if known.fixed:
        return
    with st.expander("Before anything is measured: what decides, and what is sealed"):
        _choose(project, known)
        _seal(project)


def standing(project: Project, result: Evaluation, manifest: Manifest) -> None:
    """What decides, what was looked at, and what is sealed."""
    st.header("How often was it looked at?", anchor=False)
    lines = [*_looks(project, manifest), *_seals(project, result), _decides(result)]
    with st.container(key="evaluate-looks"):
        st.markdown("\n".join(f"- {literal(line)}" for line in lines))


def _decides(result: Evaluation) -> str:
    protocol = result.decision.protocol
    return protocol.sentence if protocol.fixed else Protocol(fixed=" before").sentence


def _looks(project: Project, manifest: Manifest) -> list[str]:
    """How many candidates were measured on these queries, and which of them after this evaluation."""
    try:
        queries = project.artifact("queries", manifest.made_from["queries"])
    except BespokeError:
        return []
    looks = Looks.open(project, queries)
    names = list(dict.fromkeys(widgets.model_title(look.names[1]) for look in looks.all))
    if not names:
        return ["No model of yours was measured on these queries yet."]
    counted = widgets.counted(len(names), "candidate was", "candidates were")
    said = [
        f"{counted} ever measured on these queries: {', '.join(names[:8])}{'…' if len(names) > 8 else ''}."
    ]
    since = list(
        dict.fromkeys(widgets.model_title(look.names[1]) for look in looks.since(manifest.created))
    )
    if since:
        said.append(
            f"Since this verdict was given, {', '.join(since)} {'was' if len(since) == 1 else 'were'} measured, too. A verdict "
            "is not rewritten; the next one counts all of them."
        )
    return said


def _seals(project: Project, result: Evaluation) -> list[str]:
    try:
        manifest = newest_query_set(project)
    except BespokeError:
        return []
    said = [line for seal in seals(project) if (line := _of_seal(project, manifest, seal))]
    if result.decision.opened:
        said.insert(
            0,
            "These figures are of the sealed part, which was opened for them: nobody could have chosen a model by it. This "
            "holds against mistakes, not against somebody who edits files.",
        )
    return said or ["No part of the query set is sealed."]


def _of_seal(project: Project, manifest: Manifest, seal: Seal) -> str:
    count = sealed_in(project, manifest, seal)
    if not count:
        return ""
    queries = widgets.counted(count, "query", "queries")
    if seal.closed:
        return (
            f"{queries} of the query set {'is' if count == 1 else 'are'} sealed since {seal.time[:10]}: nobody reads their "
            "judgments until they are opened, once, for one model."
        )
    assert seal.opening is not None
    return f"{queries} of the query set were sealed until {seal.opening.time[:10]}, and are ordinary ones since."


def _choose(project: Project, known: Protocol) -> None:
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    metric = left.selectbox(
        "The metric that decides",
        METRICS,
        index=METRICS.index(known.metric) if known.metric in METRICS else 0,
        format_func=metric_title,
        key="protocol-metric",
    )
    margin = middle.number_input(
        "Too small to matter, below",
        min_value=0.005,
        max_value=0.5,
        value=known.margin,
        step=0.005,
        format="%.3f",
        key="protocol-margin",
    )
    same = (metric, margin) == (known.metric, known.margin)
    if right.button("Use", key="protocol-use", disabled=same, width="stretch"):
        choose_protocol(project, metric, float(margin))
        st.rerun()
    st.caption(
        "The first evaluation fixes both: whoever chooses after the figures can find what was hoped for."
    )


def _seal(project: Project) -> None:
    manifest = project.newest("queries")
    if manifest is None or any(
        seal.closed and sealed_in(project, manifest, seal) for seal in seals(project)
    ):
        return
    if st.button(f"Seal {_SHARE:.0%} of the query set", key="seal"):
        run_view.start(project, ["queries", project.name, "--seal", f"{_SHARE:g}"])
    st.caption(
        "Nobody reads the judgments of a sealed part, until it is opened once, for one model: below, when you have chosen it."
    )
