"""Which columns the page has: chosen by a person or by the address, named in words, made ready to search."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from search.evaluation.rankings.fit_fusion import fit_missing
from search.models.registry import GENERIC, ModelInfo, find_model
from search.models.window import Truncation
from search.projects import runs
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import (
    SearchColumn,
    chosen_columns,
    known_columns,
    models_in,
    parse_column,
)
from search.retrieval.indexing.build import find_index
from search.retrieval.retriever import Retriever
from search.retrieval.search import assemble
from search.retrieval.shares_read import share_read
from ui import address, cache, navigation, run_view, widgets
from ui.comparing.sides import Side
from ui.rendering import literal, render

MOST = 4
_ADDRESS = "model"


def make_room(asked: bool) -> None:
    """Make room for the columns of the address, and for answers, before anything else of the page is drawn.

    :param asked: whether there is a question: the page's own stands in nobody's way then.
    """
    count = min(len(set(address.values(_ADDRESS))), MOST)
    # A container is there at once, what is in it a moment later.
    with st.container(key=f"room-{count}{'-asked' if asked else ''}"):
        st.html(render("sign.html", name="b-room"))


def choose(project: Project) -> tuple[list[SearchColumn], list[str]]:
    """Draw the choice of columns; the address holds it, unless it is the usual one.

    :returns: the columns, and the names in the address that the project does not have (any more).
    """
    same = widgets.same_as_start(project)
    usual = [column.name for column in chosen_columns(project)]
    wanted, lost = _from_address(project)
    # One that needs what is not there yet says so when it is asked.
    offered = [*known_columns(project), *map(_even, wanted)]
    options = {column.name: column for column in offered}
    default = [_even(column).name for column in wanted] or usual
    # A model made or deleted meanwhile is another list of options: the widget begins anew from the address.
    key = f"columns-{project.name}-{hash(tuple(options))}"
    names = st.multiselect(
        "Columns, up to four (the first is what the others are compared with)",
        options,
        default=[name for name in default if name in options],
        max_selections=MOST,
        format_func=lambda name: options[name].title + (widgets.SAME if name in same else ""),
        key=key,
    )
    weights = {_even(column).name: column.weight for column in wanted}
    chosen = [_weighted(options[name], weights.get(name), key) for name in names]
    typed = [column.name for column in chosen]
    navigation.hold(_ADDRESS, typed if typed != usual else [])
    return chosen, lost


def sides(
    project: Project, columns: Sequence[SearchColumn], cuts: Mapping[str, Truncation]
) -> list[Side]:
    """The columns in words and colours: slate is the generic model, teal the first custom one, on every page.

    :param cuts: by column, what is not read of the passages.
    """
    names = [column.name for column in columns]
    colours = widgets.colours(names, widgets.ready_made(project))
    return [
        Side(
            one.name,
            one.title,
            _subtitle(project, one),
            _spoken(project, one),
            colour,
            share_read(one, cuts),
        )
        for one, colour in zip(columns, colours, strict=True)
    ]


def ready(
    project: Project,
    columns: Sequence[SearchColumn],
    manifest: Manifest,
    waiting: Callable[[], None],
) -> list[Retriever] | None:
    """What searches each column; None while an index is being built, which is drawn instead.

    :param waiting: called before a model is loaded for the first time, to draw what stands in meanwhile.
    """
    missing = [i for i in models_in(project, columns) if find_index(project, i, manifest) is None]
    for info in missing:
        _build(project, info)
    if missing:
        waiting()
        return None
    if any(column.fitted for column in columns):
        with st.spinner("Weighing words and meaning on the dev queries…"):
            fit_missing(project, [column.name for column in columns])
    return assemble(project, columns, cache.CachedParts(project, manifest, waiting))


def training(project: Project) -> str | None:
    """A sentence about a model that is being made at this moment."""
    run = run_view.latest(project, ["train"])
    if not run_view.going(run):
        return None
    share = run.status.share
    done = f", {share:.0%} done" if share is not None else ""
    return f"A custom model is being trained{done}. It can be chosen here as soon as it is ready."


def _from_address(project: Project) -> tuple[list[SearchColumn], list[str]]:
    """The columns that the address names, and the names that mean nothing here."""
    columns: list[SearchColumn] = []
    lost: list[str] = []
    for name in dict.fromkeys(address.values(_ADDRESS)):
        try:
            columns += chosen_columns(project, [name])
        except Refused:
            lost.append(name)
    return list(dict.fromkeys(columns))[:MOST], lost


def _even(column: SearchColumn) -> SearchColumn:
    """The column as it stands in the list of choices: without a weight of its own."""
    return column if column.weight is None else replace(column, weight=_EVEN.weight)


_EVEN = parse_column("hybrid:any")


def _weighted(column: SearchColumn, before: float | None, key: str) -> SearchColumn:
    """The column with the share of the keywords that a person gave it."""
    if column.weight is None or column.fitted:
        return column
    name = f"weight-{key}-{column.name}"
    share = st.slider(
        f"{literal(column.title)}: how much the words count",
        0,
        100,
        round(100 * (column.weight if before is None else before)),
        step=5,
        format="%d%%",
        key=name,
        help="0 %: the model alone. 100 %: the words alone.",
    )
    return replace(column, weight=share / 100)


def _subtitle(project: Project, column: SearchColumn) -> str:
    """A plain half-sentence under a column's name."""
    if column.kind == "model" and column.model is not None:
        with suppress(Refused):
            info = find_model(project, column.model)
            return widgets.model_subtitle(column.model, info.recipe, info.title, info.is_start)
        return widgets.model_subtitle(column.model, None)
    if column.kind == "keyword":
        return widgets.model_subtitle(column.name, None)
    return column.explanation.removesuffix(".")


def _spoken(project: Project, column: SearchColumn) -> str:
    """What a sentence calls the column."""
    if column.kind == "model":
        if column.model == GENERIC:
            return "the generic model"
        ready_made = False
        with suppress(Refused):
            ready_made = find_model(project, column.model or "").kind == "generic"
        return f"the {'ready-made' if ready_made else 'custom'} model {column.model}"
    return "keyword search" if column.kind == "keyword" else f"“{column.title}”"


def _build(project: Project, info: ModelInfo) -> None:
    """Start building a missing index, or show how that goes."""
    run = run_view.latest(project, ["index"], ["--model", info.name])
    started = st.session_state.setdefault("index-runs", {})
    key = f"{project.name} {info.id}"
    if run_view.watched(run):
        return
    if run is not None and started.get(key) == run.id:
        run_view.ended(run)
        if not st.button("Try again", key=f"again-{info.id}"):
            return
    elif run_view.going(run_view.latest(project, ["train"])):
        st.info(
            f"{literal(widgets.model_title(info.name))} has no index of these documents yet. A training goes on, and the two would "
            "wait for each other.",
            icon=":material/hourglass_top:",
        )
        if not st.button("Build it all the same", key=f"beside-{info.id}"):
            return
    made = runs.start(project, ["index", project.name, "--model", info.name])
    started[key] = made.id
    time.sleep(0.1)
    st.rerun()


def missed(names: Sequence[str]) -> None:
    """Say which columns of the address are not there, such as a model that was deleted meanwhile."""
    if names:
        words = ", ".join(f"“{name}”" for name in names)
        st.info(
            f"Not in this project (any more): {literal(words)}. Choose others under Columns.",
            icon=":material/info:",
        )
