"""One view of the map as a picture: points by colour, groups by name, arrows, held-out queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ui.rendering import plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Ten calm colours that can be told apart on light and on dark ground, and grey for the rest.
PALETTE = (
    "#4c78a8", "#e08a3c", "#54a24b", "#b279a2", "#c9a227", "#3aa6a0", "#d0605e", "#8a7bc8", "#9d755d", "#7f9a3a",
)  # fmt: skip
OTHERS = "#8b95a3"
WON, LOST, EVEN = "#0f9488", "#c8651b", "#8b95a3"
HEIGHT = 470
MANY = 3_000
"""More documents than this are drawn smaller and coarser, so that the picture follows the hand."""
_ARROWS = 1.2
_FURTHEST = 7  # Lines that a name is moved up or down at most.


@dataclass(frozen=True)
class Marks:
    """What is drawn on a view besides its documents.

    `labels` are names with their coordinates; `arrows` go from a point to a point; `queries` are texts with their
    coordinates and colours. `chosen` are the documents that were selected, None when none were.
    """

    labels: Sequence[tuple[str, float, float]] = ()
    arrows: Sequence[tuple[float, float, float, float]] = ()
    queries: Sequence[tuple[str, float, float, str]] = ()
    chosen: frozenset[int] | None = None


@dataclass(frozen=True)
class Frame:
    """The part of the plane that every view shows, so that the same spot means the same in all."""

    x: tuple[float, float]
    y: tuple[float, float]

    @classmethod
    def around(cls, views: Sequence[NDArray[np.float32]]) -> "Frame":
        """A frame around all points of some views, with a margin."""
        points = np.concatenate(list(views))
        low, high = points.min(axis=0), points.max(axis=0)
        margin = np.maximum((high - low) * 0.05, 1e-3)
        low, high = low - margin, high + margin
        return cls((float(low[0]), float(high[0])), (float(low[1]), float(high[1])))


def figure(
    coordinates: NDArray[np.float32],
    titles: Sequence[str],
    kinds: Sequence[int],
    marks: Marks,
    frame: Frame,
    dark: bool,
) -> "go.Figure":
    """The documents of a view, drawn with WebGL.

    :param coordinates: shape (n, 2).
    :param titles: what hovering tells of each document.
    :param kinds: the number of each document's colour; -1 is grey.
    :param dark: whether it stands on dark ground.
    """
    import plotly.graph_objects as go

    ink = "#e8ecf1" if dark else "#1c2430"
    ground = "rgba(24,30,38,.82)" if dark else "rgba(255,255,255,.85)"
    made = go.Figure()

    def dots(x: Any, y: Any, texts: Sequence[str], **more: Any) -> None:
        hover = {"text": [plain(text) for text in texts], "hovertemplate": "%{text}<extra></extra>"}
        made.add_trace(go.Scattergl(x=x, y=y, mode="markers", **hover, **more))

    colours = np.asarray(kinds)
    size = 4 if len(coordinates) > MANY else 7 if len(coordinates) > 400 else 10
    for kind in sorted(set(colours.tolist())):
        here = np.flatnonzero(colours == kind)
        chosen = None
        if marks.chosen is not None:
            chosen = [n for n, i in enumerate(here.tolist()) if i in marks.chosen]
        dots(
            coordinates[here, 0],
            coordinates[here, 1],
            [titles[i] for i in here.tolist()],
            customdata=here.tolist(),
            marker={"size": size, "color": colour(kind), "opacity": 0.8},
            selectedpoints=chosen,
            selected={"marker": {"opacity": 1.0, "size": size + 2}},
            unselected={"marker": {"opacity": 0.15}},
        )
    if marks.queries:
        texts, x, y, shades = zip(*marks.queries, strict=True)
        line = {"width": 1, "color": ink}
        marker = {"size": 9, "color": shades, "symbol": "diamond", "line": line}
        dots(x, y, texts, marker=marker, selectedpoints=list(range(len(texts))))
    made.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        dragmode="lasso",
        uirevision="map",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis=_axis(frame.x),
        yaxis=_axis(frame.y),
        annotations=[*_arrows(marks, ink), *_labels(marks, frame, ink, ground)],
    )
    return made


def drawing(documents: int) -> dict[str, Any]:
    """How a view of so many documents is drawn: the configuration for plotly.

    Plotly draws at twice the screen's resolution, which without a graphics card takes most of the time.
    """
    config: dict[str, Any] = {"displaylogo": False, "scrollZoom": True}
    return config | {"plotGlPixelRatio": 1} if documents > MANY else config


def colour(kind: int) -> str:
    """The colour of a kind; grey for -1 and for more kinds than can be told apart."""
    return PALETTE[kind] if 0 <= kind < len(PALETTE) else OTHERS


def _axis(ends: tuple[float, float]) -> dict[str, Any]:
    return {"visible": False, "showgrid": False, "zeroline": False, "range": list(ends)}


def _arrows(marks: Marks, ink: str) -> list[dict[str, Any]]:
    return [
        {
            "x": to_x, "y": to_y, "ax": from_x, "ay": from_y,
            "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
            "showarrow": True, "arrowhead": 3, "arrowwidth": _ARROWS, "arrowcolor": ink, "opacity": 0.65, "text": "",
        }
        for from_x, from_y, to_x, to_y in marks.arrows
    ]  # fmt: skip


def _labels(marks: Marks, frame: Frame, ink: str, ground: str) -> list[dict[str, Any]]:
    """The names of the groups, within the frame; one that would cover another is moved up or down a little."""
    line = (frame.y[1] - frame.y[0]) / HEIGHT * 22
    letter = (frame.x[1] - frame.x[0]) / 500 * 7
    steps = sorted(range(-_FURTHEST, _FURTHEST + 1), key=lambda step: (abs(step), -step))
    placed: list[tuple[float, float, float]] = []
    made = []
    for name, x, y in marks.labels:
        width = letter * (len(name) + 2) / 2
        # Where it would stick out at a side, it would be cut off there.
        x = max(min(x, frame.x[1] - width), frame.x[0] + width)
        for step in steps:
            at = y + step * line
            if all(abs(at - b) >= line or abs(x - a) >= width + w for a, b, w in placed):
                break
        placed.append((x, at, width))
        made.append(
            {
                "x": x, "y": at, "text": plain(name), "showarrow": False,
                "font": {"size": 12, "color": ink}, "bgcolor": ground, "borderpad": 2,
            }
        )  # fmt: skip
    return made
