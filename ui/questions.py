"""Questions: by which questions, whose right answers are known, will the proof be made?"""

import streamlit as st

from search.corpus.corpus import Corpus
from search.judging.counter import QuestionCount, count_questions
from search.judging.to_query_set import grown_elsewhere
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.projects.runs import Run
from ui import corpus_queries, deleting, navigation, next_step, run_view, steps, widgets
from ui.judging.board import turn_to
from ui.questioning import counting, own, proposing
from ui.rendering import literal

_VERBS = (proposing.VERB, "queries", "questions")
_PARTS = {
    "proposed": "From your documents",
    "own": "Type your own",
    "all": "All questions",
    "files": "From files",
}
_RUN = "questions-run"


@widgets.over_documents(
    "Which questions should it answer?",
    "Nothing to ask yet",
    "Add documents first; then questions can be proposed from them, typed or brought along.",
)
def page(project: Project, manifest: Manifest) -> None:
    """Draw the page."""
    deleting.say_what_went()
    steps.strip(project, "questions")
    run = run_view.latest(project, _VERBS)
    if run_view.watched(run):
        return
    _go_on(run)
    run_view.ended(run, quiet=["done"])
    count = count_questions(project)
    st.markdown(literal(_promise(count)))
    here = next_step.next_step(project).page == "questions"
    part = st.segmented_control(
        "Part",
        list(_PARTS),
        default="files" if grown_elsewhere(project.newest("queries")) else "proposed",
        required=True,
        format_func=_PARTS.__getitem__,
        key=f"questions-part-{project.name}",
        label_visibility="collapsed",
    )
    corpus = Corpus.of(project, manifest)
    if part in (None, "proposed"):
        proposing.board(project, corpus, count.missing == 0)
    elif part == "files":
        corpus_queries.step(project)
        return
    else:
        counting.line(count)
        if part == "own":
            own.typed(project, primary=here)
        else:
            own.listed(project, corpus)
    _judge(project, count, primary=here and part != "own" and not count.open)


def _promise(count: QuestionCount) -> str:
    """What it takes and what comes of it, said before anybody begins."""
    if not count.judged and not count.unanswered:
        return (
            "Some twenty minutes of your time: keep or type about "
            f"{count.aim} questions, and judge what the searches find for them. Then there is a verdict; often an honest "
            "“cannot tell yet, about so many more would”."
        )
    return "These questions test every model; none is trained on them."


def _judge(project: Project, count: QuestionCount, primary: bool) -> None:
    """The way to the board, where the answers of all searches are judged blind."""
    if not count.judged and not count.unanswered:
        return
    st.divider()
    if count.unanswered:
        lacking = widgets.counted(count.unanswered, "question has", "questions have")
        st.markdown(
            f"**{lacking} no right answer yet.** See what the searches find, without names."
        )
    else:
        st.markdown(
            "Other documents may answer these questions, too: judge what the searches find."
        )
    wanted = primary and count.unanswered > 0
    if st.button(
        "Judge blind", key="questions-judge", type="primary" if wanted else "secondary",
        help="Keyword search, the generic model and your newest custom model, mixed; one key a document.",
    ):  # fmt: skip
        run_view.start(project, ["questions", project.name, "--pool"], _RUN)


def _go_on(run: Run | None) -> None:
    """Lined up is judged: the run that was started here leads to the board."""
    if run is None or st.session_state.get(_RUN) != run.id or run.status.state != "done":
        return
    st.session_state.pop(_RUN, None)
    turn_to("sample")
    navigation.go("judge")
