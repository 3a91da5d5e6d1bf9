"""Compare: which side understood my question?"""

import time
from html import escape

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search import runs
from search.corpus import Corpus
from search.engine import check_query, search
from search.errors import BespokeError
from search.evaluation import newest_evaluation
from search.hits import SearchResult
from search.indexing import find_index
from search.models import GENERIC, KEYWORD, ModelInfo, default_models, models
from search.retrievers import Retriever
from search.workspace import Manifest, Project
from ui import hits, loaders, narrowing, navigation, run_view, widgets

_MOST_COLUMNS = 4
_EXAMPLES = 6


def page() -> None:
    """Draw the page."""
    project = widgets.heading("Which side understood the question?")
    if project is None:
        return
    manifest = project.newest("corpora")
    if manifest is None:
        widgets.empty("Nothing to search yet", "Add documents first; then come back and search.")
        navigation.step("Add documents", "corpus", "to-corpus")
        return
    corpus = loaders.corpus(project, manifest)
    query, options = _query(project)
    with options:
        chosen = _models(project)
    narrowed = narrowing.scope(
        f"{project.name}-{manifest.id}", corpus, loaders.columns(project, manifest)
    )
    if not chosen:
        st.info("Choose at least one model to search with.")
        return
    retrievers = _ready(project, chosen, manifest, corpus)
    if retrievers is None:
        return
    if not query.strip():
        widgets.empty(
            "Ask something the way your users would",
            "Type a question above or choose an example; each model answers in its own column.",
        )
        return
    try:
        text = check_query(query)
    except BespokeError as error:
        st.warning(str(error))
        return
    k = int(st.session_state.get("k", 10))
    results = [search(r, corpus, text, k, narrowed) for r in retrievers]
    _answer(project, text, results, chosen)


def _models(project: Project) -> list[ModelInfo | None]:
    """The columns that were chosen; None stands for keyword search."""
    known = {info.name: info for info in models(project)}
    options = [*known, KEYWORD]
    wanted = st.query_params.get_all("model")
    default = [name for name in wanted if name in options] or [
        info.name for info in default_models(project)
    ]
    key = f"columns-{project.name}-{len(known)}"
    names = st.multiselect(
        "Models, one column each (the first is what the others are compared with)",
        options,
        default=default,
        max_selections=_MOST_COLUMNS,
        format_func=widgets.model_title,
        key=key,
    )
    st.slider("Results per model", 3, 50, 10, key="k")
    if names != [info.name for info in default_models(project)]:
        st.query_params["model"] = names
    elif "model" in st.query_params:
        del st.query_params["model"]
    return [known.get(name) for name in names]


