"""Words: what did the models learn a word to mean?"""

from collections.abc import Sequence

import streamlit as st

from search.corpus.tokenizer import subwords_of
from search.insight.vocabulary import Vocabulary, is_counted
from search.insight.word_space import Near, WordSpace, are_ready, check_word
from search.models.api.encoder import FORMAT as ENDPOINT
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.registry import GENERIC, ModelInfo, default_models
from search.projects.artifacts import Manifest
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import address, cache, navigation, run_view, widgets
from ui.rendering import literal, render

_COUNT = 10
_MOST_COLUMNS = 4
_CHIPS = 15
_VECTORS = ("word2vec", "fasttext")
_SERVED = (ENDPOINT, MATRIX)


@widgets.over_documents(
    "What does a word mean to each model?",
    "No words yet",
    "Add documents first; then every word of them can be looked around.",
)
def page(project: Project, manifest: Manifest) -> None:
    """Draw the page."""
    usual = default_models(project)
    chosen = widgets.choose_models(project, "Models, one column each", usual, _MOST_COLUMNS, "word")
    if not chosen:
        st.info("Choose at least one model.")
        return
    if not _ready(project, manifest, chosen):
        return
    vocabulary = cache.vocabulary(project, manifest)
    if not vocabulary.words:
        widgets.empty(
            "No words to look around",
            "No word stands in these documents often enough to learn from.",
        )
        return
    with st.spinner("Loading the models (the first time only)…"):
        spaces = [cache.word_space(project, manifest, info) for info in chosen]
    word = _word(project, vocabulary)
    if word:
        _around(project, word, chosen, spaces)
    else:
        widgets.empty(
            "Type a word your field uses in its own way",
            "You see its nearest words under each model; or start from one of the words above.",
        )
    if len(chosen) > 1:
        _moved(project, manifest, chosen)
    elif chosen[0].name == GENERIC:
        navigation.step("Train a custom model to compare with", "train", "to-train")
    _analogies(project, chosen, spaces)


def _ready(project: Project, manifest: Manifest, chosen: Sequence[ModelInfo]) -> bool:
    """Whether every model can be asked; else the run that makes it so, or the way to start it."""
    run = run_view.latest(project, ["prepare"])
    if run_view.watched(run):
        return False
    lacking = list(chosen)
    if is_counted(project, manifest):
        with st.spinner("Counting the words…"):
            words = cache.vocabulary(project, manifest).words
        lacking = [info for info in chosen if not are_ready(project, info, words)]
    if not lacking:
        return True
    run_view.ended(run, quiet=["done", "cancelled"])
    names = " and ".join(widgets.model_title(info.name) for info in lacking)
    have = "has" if len(lacking) == 1 else "have"
    widgets.empty(
        f"{names} {have} to read the words of your documents once",
        "Each frequent word and phrase, up to 20,000 of them, is looked at on its own. It takes a minute or less, "
        "and is kept.",
    )
    served = [info.name for info in lacking if info.format in _SERVED]
    if served:
        st.caption(
            f"The server of {literal(' and '.join(served))} is sent each of them once, within its cap of "
            "tokens; what it would be sent is counted first."
        )
    if st.button("Read the words", type="primary", key="read-words", icon=":material/menu_book:"):
        wanted = [part for info in lacking for part in ("--model", info.name)]
        run_view.start(project, ["prepare", project.name, *wanted])
    return False


