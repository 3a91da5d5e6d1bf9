"""Evaluate: is the custom model better, really? The sentence first, then one picture, then the evidence."""

import streamlit as st

from search.evaluation.evaluation import Evaluation, newest_evaluation, verdict_on
from search.evaluation.statistics.significance import PairedTest
from search.judging.counter import count_questions
from search.judging.to_query_set import grown_elsewhere, is_behind
from search.models.registry import KEYWORD, default_models, models
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.columns import known_columns
from ui import cache, deleting, failures, handing_over, navigation, once_more, run_view, widgets
from ui.evaluating import in_full
from ui.evaluating.evidence import all_questions, extremes, figures, slices_table
from ui.evaluating.opening import opening
from ui.evaluating.picture import picture
from ui.evaluating.sentence import verdict
from ui.evaluating.standing import before, standing
from ui.evaluating.unjudged import grade_button, unjudged
from ui.rendering import literal

_CHANGED = "evaluate-changed"


@widgets.over_documents(
    "Is the custom model better, really?",
    "Nothing to measure yet",
    "Add documents and pairs first.",
)
def page(project: Project, corpus: Manifest) -> None:
    """Draw the page."""
    if not _possible(project):
        return
    run = run_view.latest(project, ["evaluate", in_full.COMMAND])
    if run_view.watched(run):
        return
    run_view.ended(run, quiet=["done"])
    deleting.say_what_went()
    manifest = newest_evaluation(project)
    wanted = [info.name for info in default_models(project)]
    unmeasured = len(wanted) > 1 and verdict_on(project, wanted[-1]) is None
    if unmeasured and (run is None or run.status.state == "done"):
        _measure(project, [])
    before(project)
    if manifest is None:
        widgets.empty(
            "Nothing was measured yet",
            "Every model answers the held-out queries; then you see which is better, and how sure.",
        )
    else:
        _show(project, corpus, cache.evaluation(project, manifest), manifest)
    _again(project, wanted)
    opening(project)


def _possible(project: Project) -> bool:
    """Whether anything can be proved; else say what is missing."""
    queries = project.newest("queries")
    if not grown_elsewhere(queries) and (count := count_questions(project)).missing:
        widgets.empty(
            f"{count.short} questions have a right answer",
            f"A proof asks questions whose right answers are known. {count.more} Your documents propose some; or type "
            "your own, bring a file, or add pairs, of which a fifth is held out.",
        )
        navigation.step("Add questions", "questions", "to-queries")
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
    main = result.decision.main
    if is_behind(project) and st.button(
        "Measure again: more was judged since", type="primary", key="measure-grown"
    ):
        _measure(project, list(result.scores))
    if result.too_few:
        widgets.empty("Too few questions to tell", result.too_few)
        navigation.step("Add questions", "questions", "too-few")
        return
    if main is not None:
        verdict(result, main, main.candidate in widgets.same_as_start(project))
        with st.container(horizontal=True, key="evaluate-next"):
            handing_over.button(project, manifest, main)
            if st.button("Export the model", icon=":material/download:", key="to-export"):
                navigation.go("models")
            st.button(
                "The questions that changed",
                icon=":material/swap_vert:",
                key="show-changed",
                on_click=_show_changed,
            )
            grade_button(project, result, main)
            in_full.button(project, main.candidate)
        unjudged(result, main)
        if st.session_state.pop(_CHANGED, False):
            _changed(result, main)
        once_more.once_more(project, main)
    if not result.clean:
        widgets.empty(
            "Not a clean measurement", f"{result.not_clean} What that means stands below."
        )
        navigation.step("Add questions of your own", "questions", "not-clean")
    if main is not None:
        picture(result, main)
        slices_table(result, main)
        extremes(project, result, main)
    figures(project, corpus, result, manifest)
    _known(result)
    standing(project, result, manifest)
    with deleting.beside(project, manifest, "this evaluation"):
        st.caption(
            f"Measured {literal(manifest.created[:16].replace('T', ' '))} UTC. Paired randomization test (9,999 "
            "random sign changes) and BCa bootstrap interval over independent groups of queries; where these are few, the "
            "interval is the test's own."
        )


def _show_changed() -> None:
    st.session_state[_CHANGED] = True


@st.dialog("The questions that changed", width="large")
@failures.guarded
def _changed(result: Evaluation, main: PairedTest) -> None:
    all_questions(result, main, "dialog", "changed")


def _known(result: Evaluation) -> None:
    """What else is to be known of the figures: on what they rest, what was left out, what was counted."""
    documents = (
        [
            f"The {len(result.queries):,} queries ask for {result.relevant_documents:,} different documents."
        ]
        if result.relevant_documents
        else []
    )
    groups = [result.groups.sentence] if result.groups is not None else []
    about = [*result.question_sentences[1:], *documents, *groups]
    lines = [*result.notes, *about, *result.counted.sentences, *result.copies.sentences]
    if lines:
        st.header("What to know of these figures", anchor=False)
        with st.container(key="evaluate-notes"):
            st.markdown("\n".join(f"- {literal(_sentence(line))}" for line in lines))


def _sentence(line: str) -> str:
    """A note as a sentence of its own."""
    ended = line if line.endswith((".", "!", "?")) else f"{line}."
    return f"{ended[0].upper()}{ended[1:]}"