def _query(project: Project) -> tuple[str, DeltaGenerator]:
    """The query box and the examples beneath it; also where the options go."""
    key = f"query-{project.name}"
    if key not in st.session_state:
        # From the address; else the last one, which left with its widget when the page was left.
        st.session_state[key] = st.query_params.get("q") or st.session_state.get(f"last-{key}", "")
    examples, caption = _examples(project)

    def choose() -> None:
        example = st.session_state.get(f"example-{project.name}")
        if example:
            st.session_state[key] = example
            st.session_state[f"example-{project.name}"] = None

    left, right, more = st.columns([7, 1.2, 1.4], vertical_alignment="bottom")
    query = left.text_input(
        "Your question",
        key=key,
        type="search",
        placeholder="Type a question and press Enter",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    right.button("Search", type="primary", width="stretch", key="search-button")
    options = more.popover("Models", icon=":material/tune:", width="stretch")
    if examples:
        st.pills(
            caption,
            examples,
            key=f"example-{project.name}",
            format_func=widgets.literal,
            on_change=choose,
            wrap=True,
        )
    st.session_state[f"last-{key}"] = query or ""
    st.query_params["q"] = query or ""
    if not query:
        del st.query_params["q"]
    return query or "", options


def _examples(project: Project) -> tuple[list[str], str]:
    """Queries worth trying: where the models differ most, or what the sample suggests."""
    manifest = newest_evaluation(project)
    comparisons = manifest.details["comparisons"] if manifest else []
    names = [info.name for info in default_models(project)]
    for test in comparisons:
        if manifest is not None and [test["baseline"], test["candidate"]] == names:
            result = loaders.evaluation(project, manifest)
            moved = result.differences(*names)
            order = np.argsort(-np.abs(moved), kind="stable")
            differing = [result.texts[i] for i in order if abs(moved[i]) > 0.05]
            telling = [text for text in project.info.examples if text in differing]
            return list(dict.fromkeys(telling + differing))[:_EXAMPLES], "Where they differ most"
    if project.info.examples:
        return project.info.examples[:_EXAMPLES], "Try one of these"
    queries = project.newest("queries")
    if queries is None:
        return [], ""
    return list(loaders.query_set(project, queries).queries.values())[
        :_EXAMPLES
    ], "Held-out queries"


def _ready(
    project: Project, chosen: list[ModelInfo | None], manifest: Manifest, corpus: Corpus
) -> list[Retriever] | None:
    """Searchers for every column; None while an index is being built."""
    made: list[Retriever] = []
    waiting = False
    for info in chosen:
        if info is None:
            made.append(loaders.keywords(project, manifest))
            continue
        index = find_index(project, info, manifest)
        if index is None:
            _build(project, info)
            waiting = True
        elif not waiting:
            try:
                with st.spinner(f"Loading {widgets.model_title(info.name)} (the first time only)…"):
                    made.append(loaders.searcher(project, info, index))
            except BespokeError as error:
                st.error(str(error))
                return None
    return None if waiting else made


def _build(project: Project, info: ModelInfo) -> None:
    """Start building a missing index, or show how that goes."""
    run = run_view.latest(project, ["index"], ["--model", info.name])
    started = st.session_state.setdefault("index-runs", {})
    key = f"{project.name} {info.id}"
    if run is not None and run.status.state not in runs.OVER:
        run_view.watch(run)
        return
    if run is not None and started.get(key) == run.id:
        run_view.ended(run)
        if not st.button("Try again", key=f"again-{info.id}"):
            return
    made = runs.start(project, ["index", project.name, "--model", info.name])
    started[key] = made.id
    time.sleep(0.1)
    st.rerun()


def _answer(
    project: Project,
    query: str,
    results: list[SearchResult],
    chosen: list[ModelInfo | None],
) -> None:
    """The sentence, the figures and the columns."""
    judged = _judged(project, query)
    first = results[0]
    figures = []
    if len(results) == 2:
        ids = [{hit.id for hit in result.hits} for result in results]
        figures.append((f"{len(ids[0] & ids[1])} of {max(map(len, ids))}", "in common"))
    figures.append((" · ".join(f"{r.ms:.0f} ms" for r in results), "per search"))
    figures += _proof(project, [result.model for result in results])
    widgets.summary(sentence(results, judged), figures)
    infos = {info.name: info for info in chosen if info is not None}
    for place, (column, result) in enumerate(zip(st.columns(len(results)), results, strict=True)):
        colour = widgets.colour(result.model, place)
        info = infos.get(result.model)
        head = (
            f'<div class="b-column" style="--b-own:{colour}"><span class="b-dot"></span>'
            f"<b>{escape(widgets.model_title(result.model))}</b><span class='b-soft'>"
            f"{escape(widgets.model_subtitle(result.model, info.recipe if info else None))}"
            "</span></div>"
        )
        others = [other for other in results if other is not result]
        cards = hits.column_html(result, others, first, query, judged, colour)
        if not result.hits:
            cards = (
                '<div class="b-card b-empty"><div class="b-say">Nothing found</div>'
                f'<div class="b-soft">{escape((result.note or "").capitalize())}.</div></div>'
            )
        column.html(head + cards)
    if len(results) > 1:
        st.caption(
            "Scores of two models are on different scales: compare ranks, not scores. "
            "▲ and ▼ tell how far a document moved against the first column."
        )
    if len(chosen) == 1 and chosen[0] is not None and chosen[0].kind == "generic":
        navigation.step("Train a custom model to compare with", "train", "to-train")


def sentence(results: list[SearchResult], judged: dict[str, int]) -> str:
    """Which side understood, in one plain sentence."""
    names = {result.model: _the(result.model) for result in results}
    if judged:
        ranks = {
            r.model: next((hit.rank for hit in r.hits if hit.id in judged), None) for r in results
        }
        depth = max((len(result.hits) for result in results), default=0)
        parts = [
            f"{names[model]} puts the judged answer first"
            if rank == 1
            else f"{names[model]} has it at rank {rank}"
            if rank
            else f"{names[model]} does not have it among its first {depth}"
            for model, rank in sorted(ranks.items(), key=lambda item: item[1] or 10_000)
        ]
        if not any(ranks.values()):
            return f"No model has the judged answer among its first {depth}."
        if set(ranks.values()) == {1} and len(results) > 1:
            return "Every model puts the judged answer first."
        first = parts[0].replace("has it at", "has the judged answer at")
        whole = "; ".join([first, *parts[1:]])
        return whole[0].upper() + whole[1:] + "."
    tops = [result.hits[0] for result in results if result.hits]
    if len(results) == 1:
        count = widgets.counted(len(results[0].hits), "result")
        return f"{count}." if tops else "Nothing found."
    if not tops:
        return "No model found anything for this question."
    if len(tops) < len(results):
        finders = [names[result.model] for result in results if result.hits]
        return f"Only {' and '.join(finders)} found anything."
    if len({hit.id for hit in tops}) == 1:
        return f"They agree on the first answer: {_short(tops[0].title or tops[0].text)}."
    return "They disagree on the first answer. Which would you rather read?"


def _the(model: str) -> str:
    if model == GENERIC:
        return "the generic model"
    return "keyword search" if model == KEYWORD else f"the custom model {model}"


def _short(text: str, length: int = 70) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[:length].rsplit(" ", 1)[0] + " …"


def _judged(project: Project, query: str) -> dict[str, int]:
    """Documents judged relevant, when the query is one of the query set."""
    manifest = project.newest("queries")
    if manifest is None:
        return {}
    query_set = loaders.query_set(project, manifest)
    wanted = " ".join(query.casefold().split())
    for identity, text in query_set.queries.items():
        if " ".join(text.casefold().split()) == wanted:
            return query_set.relevant(identity)
    return {}


def _proof(project: Project, names: list[str]) -> list[tuple[str, str]]:
    """The measured gain of the second column over the first, if it was measured."""
    manifest = newest_evaluation(project)
    if manifest is None or len(names) != 2:
        return []
    for test in manifest.details["comparisons"]:
        if [test["baseline"], test["candidate"]] == names:
            count = manifest.details["queries"]
            return [(f"{test['delta']:+.3f}", f"nDCG@10 on {count:,} held-out queries")]
    return []
