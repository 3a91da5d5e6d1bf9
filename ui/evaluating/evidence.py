"""The evidence behind a verdict: every metric of every column, wins and losses, and the questions that moved most."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import streamlit as st

from search.evaluation.evaluation import Evaluation
from search.evaluation.rankings.metrics import METRICS, metric_title
from search.evaluation.statistics.significance import PairedTest
from search.models.registry import GENERIC, models
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval.columns import parse_column
from search.retrieval.shares_read import share_read, truncations, unequal_note
from training.dev_set import START
from training.forgetting import General
from ui import navigation, widgets
from ui.evaluating.sentence import within_sentence
from ui.hits import shortened
from ui.rendering import literal, render

_EXTREMES = 6
_METRIC_NAMES = {"ndcg": "nDCG", "mrr": "MRR", "map": "MAP"}
_FIRST = ("ndcg@10", "recall@10")
_METRIC_HELP = {
    "ndcg@10": "how well the first ten are ordered",
    "mrr@10": "how high the first right answer stands",
    "recall@10": "share of right answers among the first ten",
    "recall@100": "share among the first hundred",
    "map@100": "precision over all right answers",
}


def metrics_table(
    result: Evaluation,
    same: Collection[str] = (),
    reads: Mapping[str, str] = MappingProxyType({}),
    ready_made: Mapping[str, str] = MappingProxyType({}),
    metrics: Sequence[str] = METRICS,
) -> str:
    """Each model's means as HTML, the best of each column in bold.

    :param same: models that are their start; it is said of them.
    :param reads: by model, how much of the passages it reads, where that is not all.
    :param ready_made: the titles of models that are not custom ones, by name.
    :param metrics: the metrics that are shown.
    """
    means = {model: result.means(model) for model in result.scores}
    best = {metric: max(m[metric] for m in means.values()) for metric in metrics}
    split = {metric: metric.split("@") for metric in metrics}
    return render(
        "metrics.html",
        queries=widgets.counted(len(result.queries), "held-out query", "held-out queries"),
        metrics=[
            (_METRIC_NAMES.get(name, name), depth, _METRIC_HELP[metric])
            for metric, (name, depth) in split.items()
        ],
        rows=[
            (
                own,
                widgets.model_title(model) + (widgets.SAME if model in same else ""),
                " · ".join(filter(None, (_behind(model, ready_made), reads.get(model, "")))),
                [(f"{values[metric]:.3f}", values[metric] == best[metric]) for metric in metrics],
            )
            for (model, values), own in zip(
                means.items(), widgets.colours(list(means), ready_made), strict=True
            )
        ],
    )


def figures(project: Project, corpus: Manifest, result: Evaluation, manifest: Manifest) -> None:
    """Every metric of every column, what was forgotten elsewhere, and how many questions went which way."""
    st.header("What stands behind it", anchor=False)
    with st.container(key=f"evaluate-table-{len(result.scores)}"):
        known = {role.removeprefix("model:") for role in manifest.made_from}
        # A run of another search is no column of ours.
        columns = [
            c for c in map(parse_column, result.scores) if c.model is None or c.model in known
        ]
        cuts = truncations(project, columns, corpus, _models_of(manifest))
        reads = {column.name: share_read(column, cuts) for column in columns}
        titles = _ready_made(project, manifest)
        same = widgets.same_as_start(project)
        st.html(metrics_table(result, same, reads, titles, _FIRST))
        if unequal := unequal_note(columns, cuts):
            st.caption(literal(unequal))
    with st.expander("All metrics, and what they mean"):
        st.html(metrics_table(result, same, reads, titles))
        named = [metric.split("@") for metric in METRICS]
        meanings = [
            (f"{_METRIC_NAMES.get(name, name)}@{depth}", _METRIC_HELP[f"{name}@{depth}"])
            for name, depth in named
        ]
        widgets.escaped_table(("metric", "what it says"), meanings)
    _forgotten(project, manifest)
    main = result.decision.main
    first = main.baseline if main is not None else None
    for test in sorted(result.comparisons, key=lambda one: one.baseline != first):
        st.html(_wins(test, len({one.baseline for one in result.comparisons}) > 1))


def _behind(model: str, ready_made: Mapping[str, str]) -> str:
    """Which model is behind the name “generic”; nothing of a model that says so itself."""
    return ready_made.get(model, "") if model == GENERIC else ""


def _ready_made(project: Project, manifest: Manifest) -> dict[str, str]:
    """The titles of the ready-made models that were measured, by their names of then."""
    known = {info.id: info.title for info in models(project) if info.kind == "generic"}
    return {name: known[one] for name, one in _models_of(manifest).items() if one in known}


def _models_of(manifest: Manifest) -> dict[str, str]:
    """The ids of the models that were measured, by their names of then."""
    made_from = manifest.made_from.items()
    return {role.removeprefix("model:"): i for role, i in made_from if role.startswith("model:")}


def _forgotten(project: Project, manifest: Manifest) -> None:
    """What each measured model forgot of other fields, beside what it gained in this one."""
    for role, identity in manifest.made_from.items():
        if not role.startswith("model:") or identity == GENERIC:
            continue
        try:
            details = project.artifact("models", identity).details
        except BespokeError:
            continue  # Deleted since it was measured.
        if details.get("general") and (details.get("dev") or {}).get("kept") != START:
            said = General.of(details["general"]).sentence
            st.caption(
                f"{literal(widgets.model_title(details['name']))}: {literal(said[0].lower() + said[1:])}"
            )


def _wins(test: PairedTest, named: bool) -> str:
    """Wins, ties and losses as one bar.

    :param named: whether the baseline is said: there are several.
    """
    total = max(test.wins + test.ties + test.losses, 1)
    parts = (("win", test.wins), ("tie", test.ties), ("loss", test.losses))
    better = widgets.counted(test.wins, "query", "queries")
    against = f", against {within_sentence(test.baseline)}" if named else ""
    return render(
        "wins.html",
        said=f"{widgets.model_title(test.candidate)}{against}: {better} better, {test.ties:,} the same, {test.losses:,} worse",
        parts=[
            (kind, count, count if count / total > 0.08 else "") for kind, count in parts if count
        ],
    )


def extremes(project: Project, result: Evaluation, test: PairedTest) -> None:
    """The questions with the largest gains and losses, each a click away from Compare, and all of them to filter."""
    moved = result.differences(test.baseline, test.candidate)
    order = np.argsort(-moved, kind="stable")
    gains = [int(i) for i in order[:_EXTREMES] if moved[i] > 0]
    losses = [int(i) for i in order[::-1][:_EXTREMES] if moved[i] < 0]
    st.header("Which questions changed most", anchor=False)
    left, right = st.columns(2, gap="large")
    head = f"Rank of the right answer: {within_sentence(test.baseline)} → {within_sentence(test.candidate)}"
    for column, title, positions, key in (
        (left, "Largest gains", gains, "gains"),
        (right, "Largest losses", losses, "losses"),
    ):
        with column:
            st.subheader(title, anchor=False)
            st.caption(literal(head) if positions else "None.")
            with st.container(key=f"evaluate-{key}", gap=None):
                for i in positions:
                    _query_row(project, result, test, i)
    with st.expander("All questions, to search and sort", key="all-questions"):
        all_questions(result, test, "page")


def all_questions(result: Evaluation, test: PairedTest, where: str, usual: str = "all") -> None:
    """Every question that was measured with its ranks under both, to be filtered and sorted.

    :param where: tells the places apart where this is drawn.
    :param usual: which of them are shown at first.
    """
    known = {"all": "All", "changed": "Changed", "gains": "Gains", "losses": "Losses", "same": "The same"}  # fmt: skip
    kind = st.segmented_control(
        "Which questions", list(known), default=usual, format_func=known.__getitem__, key=f"all-kind-{where}",
        label_visibility="collapsed",
    )  # fmt: skip
    moved = result.differences(test.baseline, test.candidate)
    signs = {"changed": moved != 0, "gains": moved > 0, "losses": moved < 0, "same": moved == 0}
    shown = np.flatnonzero(signs[kind]) if kind in signs else np.arange(len(moved))
    shown = shown[np.argsort(-np.abs(moved[shown]), kind="stable")]
    before, after = (widgets.model_title(name) for name in (test.baseline, test.candidate))
    rows = [
        (
            result.texts[i],
            _rank(result.first_relevant[test.baseline][i]),
            _rank(result.first_relevant[test.candidate][i]),
            f"{moved[i]:+.3f}",
        )
        for i in shown
    ]
    widgets.dataframe(rows, ["question", before, after, f"difference in {metric_title(test.metric)}"])  # fmt: skip


def slices_table(result: Evaluation, test: PairedTest) -> None:
    """Every kind of question that was tested, with its figures."""
    pair = (test.baseline, test.candidate)
    rows = [
        {
            "kind of question": one.title,
            "questions": one.queries,
            "groups": one.groups,
            "difference": f"{one.delta:+.3f}",
            "95% interval": f"{one.ci95[0]:+.3f} to {one.ci95[1]:+.3f}",
            "p": f"{one.p_value:.4f}",
            "adjusted p": f"{one.p_adjusted:.4f}",
            "verdict": one.verdict,
        }
        for one in result.slices
        if (one.baseline, one.candidate) == pair
    ]
    if not rows:
        return
    with st.expander(f"All {len(rows):,} kinds of questions"):
        widgets.dataframe(rows)
        st.caption(
            "Fixed before any score was seen; of at least 20 questions in 10 independent groups. p is adjusted over all of them "
            "(Benjamini and Hochberg), which is approximate where kinds overlap."
        )


def _query_row(project: Project, result: Evaluation, test: PairedTest, i: int) -> None:
    before = _rank(result.first_relevant[test.baseline][i])
    after = _rank(result.first_relevant[test.candidate][i])
    with st.container(horizontal=True, vertical_alignment="center", key=f"question-{i}"):
        text = result.texts[i]
        if st.button(literal(shortened(text, 160)), type="tertiary", key=f"q-{i}", width="stretch"):
            st.session_state[f"query-{project.name}"] = text
            navigation.go("compare", q=text)
        st.caption(literal(f"{before} → {after}"), width="content")


def _rank(rank: int | None) -> str:
    return str(rank) if rank else "not in 100"
