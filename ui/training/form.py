"""The form of a recipe, drawn from its settings, and the command that it starts."""

from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from search.projects.project import Project
from training.advice.recommending import Advice
from training.recipes import RECIPES, RecipeInfo
from training.settings import ADVANCED
from ui import address, navigation, run_view, widgets
from ui.rendering import literal

_IN_A_ROW = 3


def draw(project: Project, advice: Advice) -> None:
    """Choose a recipe, change what one likes, and train.

    :param advice: what is recommended; a recipe or something else.
    """
    pairs = project.newest("pairs")
    names = [name for name in RECIPES if pairs is not None or not RECIPES[name].needs_pairs]
    if pairs is not None:
        made = " made of the documents" if pairs.details.get("origin") == "mined" else ""
        aside = widgets.counted(pairs.details["dev_queries"], "question")
        st.caption(
            f"{pairs.details['pairs']:,} pairs{made} to train on · {aside} kept aside to steer by"
        )
    best = advice.option if advice.option in names else None
    usual, chosen = best or names[-1], address.value("recipe")
    name = st.segmented_control(
        "Recipe",
        names,
        default=chosen if chosen in names else usual,
        required=True,
        format_func=lambda key: (
            literal(RECIPES[key].title) + (" · recommended" if key == best else "")
        ),
        key=f"recipe-{project.name}",
    )
    # The widget is away while a training is watched, and its state with it; a reload begins anew.
    navigation.hold("recipe", name if name and name != usual else "")
    info = RECIPES[name or names[-1]]
    st.write(literal(info.summary))
    with st.form(f"train-{info.name}"):
        called = st.text_input(
            "Name of the model",
            placeholder=f"{info.name} (numbered when taken)",
            max_chars=80,
            key=f"called-{info.name}",
        )
        values = _settings(info, advanced=False)
        if any(map(_is_advanced, info.settings.model_fields.values())):
            with st.expander("Advanced settings"):
                values |= _settings(info, advanced=True)
        go = st.form_submit_button("Train", type="primary", icon=":material/model_training:")
    if go:
        arguments = ["train", project.name, "--recipe", info.name]
        if called.strip():
            arguments += ["--name", called.strip()]
        defaults = info.settings()
        for key, value in values.items():
            if value != getattr(defaults, key):
                arguments += ["--set", f"{key}={value}"]
        run_view.start(project, arguments)


def _is_advanced(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(
        field.json_schema_extra.items() >= ADVANCED.items()
    )


def _settings(info: RecipeInfo, advanced: bool) -> dict[str, Any]:
    """One widget a setting, drawn from the recipe's own model: type, bounds, title, help."""
    values: dict[str, Any] = {}
    fields = [
        (key, field)
        for key, field in info.settings.model_fields.items()
        if _is_advanced(field) is advanced
    ]
    fields.sort(key=lambda item: item[0] == "seed")
    for start in range(0, len(fields), _IN_A_ROW):
        # A row of its own for each few: what stands beside each other begins level, however long a help text is.
        row = st.columns(_IN_A_ROW)
        for box, (key, field) in zip(row, fields[start : start + _IN_A_ROW], strict=False):
            with box:
                values[key] = _widget(info, key, field)
                st.caption(literal(field.description or ""))
    return values


def _widget(info: RecipeInfo, key: str, field: FieldInfo) -> Any:
    label, name = literal(field.title or key), f"set-{info.name}-{key}"
    if get_origin(field.annotation) is Literal:
        options = get_args(field.annotation)
        return st.selectbox(label, options, index=options.index(field.default), key=name)
    if field.annotation is bool:
        return st.toggle(label, field.default, key=name)
    if get_origin(field.annotation) is tuple:
        default = ", ".join(map(str, field.default))
        typed = st.text_input(label, default, key=name).strip()
        plain = ",".join(typed.replace(",", " ").split())
        return field.default if typed in ("", default) else plain
    if field.annotation is str:
        return st.text_input(label, field.default, key=name).strip() or field.default
    low = next((rule.ge for rule in field.metadata if hasattr(rule, "ge")), 0.0)
    high = next((rule.le for rule in field.metadata if hasattr(rule, "le")), 1e9)
    if field.annotation is int:
        return st.number_input(label, int(low), int(high), field.default, 1, key=name)
    small = 0 < field.default < 0.01
    step, form = (field.default / 5, "%.1e") if small else (0.05, "%.2f")
    ends = float(low), float(high)
    return st.number_input(label, *ends, float(field.default), step, form, key=name)
