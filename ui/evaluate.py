"""Evaluate: is the custom model better, really?"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import streamlit as st

from search.evaluation.evaluation import Evaluation, newest_evaluation, verdict_on
from search.evaluation.metrics import METRICS
from search.evaluation.significance import PairedTest
from search.judging.sample import line_up_sample
from search.models.registry import GENERIC, KEYWORD, default_models, models
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval.columns import known_columns, parse_column
from search.retrieval.shares_read import share_read, truncations, unequal_note
from training.dev_set import START
from training.forgetting import General
from ui import cache, charts, deleting, handing_over, navigation, once_more, run_view, widgets
from ui.rendering import literal, render

_EXTREMES = 6
_METRIC_NAMES = {"ndcg": "nDCG", "mrr": "MRR", "map": "MAP"}
_METRIC_HELP = {
    "ndcg@10": "how well the first ten are ordered",
    "mrr@10": "how high the first right answer stands",
    "recall@10": "share of right answers among the first ten",
    "recall@100": "share among the first hundred",
    "map@100": "precision over all right answers",
}


@widgets.over_documents(
    "Is the custom model better, really?",
    "Nothing to measure yet",
    "Add documents and pairs first.",
)
def page(project: Project, corpus: Manifest) -> None:
    """Draw the page."""
    if not _possible(project):
        return
    run = run_view.latest(project, ["evaluate"])
    if run_view.watched(run):
        return
    run_view.ended(run, quiet=["done"])
    deleting.say_what_went()
    manifest = newest_evaluation(project)
    wanted = [info.name for info in default_models(project)]
    unmeasured = len(wanted) > 1 and verdict_on(project, wanted[-1]) is None
    if unmeasured and (run is None or run.status.state == "done"):
        _measure(project, [*wanted, KEYWORD])
    if manifest is None:
        widgets.empty(
            "Nothing was measured yet",
            "Every model answers the held-out queries; then you see which is better, and how sure.",
        )
    else:
        _show(project, corpus, cache.evaluation(project, manifest), manifest)
    _again(project, wanted)


def _possible(project: Project) -> bool:
    """Whether anything can be proved; else say what is missing."""
    if project.newest("queries") is None:
        widgets.empty(
            "No query set yet",
            "A proof needs queries whose right answers are known. Add pairs (a fifth is held out), or "
            "upload judgments.",
        )
        navigation.step("Add pairs or judgments", "corpus", "to-queries")
        return False
    if len(models(project)) == 1:
        widgets.empty(
            "No custom model yet", "Train one; then it is measured against the generic model here."
        )
        navigation.step("Train a model", "train", "to-train")
    return True


def _measure(project: Project, names: list[str]) -> None:
    wanted = [part for name in names for part in ("--model", name)]
    run_view.start(project, ["evaluate", project.name, *wanted])


def _again(project: Project, wanted: list[str]) -> None:
    same = widgets.same_as_start(project)
    options = {
        column.name: column.title + (widgets.SAME if column.name in same else "")
        for column in known_columns(project)
    }
    with st.expander("Measure other models"):
        names = st.multiselect(
            "Models, keyword search, both together, or read again by a reranker (the first is the baseline)",
            options,
            default=[*wanted, KEYWORD],
            format_func=options.__getitem__,
            key=f"measure-{project.name}-{hash(tuple(options))}",
        )
        if st.button("Measure", type="primary", disabled=not names, key="measure"):
            _measure(project, names)


def _show(project: Project, corpus: Manifest, result: Evaluation, manifest: Manifest) -> None:
    tests = [test for test in result.comparisons if test.candidate != KEYWORD]
    plain = [test for test in tests if parse_column(test.candidate).kind == "model"]
    main = (plain or tests)[-1] if tests else None
    if main is not None:
        verdict(main, len(result.queries))
    once_more.question_asked(result)
    if main is not None:
        _unjudged(project, result, main)
        handing_over.button(project, manifest, main)
        once_more.once_more(project, main)
    if not result.clean:
        st.warning(
            "This is not a clean evaluation: training and test share queries or answers. What that means "
            "stands below.",
            icon=":material/water_drop:",
        )
    for note in result.notes:
        st.info(literal(note), icon=":material/info:")
    with st.container(key="evaluate-table"):
        columns = [parse_column(name) for name in result.scores]
        cuts = truncations(project, columns, corpus, _models_of(manifest))
        reads = {column.name: share_read(column, cuts) for column in columns}
        st.html(metrics_table(result, widgets.same_as_start(project), reads))
        if unequal := unequal_note(columns, cuts):
            st.caption(literal(unequal))
    _forgotten(project, manifest)
    if result.comparisons:
        st.subheader("How sure is that?", anchor=False)
        left, right = st.columns([3, 2])
        with left:
            _intervals(result)
        with right:
            for test in result.comparisons:
                st.html(_wins(test))
    if main is not None:
        _extremes(project, result, main)
    asked = (
        f"The {len(result.queries):,} queries ask for {result.relevant_documents:,} different documents. "
        if result.relevant_documents
        else ""
    )
    with deleting.beside(project, manifest, "this evaluation"):
        st.caption(
            f"{asked}Measured {literal(manifest.created[:16].replace('T', ' '))} UTC. Paired randomization test (9,999 "
            "random sign changes) and BCa bootstrap interval, on nDCG@10 per query."
        )


def _unjudged(project: Project, result: Evaluation, main: PairedTest) -> None:
    """Whether the verdict stays where unjudged documents count, and what people can do about it."""
    sides = (
        s for s in result.unjudged if (s.baseline, s.candidate) == (main.baseline, main.candidate)
    )
    side = next(sides, None)
    if side is None or not side.sentence:
        return
    if side.settled is False:
        st.warning(literal(side.sentence), icon=":material/balance:")
    else:
        st.caption(literal(side.sentence))
    if side.to_grade and st.button(
        f"Grade {len(side.to_grade)} documents", key="line-up-sample", icon=":material/rule:",
        help="A random sample of what nobody judged, blind: one question and one document at a time, on the page Judge. Then "
        "measure again.",
    ):  # fmt: skip
        line_up_sample(project, [side.baseline, side.candidate])
        st.session_state["judge-turn"] = "sample"
        navigation.go("judge")


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


def verdict(test: PairedTest, queries: int) -> None:
    """The verdict in one sentence, the largest thing on the page."""
    colours = {"better": "var(--b-teal)", "worse": "var(--b-brown)"}
    colour = colours.get(test.verdict, "var(--b-slate)")
    names = f"{widgets.model_title(test.candidate)}", widgets.model_title(test.baseline).lower()
    words = {
        "better": f"Yes. “{names[0]}” is better than {names[1]}.",
        "worse": f"No. “{names[0]}” is worse than {names[1]}.",
    }
    say = words.get(test.verdict, f"No clear difference between “{names[0]}” and {names[1]}.")
    low, high = test.ci95
    why = (
        f"{test.delta:+.3f} nDCG@10 on {queries:,} held-out queries; with 95% certainty between "
        f"{low:+.3f} and {high:+.3f}. {_chance(test.p_value)}"
    )
    with st.container(key="evaluate-verdict"):
        st.html(render("verdict.html", colour=colour, say=say, why=why))


def _chance(p_value: float) -> str:
    if p_value < 0.001:
        return "Chance alone would hardly ever show this much (p < 0.001)."
    return f"Chance alone would show this much in {p_value:.1%} of cases (p = {p_value:.3f})."


def metrics_table(
    result: Evaluation, same: Collection[str] = (), reads: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Each model's means as HTML, the best of each column in bold.

    :param same: models that are their start; it is said of them.
    :param reads: by model, how much of the passages it reads, where that is not all.
    """
    means = {model: result.means(model) for model in result.scores}
    best = {metric: max(m[metric] for m in means.values()) for metric in METRICS}
    split = {metric: metric.split("@") for metric in METRICS}
    return render(
        "metrics.html",
        queries=f"{len(result.queries):,}",
        metrics=[
            (_METRIC_NAMES.get(name, name), depth, _METRIC_HELP[metric])
            for metric, (name, depth) in split.items()
        ],
        rows=[
            (
                own,
                widgets.model_title(model) + (widgets.SAME if model in same else ""),
                reads.get(model, ""),
                [(f"{values[metric]:.3f}", values[metric] == best[metric]) for metric in METRICS],
            )
            for (model, values), own in zip(
                means.items(), widgets.colours(list(means)), strict=True
            )
        ],
    )


