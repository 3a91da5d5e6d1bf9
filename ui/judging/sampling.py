"""Grading a sample: one question, one document, four keys; nothing tells which search shows it."""

import streamlit as st

from search.corpus.corpus import Corpus
from search.judging.counter import count_questions
from search.judging.sample import (
    Sample,
    current_sample,
    grade_all,
    grade_next,
    graded_by,
    undo_last,
)
from search.judging.votes import GRADES
from search.projects.project import Project
from search.retrieval.columns import column_title
from ui import failures, navigation, next_step, widgets
from ui.hits import excerpt, query_words, segments
from ui.rendering import literal, render

_SHOWN = 900


@st.fragment
@failures.guarded
def grade_sample(project: Project, corpus: Corpus, judge: str) -> None:
    """Draw the next document of the sample, and keep what is said of it; only this part of the page is drawn again."""
    sample = current_sample(project)
    if sample is None:
        return
    # What one graded of a pool, nobody else need; a sample is graded by each judge alone.
    known = graded_by(project, None if sample.pooled else judge)
    left = [item for item in sample.left(known) if corpus.position(item[2]) is not None]
    done = len(sample.items) - len(sample.left(known))
    st.caption(f"{done} of {len(sample.items)} documents graded")
    st.progress(done / len(sample.items))
    if sample.pooled:
        count = count_questions(project)
        st.caption(
            f"**{literal(count.short)}** questions have a right answer. {literal(count.more)}"
        )
    if left:
        _ask(project, corpus, judge, left[0])
        if sample.pooled:
            _rest(project, judge, [item for item in left if item[0] == left[0][0]])
    else:
        widgets.empty(
            "That was the last document of this sample"
            if not sample.pooled
            else "That was the last document",
            f"Measure on the page Proof: the grades count there. {_columns(sample)}",
        )
        if sample.pooled:
            _onward(project)
    if done:
        st.button(
            "Undo the last grade",
            key="sample-undo",
            icon=":material/undo:",
            on_click=undo_last,
            args=(project, judge),
        )


def _ask(project: Project, corpus: Corpus, judge: str, item: tuple[str, str, str]) -> None:
    _, question, identity = item
    document = corpus.document(identity)
    assert document is not None
    st.header(literal(question), anchor=False)
    words = query_words(question)
    with st.container(border=True, key="sample-document"):
        if document.title:
            st.markdown(f"**{literal(document.title)}**")
        short = excerpt(document.text, words, _SHOWN)
        st.html(render("sampled.html", segments=segments(short, words)))
        if len(document.text) > _SHOWN:
            with st.expander("All of it"):
                st.text(document.text)
    st.caption("Does it answer the question? (keys 0 to 3)")
    with st.container(horizontal=True):
        for value, label in GRADES.items():
            st.button(
                literal(label.capitalize()),
                key=f"sample-grade-{value}",
                shortcut=str(value),
                on_click=grade_next,
                args=(project, judge, item, value),
            )


def _rest(project: Project, judge: str, items: list[tuple[str, str, str]]) -> None:
    """One key for all that is left of a question, where none of it answers."""
    if len(items) > 1:
        st.button(
            f"None of the {len(items)} that are left of this question",
            key="sample-rest",
            shortcut="n",
            on_click=grade_all,
            args=(project, judge, items, 0),
        )


def _onward(project: Project) -> None:
    """Where to go when everything is graded."""
    following = next_step.next_step(project)
    if following.page != "judge":
        navigation.step(following.label, following.page, "sample-next", **following.parameters)


def _columns(sample: Sample) -> str:
    """Where the sample came from, told when nothing is left that it could sway."""
    if sample.pooled:
        titles = [column_title(name) for name in sample.columns]
        return f"They were what {', '.join(titles[:-1])} and {titles[-1]} show first."
    one, other = map(column_title, sample.columns)
    return f"It was drawn from what only one of {one} and {other} shows among its first ten."
