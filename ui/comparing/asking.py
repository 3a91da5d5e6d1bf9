"""The question: the box, what is offered to try and while typing, and what was asked before."""

from collections.abc import Sequence
from itertools import islice

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.evaluation.changes import telling_questions
from search.evaluation.evaluation import newest_evaluation
from search.evaluation.rankings.rank_similarity import known_disagreements
from search.projects import runs
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval import history
from search.text.words import folded_words
from ui import address, cache
from ui.hits import shortened
from ui.rendering import literal, render

KEY = "q"
"""The key of the box, and the name of the question in the address."""
_LIKE = "like"
_OFFERED = 4  # As many as one line holds.
_TOLD = 12  # A project's own examples come first where they are among so many that tell most.
_LATEST = 12
_PAUSE = "250ms"
_LABEL = 60
_DIFFER = "Where they differ most"


def box(project: Project) -> str:
    """Draw the box for the question. It is searched while it is typed, and the address holds it."""
    last = f"last-{KEY}-{project.name}"
    opened = st.session_state.get("compare-project")
    if opened != project.name:
        # The question of another project stays there; this project's comes back.
        before = st.session_state.get(last, "")
        # A box that is given its text, even that it is empty, forgets what is typed meanwhile.
        if (opened is not None or KEY not in st.query_params) and before != st.session_state.get(
            KEY, ""
        ):
            st.session_state[KEY] = before
        st.session_state["compare-project"] = project.name
    query = st.text_input(
        "Your question",
        key=KEY,
        type="search",
        placeholder="Type a question and press Enter",
        label_visibility="collapsed",
        icon=":material/search:",
        live=_PAUSE,
        on_change=leave_like,
        bind="query-params",
    )
    st.button("Search", type="primary", key="search-button")
    st.session_state[last] = query or ""
    return query or ""


def is_asked() -> bool:
    """Whether there is a question, or a document that others are looked for like: known before the box is drawn."""
    return bool(like() or str(st.session_state.get(KEY, address.value(KEY)) or "").strip())


def ask(query: str) -> None:
    """Put a question into the box (from a callback, before the box is drawn)."""
    st.session_state[KEY] = query
    leave_like()


def like() -> str | None:
    """The id of the document that others are looked for like; the address holds it."""
    return address.value(_LIKE)


def look_like(identity: str) -> None:
    """Look for documents like one, instead of an answer to the question."""
    st.query_params[_LIKE] = identity


def leave_like() -> None:
    """Go back to the question."""
    st.query_params.pop(_LIKE, None)


def offers() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Draw the place for questions to choose from: it is there, and keeps its room, before they are known.

    :returns: the row, and the place of its caption: Streamlit draws no row that has nothing in it.
    """
    row = st.container(key="compare-offers", horizontal=True, vertical_alignment="center")
    return row, row.empty()


def offer(
    slots: tuple[DeltaGenerator, DeltaGenerator],
    project: Project,
    examples: Sequence[str],
    caption: str,
    typed: str,
) -> None:
    """Draw questions to choose from: the most telling ones, while typing those that fit what is typed."""
    row, above = slots
    fitting = suggestions(examples, typed) if typed not in examples[:_OFFERED] else []
    if typed.strip() and fitting:
        caption = "Questions like yours"
    else:
        fitting = list(
            examples[:_OFFERED]
        )  # One that was chosen stays: nothing moves under the pointer.
    key = f"example-{project.name}"

    def chosen() -> None:
        if example := st.session_state.get(key):
            ask(example)
            st.session_state[key] = None

    if fitting:
        above.html(render("caption.html", text=caption), width="content")
        row.pills(
            literal(caption),
            fitting,
            key=key,
            format_func=lambda text: literal(shortened(text, _LABEL)),
            on_change=chosen,
            label_visibility="collapsed",
            width="stretch",
            wrap=False,
        )


def suggestions(examples: Sequence[str], typed: str, count: int = _OFFERED) -> list[str]:
    """The examples that fit what is typed so far, in their order; all where nothing is typed.

    Each typed word but the last must be in an example, the last one as the beginning of a word.
    """
    words = folded_words(typed)
    if not words:
        return list(examples[:count])
    *whole, last = words

    def fits(example: str) -> bool:
        has = folded_words(example)
        return set(whole) <= set(has) and any(word.startswith(last) for word in has)

    return list(islice((e for e in examples if e != typed and fits(e)), count))


def remember(project: Project, query: str) -> None:
    """Note a question that was searched, once, in the project's history."""
    key = f"remembered-{project.name}"
    if st.session_state.get(key) != query:
        st.session_state[key] = query
        history.remember(project, query)