def _word(project: Project, vocabulary: Vocabulary) -> str:
    """The word that was typed or chosen; the address holds it."""
    key = f"word-{project.name}"
    if key not in st.session_state:
        before = st.session_state.get(f"last-{key}", "")
        st.session_state[key] = address.value("word") or before
    typed = st.text_input(
        "A word",
        key=key,
        type="search",
        placeholder="Type a word or a short phrase and press Enter",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    groups = {
        "Abbreviations": vocabulary.abbreviations,
        "Read only in pieces by the generic model": [one.word for one in vocabulary.over_segmented],
        "Not in ordinary text": vocabulary.new,
    }
    groups = {title: words for title, words in groups.items() if words}
    if groups:
        names = list(groups)
        shown = st.segmented_control(
            "Words to start from",
            names,
            default=names[0],
            format_func=literal,
            key=f"start-{project.name}",
        )
        _chips(project, f"chips-{shown}", groups.get(shown or "", ())[:_CHIPS])
    word = (typed or "").strip()
    st.session_state[f"last-{key}"] = word
    navigation.hold("word", word)
    return word


def _chips(project: Project, name: str, words: Sequence[str]) -> None:
    """Words to go on with: choosing one looks around it."""
    key = f"{name}-{project.name}"

    def choose() -> None:
        if chosen := st.session_state.get(key):
            st.session_state[f"word-{project.name}"] = chosen
            st.session_state[key] = None

    if words:
        st.pills(
            "Choose a word",
            list(words),
            key=key,
            on_change=choose,
            format_func=literal,
            label_visibility="collapsed",
            wrap=True,
        )


def _around(
    project: Project, word: str, chosen: Sequence[ModelInfo], spaces: Sequence[WordSpace]
) -> None:
    """The neighbours of a word under each model, beside each other."""
    try:
        text = check_word(word)
    except BespokeError as error:
        st.warning(literal(error))
        return
    nearest: list[Near | str] = []
    for space in spaces:
        try:
            nearest.append(space.nearest(text, _COUNT))
        except BespokeError as error:
            nearest.append(str(error))
    lists = [near for near in nearest if not isinstance(near, str)]
    known = [{w for w, _ in near} for near in lists]
    shared = set.intersection(*known) if len(known) > 1 else set()
    st.html(render("summary.html", sentence=sentence(text, chosen, nearest), figures=()))
    boxes, colours = (
        st.columns(len(chosen)),
        widgets.colours([info.name for info in chosen], widgets.ready_made(project)),
    )
    for box, info, near, colour in zip(boxes, chosen, nearest, colours, strict=True):
        box.html(neighbours_html(info, near, shared, colour))
    onward = list(dict.fromkeys(w for row in zip(*lists, strict=False) for w, _ in row))
    if onward:
        st.caption("Go on with one of them")
        _chips(project, "onward", onward[: 2 * _CHIPS // 2])


def sentence(word: str, chosen: Sequence[ModelInfo], nearest: Sequence[Near | str]) -> str:
    """In one sentence: how alike the models see a word, and in how many pieces the generic one reads it."""
    lists = [{w for w, _ in near} for near in nearest if not isinstance(near, str)]
    pieces = subwords_of([word])[0]
    read = ""
    if len(pieces) > len(word.split()) and any(info.name == GENERIC for info in chosen):
        read = f" The generic model reads it in pieces: {' · '.join(pieces)}."
    if not lists:
        return f"No model knows “{word}”.{read}"
    if len(lists) < len(nearest):
        knowing = [i for i, near in zip(chosen, nearest, strict=True) if not isinstance(near, str)]
        names = " and ".join(widgets.model_title(info.name) for info in knowing)
        return f"Only {names} can place “{word}”.{read}"
    if len(lists) == 1:
        return f"The words nearest to “{word}”.{read}"
    common = len(set.intersection(*lists))
    most = max(map(len, lists))
    if common == 0:
        return f"The models have no neighbour of “{word}” in common: they understand it differently.{read}"
    if common == most:
        return f"The models agree on all neighbours of “{word}”.{read}"
    return f"{common} of {most} neighbours of “{word}” are the same.{read}"


def neighbours_html(info: ModelInfo, near: Near | str, shared: set[str], colour: str) -> str:
    """One column: a model's name and its neighbours, those that only it has in its colour."""
    note = near if isinstance(near, str) else ""
    words = [] if isinstance(near, str) else near
    best = max((cosine for _, cosine in words), default=1.0) or 1.0
    return render(
        "neighbours.html",
        title=widgets.model_title(info.name),
        subtitle=widgets.model_subtitle(info.name, info.recipe, info.title, info.is_start),
        colour=colour,
        note=note,
        words=[
            (word, word in shared, max(0, min(100, round(100 * cosine / best))))
            for word, cosine in words
        ],
    )


def _moved(project: Project, manifest: Manifest, chosen: Sequence[ModelInfo]) -> None:
    """The words whose neighbours differ most between the first and the second model."""
    one, two = (widgets.model_title(info.name) for info in chosen[:2])
    st.header("What moved", anchor=False)
    with st.spinner("Comparing neighbourhoods…"):
        moved = cache.moved(project, manifest, chosen[0], chosen[1])
    changed = [word for word in moved if word.common < 1]
    if not changed:
        st.caption(f"No word has other neighbours under {literal(two)} than under {literal(one)}.")
        return
    none = sum(word.common == 0 for word in moved)
    apart = f"; {'all' if none == len(moved) else none} of these have none in common"
    st.caption(
        f"Frequent words whose ten nearest words differ most between {literal(one)} and "
        f"{literal(two)}{apart if none else ''}. Choose one to see both sides."
    )
    _chips(project, "moved", [word.word for word in changed[: 2 * _CHIPS]])


def _analogies(project: Project, chosen: Sequence[ModelInfo], spaces: Sequence[WordSpace]) -> None:
    """What is to c as b is to a, for models of word vectors."""
    able = [(i, s) for i, s in zip(chosen, spaces, strict=True) if i.recipe in _VECTORS]
    if not able:
        return
    st.header("Analogies", anchor=False)
    st.caption("Word vectors can be added and taken away: king − man + woman comes near queen.")
    boxes = st.columns(3)
    labels = ("Take this word", "take this away", "and add this")
    words = [
        box.text_input(literal(label), key=f"analogy-{label}-{project.name}").strip()
        for box, label in zip(boxes, labels, strict=True)
    ]
    if not all(words):
        return
    base, less, more = words
    names = [info.name for info in chosen]
    colours = dict(zip(names, widgets.colours(names, widgets.ready_made(project)), strict=True))
    for box, (info, space) in zip(st.columns(len(able)), able, strict=True):
        try:
            near: Near | str = space.analogy(less, base, more, _COUNT)
        except BespokeError as error:
            near = str(error)
        box.html(neighbours_html(info, near, set(), colours[info.name]))