def _intervals(result: Evaluation) -> None:
    """The mean differences with their intervals, against zero."""
    rows = [
        {
            "model": widgets.model_title(test.candidate),
            "difference": test.delta,
            "low": test.ci95[0],
            "high": test.ci95[1],
            "verdict": test.verdict,
        }
        for test in result.comparisons
    ]
    title = f"difference in nDCG@10 against {widgets.model_title(result.comparisons[0].baseline)}"
    ends = [end for test in result.comparisons for end in (*test.ci95, 0.0)]
    # Two places would name several ticks of a narrow interval alike.
    form = "+.2f" if max(ends) - min(ends) > 0.1 else "+.3f"
    height = 110 + 50 * len(rows)
    # The chart comes a moment later than the rest; its place is kept.
    with st.container(height=height, border=False, key="intervals"):
        drawn = _interval_chart(rows, title.replace("Generic", "generic"), form)
        st.vega_lite_chart(charts.local_only({"height": height} | drawn), width="stretch")
    st.caption("The line is the 95% interval. Where it crosses zero, the difference may be chance.")


def _interval_chart(rows: Sequence[charts.Spec], title: str, form: str) -> charts.Spec:
    """A line from the low to the high end of each row, its difference as a point, and zero."""
    verdicts = ["better", "no clear difference", "worse"]
    colours = {"domain": verdicts, "range": ["#0f9488", "#6b7a90", "#b4540a"]}
    legend = {"orient": "bottom", "title": None}
    each = {
        "y": charts.name("model", title=None, sort=None, axis={"labelLimit": 180}),
        "color": charts.name("verdict", scale=colours, legend=legend),
    }
    low = charts.number("low", title=title, axis={"format": form, "tickCount": 6})
    difference = charts.number("difference")
    tooltip = [charts.name("model"), difference | {"format": "+.4f"}, charts.name("verdict")]
    zero = {"x": charts.number("zero")}
    points = each | {"x": difference, "tooltip": tooltip}
    ink = {"labelColor": widgets.ink(), "titleColor": widgets.ink()}
    return {
        "config": {"axis": ink, "legend": ink},
        "layer": [
            charts.layer("rule", rows, each | {"x": low, "x2": {"field": "high"}}, strokeWidth=3),
            charts.layer("point", rows, points, filled=True, size=110, opacity=1),
            charts.layer("rule", [{"zero": 0.0}], zero, strokeDash=[4, 4], color="#8a94a3"),
        ],
    }