def past(project: Project) -> None:
    """Draw the latest questions of the project; one press asks one again."""
    asked_before = history.recent(project, _LATEST)
    if not asked_before:
        st.caption("Questions that are asked in this project are kept here.")
        return
    with st.container(key="compare-history"):
        for number, query in enumerate(asked_before):
            st.button(
                literal(shortened(query, _LABEL)),
                key=f"past-{number}",
                on_click=ask,
                args=(query,),
                type="tertiary",
                width="stretch",
            )
    st.button(
        "Forget them",
        key="forget-history",
        icon=":material/delete:",
        on_click=history.forget,
        args=(project,),
    )


def examples(project: Project, names: Sequence[str]) -> tuple[list[str], str]:
    """Questions to offer, the most telling first, and what to call them.

    :param names: the names of the columns.
    """
    held_out = _held_out(project)
    differing = _measured(project, names) or _disagreeing(project, names)
    if differing:
        own = [text for text in differing[:_TOLD] if text in project.info.examples]
        return list(dict.fromkeys([*own, *differing, *held_out])), _DIFFER
    if project.info.examples:
        return list(dict.fromkeys([*project.info.examples, *held_out])), "Try one of these"
    return held_out, "Held-out questions"


def stable_examples(project: Project, names: Sequence[str], typed: str) -> tuple[list[str], str]:
    """What `examples` says, as it was when the box was last empty: what is found meanwhile waits until then."""
    key = f"offered-{project.name}-{names}"
    before = st.session_state.get(key)
    if before is None or not typed.strip():
        before = st.session_state[key] = examples(project, names)
    offered: tuple[list[str], str] = before
    return offered


def look_for(project: Project, names: Sequence[str]) -> None:
    """Start to look for the questions that these columns answer most differently, where nobody did yet.

    It is a run of some seconds; what it finds is offered when the page is drawn next.
    """
    if len(names) < 2 or not _held_out(project) or _measured(project, names):
        return
    tried = st.session_state.setdefault("disagree-runs", set())
    key = (project.name, *names)
    if key in tried:
        return
    if known_disagreements(project, names) is not None:
        tried.add(key)
        return
    if runs.going_on(project):  # Nothing is begun unasked beside other work.
        return
    tried.add(key)
    runs.start(project, ["disagree", project.name, *(f"--model={name}" for name in names)])


def _measured(project: Project, names: Sequence[str]) -> list[str]:
    """Questions that tell the columns apart, as the newest evaluation measured them."""
    manifest = newest_evaluation(project)
    if manifest is None or len(names) < 2:
        return []
    result = cache.evaluation(project, manifest)
    if any(name not in result.scores for name in names):
        return []
    return telling_questions(result, names)


def _disagreeing(project: Project, names: Sequence[str]) -> list[str]:
    """Questions by how different the columns' answers are, where that was looked for."""
    if len(names) < 2 or not _held_out(project):
        return []
    try:
        known = known_disagreements(project, names) or []
    except BespokeError:  # A column may have gone since the page was drawn.
        return []
    return [one.text for one in known if one.distance > 0.05]


def _held_out(project: Project) -> list[str]:
    manifest = project.newest("queries")
    if manifest is None:
        return []
    return list(dict.fromkeys(cache.query_set(project, manifest).queries.values()))
