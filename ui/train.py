"""Train: which model should I make, and how is it going?"""

from typing import Any, Literal, get_args, get_origin

import pandas as pd
import streamlit as st
from pydantic.fields import FieldInfo

from search import runs
from search.errors import BespokeError
from search.models import ModelInfo, custom_manifests, models
from search.words import nearest_words
from search.workspace import Project
from training.recipes.base import ADVANCED
from training.recipes.catalogue import RECIPES, RecipeInfo, recommended
from ui import loaders, navigation, run_view, widgets


def page() -> None:
    """Draw the page."""
    project = widgets.heading("Which model should you make?")
    if project is None:
        return
    if project.newest("corpora") is None:
        widgets.empty("Nothing to learn from yet", "Add documents first, then pairs.")
        navigation.step("Add documents", "corpus", "to-corpus")
        return
    run = run_view.latest(project, ["train"])
    if run is not None and run.status.state not in runs.OVER:
        run_view.watch(run)
    else:
        if run is not None:
            _last(project, run)
        _form(project)
    device = st.empty()
    device.caption("Device: looking for a graphics card …")
    _made(project)
    _words(project)
    # Last, because asking loads torch: the page is drawn and can be used meanwhile.
    device.caption(f"Device: {loaders.device()}, chosen by itself.")


def _last(project: Project, run: runs.Run) -> None:
    """How the last training ended."""
    run_view.ended(run)
    with st.expander("Its curve and its command"):
        run_view.curves(run)
        st.code(run.command, language="bash", wrap_lines=True)
    if run.status.state == "done":
        left, right, _ = st.columns([1, 1, 2])
        with left:
            navigation.step("See the proof", "evaluate", "to-evaluate")
        with right:
            if st.button("Compare searches", key="to-compare"):
                navigation.go("compare")


def _form(project: Project) -> None:
    pairs = project.newest("pairs")
    names = (
        list(RECIPES) if pairs is not None else [n for n in RECIPES if not RECIPES[n].needs_pairs]
    )
    if pairs is None:
        st.info(
            "This project has no pairs of a query and its answer, so only recipes that learn from the "
            "documents alone are offered. An adapter and fine-tuning, usually better, need pairs.",
            icon=":material/info:",
        )
        if st.button("Add pairs", key="to-pairs"):
            navigation.go("corpus")
    else:
        st.caption(
            f"{pairs.details['pairs']:,} pairs to train on · "
            f"{pairs.details['dev_queries']:,} dev queries to steer by"
        )
    best, why = recommended(pairs.details["pairs"] if pairs is not None else 0)
    remembered = f"last-recipe-{project.name}"
    before = st.session_state.get(remembered)
    name = st.segmented_control(
        "Recipe",
        names,
        default=before if before in names else best,
        required=True,
        format_func=lambda key: RECIPES[key].title + (" · recommended" if key == best else ""),
        key=f"recipe-{project.name}",
    )
    # The widget is away while a training is watched, and its state with it.
    st.session_state[remembered] = name
    info = RECIPES[name or best]
    st.write(info.summary + (f" Recommended: {why}." if info.name == best else ""))
    with st.form(f"train-{info.name}"):
        called = st.text_input(
            "Name of the model", placeholder=f"{info.name} (numbered when taken)", max_chars=80
        )
        with st.expander("Settings"):
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
        runs.start(project, arguments)
        st.rerun()


def _is_advanced(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(
        field.json_schema_extra.items() >= ADVANCED.items()
    )


def _settings(info: RecipeInfo, advanced: bool) -> dict[str, Any]:
    """One widget a setting, drawn from the recipe's own model: type, bounds, title, help."""
    values: dict[str, Any] = {}
    columns = st.columns(2)
    fields = [
        (key, field)
        for key, field in info.settings.model_fields.items()
        if _is_advanced(field) is advanced
    ]
    fields.sort(key=lambda item: item[0] == "seed")
    for place, (key, field) in enumerate(fields):
        with columns[place % 2]:
            values[key] = _widget(info, key, field)
            st.caption(field.description or "")
    return values


def _widget(info: RecipeInfo, key: str, field: FieldInfo) -> Any:
    label, name = field.title or key, f"set-{info.name}-{key}"
    if get_origin(field.annotation) is Literal:
        options = get_args(field.annotation)
        return st.selectbox(label, options, index=options.index(field.default), key=name)
    if field.annotation is bool:
        return st.toggle(label, field.default, key=name)
    if get_origin(field.annotation) is tuple:
        typed = st.text_input(label, ", ".join(map(str, field.default)), key=name)
        return ",".join(typed.replace(",", " ").split()) or field.default
    if field.annotation is str:
        return st.text_input(label, field.default, key=name).strip() or field.default
    low, high = _bounds(field)
    if field.annotation is int:
        return st.number_input(
            label, min_value=int(low), max_value=int(high), value=field.default, step=1, key=name
        )
    small = field.default < 0.01
    return st.number_input(
        label,
        min_value=float(low),
        max_value=float(high),
        value=float(field.default),
        step=field.default / 5 if small else 0.05,
        format="%.1e" if small else "%.2f",
        key=name,
    )


def _bounds(field: FieldInfo) -> tuple[float, float]:
    low, high = 0.0, 1e9
    for rule in field.metadata:
        low = next((b for b in (getattr(rule, "ge", None),) if b is not None), low)
        high = next((b for b in (getattr(rule, "le", None),) if b is not None), high)
    return low, high


def _made(project: Project) -> None:
    """The custom models so far."""
    rows = []
    for manifest in reversed(custom_manifests(project)):
        details = manifest.details
        dev = details.get("dev") or {}
        scores = dev.get("ndcg@10") or []
        taught = RECIPES[details["recipe"]].needs_pairs
        after = (max(scores) if taught else scores[-1]) if scores else None
        rows.append(
            {
                "model": details["name"],
                "recipe": RECIPES[details["recipe"]].title,
                "dev nDCG@10 before": f"{scores[0]:.3f}" if taught and scores else "–",
                "dev nDCG@10 after": f"{after:.3f}" if after is not None else "–",
                "kept": dev.get("kept", "last epoch") if scores else "last epoch",
                "trained on": f"{details['pairs']:,} pairs" if taught else "documents alone",
                "time": widgets.duration(details["seconds"]),
                "device": details["device"],
            }
        )
    if not rows:
        return
    st.subheader("Custom models", anchor=False)
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    st.caption(
        "Dev scores steer training and are measured on a part of the corpus: compare them with each "
        "other only. The proof is on Evaluate."
    )


def _words(project: Project) -> None:
    """Nearest words under a word-vector model."""
    known: list[ModelInfo] = [
        info for info in reversed(models(project)) if info.recipe in ("word2vec", "fasttext")
    ]
    if not known:
        return
    st.subheader("What did it learn about a word?", anchor=False)
    left, right = st.columns(2)
    model = left.selectbox("Word-vector model", [info.name for info in known], key="words-model")
    word = right.text_input("Word", placeholder="for example: mortgage", key="words-word")
    if not word.strip() or model is None:
        return
    try:
        found = nearest_words(project, model, word)
    except BespokeError as error:
        st.warning(str(error))
        return
    if found.note:
        st.caption(found.note)
    st.dataframe(
        pd.DataFrame(found.words, columns=["nearest word", "cosine"]),
        hide_index=True,
        column_config={
            "cosine": st.column_config.ProgressColumn(format="%.2f", min_value=0.0, max_value=1.0)
        },
    )
