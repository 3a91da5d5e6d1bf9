"""Explain the flip: which words of a document drew the question for each model, and what it learned that from."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from search.corpus.corpus import Corpus
from search.evaluation.query_sets.trained_on import trained_pairs
from search.insight.attribution import Attribution, relative, strongest, telling
from search.insight.explain import Explained, position_of, sides
from search.insight.training_neighbours import TrainingNeighbour, TrainingNeighbours, is_ready
from search.models.registry import KEYWORD, ModelInfo, find_model
from search.projects import runs
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.projects.runs import Run
from search.retrieval.columns import chosen_columns
from search.retrieval.indexing.build import find_index
from ui import cache, failures, run_view, widgets
from ui.hits import shortened
from ui.rendering import literal, render

_STRONGEST = 5
_FAINT = 0.08
_SHOWN = 160


@dataclass(frozen=True)
class _Side:
    """One model of the explanation: `info` and `index` are None for keyword search."""

    name: str
    colour: str
    explained: Explained
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
    corpus = Corpus.of(project, manifest)
    try:
        names = sides(chosen_columns(project, columns))
        position = position_of(corpus, document_id)
        (document,) = corpus.documents_at([position])
        title = shortened(document.title or document_id, 120)
        st.html(render("why.html", title=title, query=shortened(query, 200)))
        with st.spinner("Leaving out each word in turn…"):
            drawn = _sides(project, manifest, query, position, names)
    except BespokeError as error:
        st.warning(literal(error))
        return
    said = [
        (side.colour, widgets.model_title(side.name), side.explained.sentence) for side in drawn
    ]
    st.html(render("first_words.html", sides=said))
    for box, side in zip(st.columns(max(len(drawn), 1)), drawn, strict=True):
        with box:
            st.html(_heat(side))
    st.caption(
        "The darker a word, the more of the score goes when that word is left out; a dotted line marks words that "
        "held the question off. Shades tell about one model only: do not compare them between models."
    )
    for side in drawn:
        words = side.explained.attribution
        if side.info is not None and side.index is not None and words is not None:
            near = _Lookup(project, manifest, side.info, side.index, query, position, words.passage)
            _learned(near)


def _sides(
    project: Project, manifest: Manifest, query: str, position: int, names: Sequence[str]
) -> list[_Side]:
    among = max(sum(name != KEYWORD for name in names), 1)
    made = []
    for name, colour in zip(
        names, widgets.colours(names, widgets.ready_made(project)), strict=True
    ):
        info = find_model(project, name) if name != KEYWORD else None
        index = find_index(project, info, manifest) if info is not None else None
        if info is not None and index is None:
            note = "This model has not read the documents yet: search with it first."
            explained = Explained(name, None, note)
        else:
            explained = cache.explained(project, manifest, index, info, query, position, among)
        made.append(_Side(name, colour, explained, info, index))
    return made


def _heat(side: _Side) -> str:
    """The passage with its words shaded, the sentences that count, the words of the question that count."""
    model, explained = widgets.model_title(side.name), side.explained.attribution
    if explained is None:
        note = side.explained.note or ""
        return render("unexplained.html", model=model, colour=side.colour, note=note)
    sentences = strongest(explained.sentences, 3) if len(explained.sentences) > 1 else []
    asked = strongest(explained.query_words, _STRONGEST) if len(explained.query_words) > 1 else []
    return render(
        "heat.html",
        model=model,
        colour=side.colour,
        parts=shades(explained),
        sentences=[
            (shortened(part.text, _SHOWN), max(round(100 * part.pull / sentences[0].pull), 2))
            for part in sentences
        ],
        asked=[part.text for part in asked],
    )


def shades(explained: Attribution) -> list[tuple[str, str, int]]:
    """A passage in parts: each with its text, how it pulled (empty: not at all), and its shade in percent."""
    top = {part.start for part in telling(explained.words, _STRONGEST)}
    parts, end = [], 0
    for part in relative(explained.words):
        pull = "strongest" if part.start in top else "toward"
        if abs(part.pull) <= _FAINT:
            pull = ""
        elif part.pull < 0:
            pull = "away"
        parts += [
            (explained.passage[end : part.start], "", 0),
            (part.text, pull, round(part.pull * 55)),
        ]
        end = part.stop
    return [*parts, (explained.passage[end:], "", 0)]


@dataclass(frozen=True)
class _Lookup:
    """What is looked up among the pairs that a model was trained on: those nearest to a question and a document."""

    project: Project
    manifest: Manifest
    info: ModelInfo
    index: Manifest
    query: str
    position: int
    passage: str

    def draw(self) -> None:
        """Draw what was found."""
        trained = cache.trained_on(self.project, self.manifest, self.info, self.index)
        if trained is not None:
            near = trained.nearest(self.query, self.position, self.passage)
            st.html(neighbours_html(self.info.name, near))


def _learned(lookup: _Lookup) -> None:
    """What a model learned from; where that takes a while to look up, it is a run, started here."""
    project, info, name = lookup.project, lookup.info, literal(lookup.info.name)
    if not trained_pairs(project, info):
        if info.kind == "custom" and info.recipe in ("word2vec", "fasttext"):
            st.caption(f"{name} learned from the documents alone, not from pairs.")
        return
    run = run_view.latest(project, ["prepare"], ["--model", name])
    if run_view.going(run):
        _waiting(lookup, run)
    elif is_ready(project, Corpus.of(project, lookup.manifest), info):
        lookup.draw()
    else:
        st.markdown(f"**What {literal(widgets.model_title(name))} learned from**")
        run_view.ended(run, quiet=["done", "cancelled"])
        st.caption("Its training questions have to be read once before they can be asked.")
        st.button(
            "Look it up",
            key=f"look-up-{info.id}",
            icon=":material/school:",
            on_click=_look_up,
            args=(project, name),
        )


def _look_up(project: Project, model: str) -> None:
    runs.start(project, ["prepare", project.name, "--model", model])


@st.fragment(run_every=1.0)
@failures.guarded
def _waiting(lookup: _Lookup, run: Run) -> None:
    """The run as it goes on; when it is over, what it made ready."""
    status = run.status
    if run_view.going(run):
        text = f"Reading what {literal(lookup.info.name)} learned from · {literal(status.message)}"
        st.progress(status.share or 0.0, text=text)
    elif status.state == "done":
        lookup.draw()
    else:
        run_view.ended(run)


def neighbours_html(name: str, neighbours: TrainingNeighbours) -> str:
    """The nearest training pairs, in plain words."""
    groups = (
        ("Pairs that this very document answers", neighbours.about),
        ("Questions most like yours", neighbours.like_query),
        ("Answers most like this document", neighbours.like_document),
    )
    named = [(title, list(map(_pair, items))) for title, items in groups if items]
    pairs = widgets.counted(neighbours.pairs, "pair")
    return render("training_neighbours.html", model=name, pairs=pairs, groups=named)


def _pair(pair: TrainingNeighbour) -> tuple[str, str, str]:
    answer = pair.title or pair.response
    return (shortened(pair.query, _SHOWN), shortened(answer, _SHOWN), f"{pair.nearness:.2f}")
