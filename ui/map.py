"""Map: what did the model learn of the whole corpus?"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from search.evaluation.evaluation import newest_evaluation
from search.insight.map import FEWEST, MOST_POINTS, Map, View, find_map, map_models, titles_of
from search.models.registry import ModelInfo, models
from search.projects.artifacts import Manifest
from search.projects.project import Project
from ui import cache, navigation, run_view, widgets
from ui.map_figure import EVEN, LOST, PALETTE, WON, Frame, Marks, colour, drawing, figure
from ui.rendering import render

_ARROWS = 10
_LISTED = 40
_LEAST_DIFFERENCE = 0.005


@widgets.over_documents(
    "What did the model learn of your documents?",
    "Nothing to map yet",
    "Add documents first; then see how they lie together.",
)
def page(project: Project, manifest: Manifest) -> None:
    """Draw the page."""
    if int(manifest.details["documents"]) < FEWEST:
        widgets.empty("Too few documents for a map", f"A map needs at least {FEWEST} documents.")
        navigation.step("Add documents", "corpus", "to-corpus")
        return
    label = "Models, one picture each (at most two)"
    infos = widgets.choose_models(project, label, map_models(project), 2, "map")
    if not infos:
        st.info("Choose one model, or two to see side by side.")
        return
    run = run_view.latest(project, ["map"])
    if run_view.watched(run):
        return
    made = find_map(project, infos)
    if made is None:
        run_view.ended(run, quiet=["done", "cancelled"])
        _offer(project, infos, int(manifest.details["documents"]))
        return
    _show(project, infos, made)
    if len(infos) == 1 and len(models(project)) == 1:
        navigation.step("Train a custom model to compare with", "train", "to-train")


def _offer(project: Project, infos: Sequence[ModelInfo], documents: int) -> None:
    """The way to make a map."""
    who = " and ".join(widgets.model_title(info.name) for info in infos)
    drawn = min(documents, MOST_POINTS)
    more = f"{drawn:,} of {documents:,} documents" if drawn < documents else f"{drawn:,} documents"
    widgets.empty(
        f"See {more} as {who} {'sees' if len(infos) == 1 else 'see'} them",
        "What means the same to a model lies together. Drawn once, in a minute or two, and kept.",
    )
    if st.button("Draw the map", type="primary", key="draw-map", icon=":material/scatter_plot:"):
        wanted = [part for info in infos for part in ("--model", info.name)]
        run_view.start(project, ["map", project.name, *wanted])


def _show(project: Project, infos: Sequence[ModelInfo], manifest: Manifest) -> None:
    made = cache.corpus_map(project, manifest)
    titles, columns = cache.map_columns(project, manifest)
    names = titles_of(infos)
    st.html(render("summary.html", sentence=summary(made, names), figures=()))
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    options = {f"Groups of {names[view.model]}": view for view in reversed(made.views)}
    by = left.selectbox("Colour", [*options, *columns], key=f"colour-{manifest.id}")
    asked = False
    if made.queries:
        asked = right.toggle("Held-out questions", key=f"asked-{manifest.id}")
    view = options.get(by)
    kinds, legend = _kinds(view, columns.get(by, []))
    chosen = _chosen(manifest, len(titles))
    dark = st.context.theme.type == "dark"
    movers = made.movers(_ARROWS)
    colours = widgets.colours([one.model for one in made.views], widgets.ready_made(project))
    frame = Frame.around([one.coordinates for one in made.views])
    for i, (box, one) in enumerate(zip(st.columns(len(made.views)), made.views, strict=True)):
        marks = Marks(
            labels=_labels(one, view),
            arrows=_arrows(made, movers) if i == 1 else (),
            queries=_asked(project, made, one) if asked else (),
            chosen=chosen,
        )
        with box:
            title = widgets.model_title(one.model)
            st.html(render("column.html", title=title, colour=colours[i]))
            st.plotly_chart(
                figure(one.coordinates, titles, kinds, marks, frame, dark),
                key=f"map-{manifest.id}-{i}",
                on_select=_selected(manifest, i),
                selection_mode=("points", "box", "lasso"),
                config=drawing(len(titles)),
            )
    drawn = [(colour(kind), name, f"{count:,}") for name, kind, count in legend]
    st.html(render("legend.html", kinds=drawn))
    _captions(made, asked, movers)
    _selection(manifest, chosen, titles)
    _moved(made, movers, titles, names)


def summary(made: Map, names: dict[str, str]) -> str:
    """How well the groups match what is known of the documents; else how many groups there are."""
    sentences = made.sentences(names)
    if sentences:
        return sentences[0]
    groups = " and ".join(
        f"{widgets.counted(len(view.names), 'group')} under {names[view.model]}"
        for view in made.views
    )
    return f"Documents that mean the same lie together: {groups}."


def _kinds(
    view: View | None, values: Sequence[str | None]
) -> tuple[list[int], list[tuple[str, int, int]]]:
    """The number of each document's colour, and the legend: name, number of the colour, how many documents."""
    if view is not None:
        kinds = view.groups.tolist()
        sizes = Counter(kinds)
        return kinds, [(name, kind, sizes[kind]) for kind, name in enumerate(view.names)]
    counts = Counter(value for value in values if value is not None)
    shown = [value for value, _ in counts.most_common(len(PALETTE))]
    numbers = {value: number for number, value in enumerate(shown)}
    kinds = [numbers.get(value, -1) if value is not None else -1 for value in values]
    legend = [(value, numbers[value], counts[value]) for value in shown]
    if rest := kinds.count(-1):
        legend.append(("other or none", -1, rest))
    return kinds, legend