def _wins(test: PairedTest) -> str:
    """Wins, ties and losses as one bar."""
    total = max(test.wins + test.ties + test.losses, 1)
    parts = (("win", test.wins), ("tie", test.ties), ("loss", test.losses))
    better = widgets.counted(test.wins, "query", "queries")
    return render(
        "wins.html",
        said=f"{widgets.model_title(test.candidate)}: {better} better, {test.ties:,} the same, {test.losses:,} worse",
        parts=[
            (kind, count, count if count / total > 0.08 else "") for kind, count in parts if count
        ],
    )


def _extremes(project: Project, result: Evaluation, test: PairedTest) -> None:
    """The queries with the largest gains and losses, each a click away from Compare."""
    moved = result.differences(test.baseline, test.candidate)
    order = np.argsort(-moved, kind="stable")
    gains = [int(i) for i in order[:_EXTREMES] if moved[i] > 0]
    losses = [int(i) for i in order[::-1][:_EXTREMES] if moved[i] < 0]
    left, right = st.columns(2)
    for column, title, positions, key in (
        (left, "Largest gains", gains, "gain"),
        (right, "Largest losses", losses, "loss"),
    ):
        with column:
            st.subheader(title, anchor=False)
            if not positions:
                st.caption("None.")
            for i in positions:
                _query_card(project, result, test, i, key)


def _query_card(project: Project, result: Evaluation, test: PairedTest, i: int, key: str) -> None:
    before = literal(_rank(result.first_relevant[test.baseline][i]))
    after = literal(_rank(result.first_relevant[test.candidate][i]))
    with st.container(border=True, key=f"{key}-{i}"):
        text = result.texts[i]
        short = text if len(text) < 160 else text[:157] + "…"
        if st.button(literal(short), type="tertiary", key=f"q-{i}"):
            st.session_state[f"query-{project.name}"] = text
            navigation.go("compare", q=text)
        baseline = literal(widgets.model_title(test.baseline))
        candidate = literal(widgets.model_title(test.candidate))
        st.caption(f"Right answer: {baseline} {before} → {candidate} {after}")


def _rank(rank: int | None) -> str:
    return f"at rank {rank}" if rank else "not in the first 100"
