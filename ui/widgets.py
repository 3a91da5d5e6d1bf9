"""What several pages draw: headings, empty states, cards, figures."""

from collections.abc import Callable, Collection, Sequence
from functools import wraps
from itertools import cycle
from typing import Any

import streamlit as st

from search.evaluation.evaluation import verdict_on
from search.models.registry import (
    GENERIC,
    GENERIC_TITLE,
    KEYWORD,
    ModelInfo,
    current_model_name,
    models,
)
from search.projects.artifacts import Manifest
from search.projects.errors import Failed, OtherFormat
from search.projects.project import Project
from search.retrieval.columns import parse_column
from search.retrieval.indexing.describe import index_line, newest_of
from ui import address, door, navigation
from ui.rendering import literal, render

_FURTHER = ("var(--b-blue)", "var(--b-violet)", "var(--b-ochre)", "var(--b-pink)")

_ROW_PIXELS = 33.25
"""The height of a table's row in Streamlit at the font size of the theme; its head is one."""


def heading(question: str) -> Project | None:
    """The page's question with the choice of project beside it.

    :returns: the current project; None after an empty state was drawn.
    """
    with st.container(key="heading"):
        left, right = st.columns([3, 1], vertical_alignment="center")
    left.title(literal(question), anchor=False)
    try:
        project = navigation.current_project()
    except (OtherFormat, Failed) as error:
        project = None
        st.error(literal(error), icon=":material/error:")
    known = [project.name for project in door.all_opened()]
    if known:
        index = known.index(project.name) if project else None
        chosen = right.selectbox(
            "Project",
            known,
            index=index,
            placeholder="Choose a project",
            label_visibility="collapsed",
        )
        if chosen and (project is None or chosen != project.name):
            navigation.choose(chosen)
            st.query_params.from_dict({"project": chosen})
            st.rerun()
    if project is not None:
        say_damage(project)
    if project is None and door.is_judge_elsewhere():
        here_to_judge()
    elif project is None:
        empty(
            "No project is open",
            "A project holds your documents, your models and the proof of which is better.",
        )
        navigation.step("Choose or create a project", "projects", "open-projects")
    return project


def here_to_judge() -> None:
    """The way on of somebody who was only asked to judge."""
    empty("You are here to judge", "The projects that you were added to are on the page Judge.")
    navigation.step("Judge", "judge", "to-judge")


def say_damage(project: Project) -> None:
    """Name what of a project cannot be read, each thing with what to do: nothing else is kept from anybody by it."""
    damaged = project.damaged()
    if not damaged:
        return
    count = "One part" if len(damaged) == 1 else f"{len(damaged):,} parts"
    lines = [
        f"**{count} of this project cannot be read.** Everything that does without goes on.",
        *(literal(str(one)) for one in damaged[:5]),
    ]
    if len(damaged) > 5:
        lines.append(literal(f"And {len(damaged) - 5:,} more: python cli.py check {project.name}"))
    st.warning("\n\n".join(lines), icon=":material/warning:")


def over_documents(
    question: str, missing: str, text: str
) -> Callable[[Callable[[Project, Manifest], None]], Callable[[], None]]:
    """Makes a page of a function that draws a project with its corpus; where there is none, that is said instead.

    :param missing: the title of the empty state where there are no documents.
    :param text: what that means.
    """

    def page(draw: Callable[[Project, Manifest], None]) -> Callable[[], None]:
        @wraps(draw)
        def drawn() -> None:
            project = heading(question)
            if project is not None and (manifest := project.newest("corpora")) is not None:
                draw(project, manifest)
            elif project is not None:
                empty(missing, text)
                navigation.step("Add documents", "corpus", "to-corpus")

        return drawn

    return page


def choose_models(
    project: Project, label: str, usual: Sequence[ModelInfo], most: int, key: str
) -> list[ModelInfo]:
    """Draw the choice of models where there are several; the address holds it, unless it is the usual one.

    :param key: tells the pages apart.
    """
    known = {info.name: info for info in models(project)}
    if len(known) == 1:
        return list(known.values())
    default = [info.name for info in usual]
    names = st.multiselect(
        literal(label),
        list(known),
        default=[name for name in _asked_for(project) if name in known] or default,
        max_selections=most,
        format_func=model_title,
        key=f"{key}-models-{project.name}-{len(known)}",
    )
    navigation.hold("model", names if names != default else [])
    return [known[name] for name in names]