def _labels(one: View, coloured_by: View | None) -> list[tuple[str, float, float]]:
    """The names of the groups that are coloured, at the middle of each in this view."""
    if coloured_by is None:
        return []
    shown = []
    for number, name in enumerate(coloured_by.names):
        x, y = np.median(one.coordinates[coloured_by.groups == number], axis=0).tolist()
        shown.append((", ".join(name.split(", ")[:2]), x, y))
    return shown


def _arrows(made: Map, movers: Sequence[int]) -> list[tuple[float, float, float, float]]:
    ends = np.hstack([view.coordinates for view in made.views])
    return [(x, y, to_x, to_y) for x, y, to_x, to_y in ends[list(movers)].tolist()]


def _asked(project: Project, made: Map, one: View) -> list[tuple[str, float, float, str]]:
    """The held-out queries, coloured by whether the second model answers them better than the first."""
    manifest = newest_evaluation(project)
    gains: dict[str, tuple[str, float]] = {}
    if manifest is not None and len(made.views) == 2:
        result = cache.evaluation(project, manifest)
        names = [view.model for view in made.views]
        if set(names) <= result.scores.keys():
            moved = result.differences(*names).tolist()
            gains = dict(zip(result.queries, zip(result.texts, moved, strict=True), strict=True))
    shown = []
    queries = project.newest("queries")
    texts = cache.query_set(project, queries).queries if queries is not None else {}
    for identity, (x, y) in zip(made.queries, one.queries.tolist(), strict=True):
        text, gain = gains.get(identity, (texts.get(identity, identity), 0.0))
        shade = WON if gain > _LEAST_DIFFERENCE else LOST if gain < -_LEAST_DIFFERENCE else EVEN
        shown.append(
            (f"{text[:120]} ({gain:+.2f})" if identity in gains else text[:120], x, y, shade)
        )
    return shown


def _selected(manifest: Manifest, i: int) -> Callable[[], None]:
    """What a lasso around points of one view does: the same documents are chosen in both."""

    def choose() -> None:
        selection = widgets.said_by(f"map-{manifest.id}-{i}", "selection") or {"points": []}
        points = selection["points"]
        chosen = [int(p["customdata"]) for p in points if isinstance(p.get("customdata"), int)]
        st.session_state[f"chosen-{manifest.id}"] = sorted(set(chosen))

    return choose


def _chosen(manifest: Manifest, documents: int) -> frozenset[int] | None:
    chosen = [n for n in st.session_state.get(f"chosen-{manifest.id}", ()) if n < documents]
    return frozenset(chosen) if chosen else None


def _captions(made: Map, asked: bool, movers: Sequence[int]) -> None:
    drawn = f"{len(made.positions):,} of {made.total:,} documents are drawn, spread evenly. "
    there = ", and where the other model puts them" if len(made.views) > 1 else ""
    arrows = " Arrows lead to the documents that moved most, from where the first model has them."
    diamonds = (
        " Diamonds are held-out questions: teal where the second model answers better, brown where worse, grey "
        "where there is no difference or nothing was measured."
    )
    st.caption(
        f"{drawn if made.sampled else ''}Near means alike to the model; directions and far distances say nothing. "
        f"Draw a loop around points to see their documents{there}.{arrows if movers else ''}{diamonds if asked else ''}"
    )


def _selection(manifest: Manifest, chosen: frozenset[int] | None, titles: Sequence[str]) -> None:
    if not chosen:
        return
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.header(f"{widgets.counted(len(chosen), 'document')} selected", anchor=False)
    if right.button("Clear", key="clear-map", width="stretch"):
        st.session_state.pop(f"chosen-{manifest.id}", None)
        st.rerun()
    listed = [titles[n] for n in sorted(chosen)[:_LISTED]]
    more = f"{len(chosen) - _LISTED:,}" if len(chosen) > _LISTED else ""
    st.html(render("selected.html", titles=listed, more=more))


def _moved(made: Map, movers: Sequence[int], titles: Sequence[str], names: dict[str, str]) -> None:
    """The documents that moved most, with the groups they lie in under each model."""
    if not movers:
        return
    st.header("What moved most", anchor=False)
    documents = [
        (titles[n], [(view.names[view.groups[n]], names[view.model]) for view in made.views])
        for n in movers
    ]
    st.html(render("moved.html", documents=documents))
