"""Questions written by a chat server: where it is, what would be sent there, and the button that does."""

from typing import Any

import streamlit as st

from search.corpus.corpus import current_corpus
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.projects.settings import settings
from training.synthetic.chat.asking import CALLS
from training.synthetic.chat.written import ChatRequest, planned
from ui import run_view
from ui.rendering import literal

VERB = "mine"
_LABELS = {
    "--base-url": "Address",
    "--model": "Model",
    "--key-variable": "Environment variable with its key",
}


def offer(project: Project, key: str) -> None:
    """The form; nothing is sent before its second button.

    :param key: tells the pages apart on which this is drawn.
    """
    st.caption(
        "A language model writes what people might ask about some of your documents: search words, whole questions, lay "
        "words, situations. Any server with OpenAI’s chat API will do: Ollama, vLLM or llama.cpp on this machine, or one "
        "elsewhere. Passages are sent to it, and a few of your training queries as examples of style."
    )
    wanted = _request(key)
    said = f"chat-plan-{project.name}"
    if st.button("See what would be sent", key=f"chat-look-{key}", disabled=not wanted.url):
        st.session_state[said] = (wanted, *_estimate(project, wanted))
    plan = st.session_state.get(said)
    if plan is None or plan[0] != wanted:
        return
    _, sentence, is_refused = plan
    if is_refused:
        st.error(literal(sentence))
        return
    st.info(literal(sentence), icon=":material/payments:")
    if st.button("Let it write questions", key=f"chat-go-{key}", type="primary"):
        del st.session_state[said]
        run_view.start(project, [VERB, project.name, *arguments_of(_facts(wanted))])


def arguments_of(written: dict[str, Any]) -> list[str]:
    """How the command is told which server wrote questions.

    :param written: what a report of mined pairs says of them.
    """
    arguments = ["--with", written["url"], "--calls", f"{written['calls']}"]
    if written["model"]:
        arguments += ["--chat-model", written["model"]]
    return arguments + (
        ["--key-variable", written["key_variable"]] if written["key_variable"] else []
    )


def _request(key: str) -> ChatRequest:
    known = settings()
    left, right = st.columns(2)
    url = left.text_input(
        "Address", known.chat_url, placeholder="http://localhost:11434/v1", key=f"chat-url-{key}"
    )
    model = right.text_input(
        "Model", known.chat_model, placeholder="its only model", key=f"chat-model-{key}"
    )
    variable = left.text_input(
        "Environment variable with its key",
        known.chat_key,
        placeholder="none: no key",
        key=f"chat-key-{key}",
    )
    calls = right.number_input(
        "Passages to ask about", 1, 100_000, CALLS, 100, key=f"chat-calls-{key}"
    )
    return ChatRequest(url.strip(), model.strip() or None, variable.strip() or None, int(calls))


def _facts(wanted: ChatRequest) -> dict[str, Any]:
    return {
        "url": wanted.url,
        "model": wanted.model,
        "key_variable": wanted.key_variable,
        "calls": wanted.calls,
    }


def _estimate(project: Project, wanted: ChatRequest) -> tuple[str, bool]:
    """What would be sent, or why nothing can be."""
    try:
        with st.spinner("Counting tokens…"):
            plan = planned(project, current_corpus(project)[1], wanted)
            plan.admit()
            return plan.sentence, False
    except BespokeError as error:
        option, _, reason = str(error).partition(": ")
        return (f"{_LABELS[option]}: {reason}" if option in _LABELS else str(error)), True
