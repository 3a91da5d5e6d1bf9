"""Explain the flip: which words of a document drew the question for each model, and what it learned that from."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from search.insight.attribution import Attribution, Part, relative, strongest, telling
from search.insight.explain import Explained, position_of, sides
from search.insight.training_neighbours import Lesson, Lessons, is_ready, trained_pairs
from search.models.registry import KEYWORD, ModelInfo, find_model
from search.projects import run_status, runs
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.retrieval.columns import chosen_columns
from search.retrieval.indexing.build import find_index
from ui import cache, failures, run_view, widgets

_STRONGEST = 5
_FAINT = 0.08
_SHOWN = 160


@dataclass(frozen=True)
class _Side:
    """One model of the explanation: `info` and `index` are None for keyword search."""

    name: str
    colour: str
    told: Explained
    info: ModelInfo | None
    index: Manifest | None


def explain(project: Project, query: str, document_id: str, columns: Sequence[str]) -> None:
    """Draw why each model placed a document where it did. Draws into where it is called: a dialog or a page.

    :param query: what was searched for.
    :param document_id: the id of the hit.
    :param columns: the columns of the comparison, by name, in their order.
    """
    manifest = project.newest("corpora")
    if manifest is None:
        st.info("There are no documents in this project any more.")
        return
    corpus = cache.corpus(project, manifest)
    try:
        names = sides(chosen_columns(project, columns))
        place = position_of(corpus, document_id)
        (document,) = corpus.documents_at([place])
        st.html(_head(document.title or document_id, query))
        with st.spinner("Leaving out each word in turn…"):
            drawn = _sides(project, manifest, query, place, names)
    except BespokeError as error:
        st.warning(str(error))
        return
    st.html(_first_words(drawn))
    for box, side in zip(st.columns(max(len(drawn), 1)), drawn, strict=True):
        with box:
            st.html(_heat(side))
    st.caption(
        "The darker a word, the more of the score goes when that word is left out; a dotted line marks words that "
        "held the question off. Shades tell about one model only: do not compare them between models."
    )
    for side in drawn:
        if side.info is not None and side.index is not None and side.told.attribution is not None:
            _learned(project, manifest, side, query, place)


def _sides(
    project: Project, manifest: Manifest, query: str, place: int, names: Sequence[str]
) -> list[_Side]:
    made = []
    for name, colour in zip(names, widgets.colours(names), strict=True):
        if name == KEYWORD:
            told = cache.explained(project, manifest, None, None, query, place)
            made.append(_Side(name, colour, told, None, None))
            continue
        info = find_model(project, name)
        index = find_index(project, info, manifest)
        if index is None:
            told = Explained(
                name, None, "This model has not read the documents yet: search with it first."
            )
        else:
            told = cache.explained(project, manifest, index, info, query, place)
        made.append(_Side(name, colour, told, info, index))
    return made


def _head(title: str, query: str) -> str:
    return (
        f'<div class="b-why-head"><div class="b-say">{escape(_short(title, 120))}</div>'
        f'<div class="b-soft">for the question “{escape(_short(query, 200))}”</div></div>'
    )


def _first_words(drawn: Sequence[_Side]) -> str:
    """In one line for each model: the words that drew the question."""
    lines = []
    for side in drawn:
        dot = f'<span class="b-dot" style="--b-own:{side.colour}"></span>'
        who = f"<b>{escape(widgets.model_title(side.name))}</b>"
        lines.append(f"<li>{dot} {who}: {escape(side.told.sentence)}</li>")
    return f'<ul class="b-findings b-plain">{"".join(lines)}</ul>'


def _heat(side: _Side) -> str:
    """The passage with its words shaded, the sentences that count, the words of the question that count."""
    title = (
        f'<div class="b-column" style="--b-own:{side.colour}"><span class="b-dot"></span>'
        f"<b>{escape(widgets.model_title(side.name))}</b></div>"
    )
    told = side.told.attribution
    if told is None:
        return f'{title}<div class="b-card b-soft">{escape(side.told.note or "")}</div>'
    return (
        f'<div style="--b-own:{side.colour}">{title}'
        f'<div class="b-card b-heat" role="region" tabindex="0" aria-label="{escape(widgets.model_title(side.name))}: the passage">{shaded(told)}</div>'
        f"{_ranked('Sentences that drew it most', strongest(told.sentences, 3), told)}"
        f"{_asked(told)}</div>"
    )


def shaded(told: Attribution) -> str:
    """A passage as HTML: words shaded by how they pulled, the strongest marked for those who see no colour."""
    top = {part.start for part in telling(told.words, _STRONGEST)}
    parts, end = [], 0
    for part in relative(told.words):
        parts.append(escape(told.passage[end : part.start]))
        parts.append(_word(part, part.start in top))
        end = part.stop
    parts.append(escape(told.passage[end:]))
    return "".join(parts)


def _word(part: Part, top: bool) -> str:
    text = escape(part.text)
    if part.pull < -_FAINT:
        return f'<span class="b-off">{text}</span>'
    if part.pull <= _FAINT:
        return text
    shade = f'style="--b-pull:{round(part.pull * 55)}%"'
    # A mark is told by screen readers; the others only shade.
    return f"<mark {shade}>{text}</mark>" if top else f'<span class="b-pull" {shade}>{text}</span>'


def _ranked(title: str, parts: Sequence[Part], told: Attribution) -> str:
    """Sentences with a bar each; nothing where there is only one sentence."""
    if len(told.sentences) < 2 or not parts:
        return ""
    largest = parts[0].pull
    rows = "".join(
        f'<li><span class="b-pull-bar" style="width:{max(round(100 * p.pull / largest), 2)}%"></span>'
        f"{escape(_short(p.text, _SHOWN))}</li>"
        for p in parts
    )
    return f'<div class="b-soft">{title}</div><ol class="b-pulls">{rows}</ol>'


def _asked(told: Attribution) -> str:
    """The words of the question that counted, the strongest first."""
    parts = strongest(told.query_words, _STRONGEST)
    if len(told.query_words) < 2 or not parts:
        return ""
    chips = "".join(f'<span class="b-chip">{escape(part.text)}</span>' for part in parts)
    return (
        f'<div class="b-soft">Of the question, these words counted most</div>'
        f'<div class="b-chips">{chips}</div>'
    )


def _learned(project: Project, manifest: Manifest, side: _Side, query: str, place: int) -> None:
    """What a model learned from; where that takes a while to look up, it is a run, started here."""
    assert side.info is not None
    assert side.index is not None
    if not trained_pairs(project, side.info):
        if side.info.kind == "custom" and side.info.recipe in ("word2vec", "fasttext"):
            st.caption(f"{side.name} learned from the documents alone, not from pairs.")
        return
    corpus = cache.corpus(project, manifest)
    title = escape(widgets.model_title(side.name))
    run = run_view.latest(project, ["prepare"], ["--model", side.name])
    busy = run is not None and run.status.state not in run_status.OVER
    if not busy and not is_ready(project, corpus, side.info):
        st.markdown(f"**What {title} learned from**")
        if run is not None and run.status.state not in ("done", "cancelled"):
            run_view.ended(run)
        st.caption("Its training questions have to be read once before they can be asked.")
        st.button(
            "Look it up",
            key=f"look-up-{side.info.id}",
            icon=":material/school:",
            on_click=_look_up,
            args=(project, side.name),
        )
        return
    if run is not None and busy:
        _waiting(project, manifest, side, query, place, run.id)
        return
    _lessons(project, manifest, side, query, place)


def _look_up(project: Project, model: str) -> None:
    runs.start(project, ["prepare", project.name, "--model", model])


@st.fragment(run_every=1.0)
@failures.guarded
def _waiting(
    project: Project, manifest: Manifest, side: _Side, query: str, place: int, run_id: str
) -> None:
    """The run as it goes on; when it is over, what it made ready."""
    run = next((run for run in runs.runs(project) if run.id == run_id), None)
    if run is not None and run.status.state not in run_status.OVER:
        status = run.status
        st.progress(
            status.share or 0.0, text=f"Reading what {side.name} learned from · {status.message}"
        )
        return
    if run is not None and run.status.state != "done":
        run_view.ended(run)
        return
    _lessons(project, manifest, side, query, place)


def _lessons(project: Project, manifest: Manifest, side: _Side, query: str, place: int) -> None:
    assert side.info is not None
    assert side.index is not None
    assert side.told.attribution is not None
    taught = cache.trained_on(project, manifest, side.info, side.index)
    if taught is not None:
        st.html(
            lessons_html(side.name, taught.nearest(query, place, side.told.attribution.passage))
        )


def lessons_html(name: str, lessons: Lessons) -> str:
    """The nearest training pairs, in plain words."""
    groups = (
        ("Pairs that this very document answers", lessons.about),
        ("Questions most like yours", lessons.like_query),
        ("Answers most like this document", lessons.like_document),
    )
    blocks = "".join(
        f'<div class="b-soft">{title}</div><ul class="b-lessons">{"".join(map(_lesson, items))}</ul>'
        for title, items in groups
        if items
    )
    said = widgets.counted(lessons.pairs, "pair")
    return (
        f'<div class="b-say b-learned">It learned from: {said} of question and answer</div>'
        f'<div class="b-soft">What {escape(name)} was trained on that is nearest to this question and document.</div>'
        f"{blocks}"
    )


def _lesson(lesson: Lesson) -> str:
    answer = lesson.title or lesson.response
    return (
        f"<li>“{escape(_short(lesson.query, _SHOWN))}” <span class='b-soft'>→</span> "
        f"{escape(_short(answer, _SHOWN))} <span class='b-soft'>nearness {lesson.nearness:.2f}</span></li>"
    )


def _short(text: str, length: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[:length].rsplit(" ", 1)[0] + " …"
