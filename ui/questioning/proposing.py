"""Questions proposed from the documents, one at a time: kept, edited or thrown away with one key."""

from collections.abc import Callable

import streamlit as st

from search.corpus.corpus import Corpus
from search.judging.counter import count_questions
from search.judging.proposals import Proposal, accept, discard, proposals, reopen
from search.projects.errors import BespokeError
from search.projects.outgoing import host_and_port
from search.projects.project import Project
from search.projects.settings import settings
from training.synthetic.propose import propose
from ui import failures, run_view, widgets
from ui.hits import excerpt, query_words, segments
from ui.judging.naming import judging_as
from ui.questioning import counting
from ui.rendering import literal, render

VERB = "propose"
_SHOWN = 420
_FOCUS = st.components.v2.component(
    "bespoke_focus",
    js="""export default () => {
  const box = document.querySelector(".st-key-question-edit input");
  if (box && document.activeElement !== box) { box.focus(); box.setSelectionRange(box.value.length, box.value.length); }
};""",
    isolate_styles=False,
)


@st.fragment
@failures.guarded
def board(project: Project, corpus: Corpus, enough: bool) -> None:
    """Draw the counter and the next proposed question; only this part of the page is drawn again.

    :param enough: whether there were questions enough when the page was drawn.
    """
    count = count_questions(project)
    known = proposals(project)
    waiting = [
        one for one in known if one.state == "open" and corpus.position(one.document) is not None
    ]
    if known and (enough != (count.missing == 0) or (not waiting and _decided(project))):
        _decided(project).clear()
        st.rerun()
    counting.line(count)
    if waiting:
        _decide(project, corpus, waiting[0])
        done = sum(one.state != "open" for one in known)
        st.caption(
            f"{done} of {len(known)} decided. A verdict on kept ones says “on questions proposed from the documents”: "
            "questions of your users weigh more."
        )
        return
    _offer(project, more=bool(known), first=not count.judged and not count.unanswered)


def _decide(project: Project, corpus: Corpus, one: Proposal) -> None:
    document = corpus.document(one.document)
    assert document is not None
    with st.container(border=True, key="question-board"):
        if st.session_state.get("question-editing") == one.id:
            _edit(project, one)
        else:
            st.header(literal(one.text), anchor=False)
        words = query_words(one.text)
        answer = f"**{literal(document.title)}**" if document.title else "this document"
        st.markdown(f"Answered by {answer}:")
        short = excerpt(" ".join(document.text.split()), words, _SHOWN)
        st.html(render("sampled.html", segments=segments(short, words)))
    if st.session_state.get("question-editing") == one.id:
        return
    with st.container(horizontal=True, key="question-keys"):
        _button("Keep", "k", _keep, project, one, primary=True)
        _button("Edit", "e", _begin_edit, project, one)
        _button("Throw away", "x", _throw, project, one)
        if _decided(project):
            _button("Undo", "u", _undo, project, one)


def _button(
    label: str, key: str, act: Callable[[Project, Proposal], None], project: Project, one: Proposal,
    primary: bool = False,
) -> None:  # fmt: skip
    st.button(
        literal(label),
        key=f"question-{act.__name__.strip('_')}",
        shortcut=key,
        type="primary" if primary else "secondary",
        on_click=act,
        args=(project, one),
    )


def _edit(project: Project, one: Proposal) -> None:
    with st.form(f"question-form-{one.id}", border=False):
        with st.container(key="question-edit"):
            text = st.text_input("The question, in your words", one.text, key=f"text-{one.id}")
        left, right = st.columns(2)
        keeps = left.form_submit_button("Keep it so", type="primary", width="stretch")
        leaves = right.form_submit_button("Leave it as it was", width="stretch")
    _FOCUS(key="question-focus", height=1)
    if keeps:
        try:
            accept(project, one.id, judging_as(), text)
        except BespokeError as error:
            st.warning(literal(error))
            return
        _decided(project).append(one.id)
    if keeps or leaves:
        st.session_state.pop("question-editing", None)
        st.rerun(scope="fragment")


def _keep(project: Project, one: Proposal) -> None:
    accept(project, one.id, judging_as())
    _decided(project).append(one.id)


def _throw(project: Project, one: Proposal) -> None:
    discard(project, one.id)
    _decided(project).append(one.id)


def _begin_edit(project: Project, one: Proposal) -> None:
    st.session_state["question-editing"] = one.id


def _undo(project: Project, _: Proposal) -> None:
    decided = _decided(project)
    if decided:  # Two presses may arrive together.
        reopen(project, decided.pop())


def _decided(project: Project) -> list[str]:
    """The ids of those that were decided in this session, the last one last."""
    ids: list[str] = st.session_state.setdefault(f"question-decided-{project.name}", [])
    return ids


def _offer(project: Project, more: bool, first: bool) -> None:
    """What there is to do where none waits."""
    if not more:
        widgets.empty(
            "No pairs and no questions? Your documents propose some",
            "Titles, headings, terms and questions in them make short questions, each with the document that answers it. "
            "You keep, edit or throw each away with one key.",
        )
    else:
        widgets.empty("Each proposed question is decided", "Have more proposed, or add your own.")
    with st.container(horizontal=True):
        label = "Propose more" if more else "Propose questions"
        if st.button(label, key="propose", type="primary" if first else "secondary"):
            with st.spinner("Reading the documents…"):
                new = propose(project)
            if new:
                st.rerun()
            st.info("The documents give no further question. Type your own.")
        _by_a_server(project)


def _by_a_server(project: Project) -> None:
    known = settings()
    if not known.chat_url:
        return
    host = host_and_port(known.chat_url)
    if st.button(
        "Let a chat server write them",
        key="propose-chat",
        help=f"Passages of your documents are sent to {literal(host)}.",
    ):
        words = [VERB, project.name, "--with", known.chat_url]
        words += ["--chat-model", known.chat_model] if known.chat_model else []
        words += ["--key-variable", known.chat_key] if known.chat_key else []
        run_view.start(project, words)
