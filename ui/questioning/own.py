"""Questions of one's own, typed or pasted as a list, and all that there are."""

import streamlit as st

from search.corpus.corpus import Corpus
from search.judging.aggregation import Grades
from search.judging.own_questions import ask_own, read_list, withdraw_question
from search.judging.pooling import own_questions
from search.judging.proposals import ORIGIN
from search.judging.store import JudgmentStore
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import widgets
from ui.hits import shortened
from ui.judging.naming import judging_as
from ui.rendering import literal

_EXAMPLE = (
    "How long is the notice period?\n"
    "Who pays for small repairs? | Repairs\n"
    "May I keep a dog? | Keeping animals needs the written consent of the landlord."
)


def typed(project: Project, primary: bool) -> None:
    """Draw the box for a list, and add what is in it."""
    count = st.session_state.setdefault(f"own-count-{project.name}", 0)
    text = st.text_area(
        "Your questions, one a line. Where you know the answer, add “ | ” and the title of its document, or a sentence "
        "copied from it.",
        key=f"own-questions-{project.name}-{count}",
        placeholder=_EXAMPLE,
        height=200,
    )
    if not st.button(
        "Add these questions", key="own-add", type="primary" if primary else "secondary"
    ):
        return
    try:
        with st.spinner("Looking for the answers…"):
            asked = read_list(project, text or "")
            answered = ask_own(project, judging_as(), asked)
    except BespokeError as error:
        st.warning(literal(error))
        return
    st.session_state[f"own-count-{project.name}"] = count + 1
    st.toast(
        literal(
            f"{widgets.counted(len(asked), 'question')} added, {answered} with a right answer."
        ),
        icon=":material/check:",
    )
    st.rerun()


def listed(project: Project, corpus: Corpus) -> None:
    """Draw all own questions with their right answers; some can be taken out."""
    questions = own_questions(project)
    if not questions:
        widgets.empty(
            "No questions yet", "Have some proposed, type your own, or mark answers in Compare."
        )
        return
    graded = Grades.of(JudgmentStore.of(project).standing()).judgments()
    rows = [
        {
            "question": question.text,
            "right answer": ", ".join(
                _name(corpus, document)
                for document, value in graded.get(question.id, {}).items()
                if value > 0
            )
            or "not judged yet",
            "from": "the documents" if question.origin == ORIGIN else question.origin,
        }
        for question in questions
    ]
    import pandas as pd

    shown = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"own-table-{project.name}-{len(rows)}",
        height=320,
    )
    chosen = [questions[row].id for row in shown["selection"]["rows"] if row < len(questions)]
    if chosen and st.button(f"Take {widgets.counted(len(chosen), 'question')} out", key="own-out"):
        try:
            for identity in chosen:
                withdraw_question(project, judging_as(), identity)
        except BespokeError as error:
            st.warning(literal(error))
            return
        st.rerun()


def _name(corpus: Corpus, identity: str) -> str:
    document = corpus.document(identity)
    return shortened(document.title or document.text, 60) if document else identity