def _asked_for(project: Project) -> list[str]:
    """The models that the address names, by what they are called today."""
    return [current_model_name(project, name) for name in address.values("model")]


def empty(title: str, text: str) -> None:
    """An empty state: what it means; the caller adds the one next step."""
    with st.container(key=f"empty-{title}"):
        st.html(render("empty.html", title=title, text=text))


def summary(sentence: str, figures: Sequence[tuple[str, str]]) -> None:
    """Draw a sentence with a few figures beside it; a page has one."""
    with st.container(key="summary-with-figures" if figures else "summary"):
        st.html(render("summary.html", sentence=sentence, figures=figures))


def colours(names: Sequence[str], ready_made: Collection[str] = ()) -> list[str]:
    """The colours of columns: slate is the generic model, teal the first custom one, on every page.

    :param ready_made: names of models that are not custom ones.
    """
    further = cycle(_FURTHER)
    made: list[str] = []
    for name in names:
        plain = name != KEYWORD and ":" not in name and name not in ready_made
        if name == GENERIC:
            made.append("var(--b-slate)")
        elif plain and "var(--b-teal)" not in made:
            made.append("var(--b-teal)")
        else:
            made.append(next(further))
    return made


def ready_made(project: Project) -> dict[str, str]:
    """The ready-made models of a project: their own titles by their names here."""
    return {info.name: info.title for info in models(project) if info.kind == "generic"}


def model_title(model: str) -> str:
    """The name of a model, or of another column, as people read it."""
    return parse_column(model).title


SAME = " · same as its start"
"""Marks a model that is published as its start, because nothing beat it."""


def same_as_start(project: Project) -> set[str]:
    """The names of the models that are their start."""
    return {info.name for info in models(project) if info.is_start}


def model_subtitle(
    model: str, recipe: str | None, title: str = GENERIC_TITLE, is_start: bool = False
) -> str:
    """A plain half-sentence about a model."""
    if model == GENERIC:
        return f"{title} · ready-made"
    if model == KEYWORD:
        return "BM25 · counts words, knows no meaning"
    return f"custom · {recipe}{SAME if is_start else ''}" if recipe else "ready-made"


def verdict(project: Project, model: str) -> str | None:
    """What the newest evaluation that measured a model says of it, in a sentence."""
    measured = verdict_on(project, model)
    return measured[0].sentence(measured[1]) if measured else None


def ink() -> str:
    """The colour of what is written in a chart, readable (AA) on the ground of the theme."""
    return "#a3adba" if st.context.theme.type == "dark" else "#5b6675"


def duration(seconds: float) -> str:
    """A span of time as people say it."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: 1 pair, 2,000 pairs."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def draw_index_line(project: Project, info: ModelInfo) -> None:
    """One line on the index that was made last with a model, where there is one."""
    index = newest_of(project, info)
    if index is not None:
        st.caption(f"Search index: {literal(index_line(index.details))}")


def escaped_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw a small table of texts as HTML: they wrap, and what stands in them is data."""
    st.html(render("table.html", heads=heads, rows=rows))


def dataframe(rows: Any, columns: list[str] | None = None, **more: Any) -> Any:
    """Draw rows as a table to scroll and sort.

    :param rows: what pandas makes a table of: mappings by the names of the columns, or sequences in their order.
    :param more: what else `st.dataframe` takes.
    :returns: what is selected of it, where `on_select` asks for it.
    """
    import pandas as pd

    return st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True, **more)


def full_height(rows: int, most: int = 560) -> int:
    """The pixels of a table that shows so many rows without an empty one below, and scrolls where they are many."""
    return min(int(_ROW_PIXELS * (rows + 1)) + 4, most)


def said_by(key: str, what: str) -> Any:
    """What a component of the page said; None where another event dropped its state before it was read.

    Two events that arrive together are two runs of a page, and the later may find the widget of the earlier gone.
    """
    return (st.session_state.get(key) or {}).get(what)
