"""Charts as Streamlit draws them without a further library: the parts of a Vega-Lite specification."""

from collections.abc import Sequence
from typing import Any

SLATE, TEAL = "#6b7a90", "#0f9488"
"""The generic and the custom model, as lines on light and on dark ground."""
Spec = dict[str, Any]
"""A specification, or a part of one, as Vega-Lite's schema names its fields."""
# A chart's menu offers to open it in an editor on the internet, which would get all that it shows.
_MENU = {"actions": {"export": True, "source": False, "compiled": False, "editor": False}}


def number(field: str, **more: Any) -> Spec:
    """A field of numbers on an axis or in a tooltip, with what else is said of it."""
    return {"field": field, "type": "quantitative"} | more


def name(field: str, **more: Any) -> Spec:
    """A field of names on an axis, as a colour or in a tooltip, with what else is said of it."""
    return {"field": field, "type": "nominal"} | more


def score(field: str, **more: Any) -> Spec:
    """A field of scores: few ticks of two places, on an axis that need not begin at zero."""
    return number(field, scale={"zero": False}, axis={"tickCount": 4, "format": ".2f"}) | more


def layer(mark: str, rows: Sequence[Spec], encoding: Spec, **look: Any) -> Spec:
    """Rows drawn with one kind of mark.

    :param mark: "line", "bar", "point", "rect", "text" or "rule".
    :param rows: the values of the fields by their names, one mapping a mark (or a point of the line).
    :param encoding: the field that each channel ("x", "y", "color", "tooltip" ...) shows.
    :param look: what all marks have in common, as `color`.
    """
    return {"data": {"values": list(rows)}, "mark": {"type": mark} | look, "encoding": encoding}


def local_only(chart: Spec) -> Spec:
    """A whole chart that can be saved as a picture, and sends what it shows nowhere."""
    return chart | {"usermeta": {"embedOptions": _MENU}}
