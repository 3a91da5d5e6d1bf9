"""Models: what can I take away?"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import streamlit as st

from search.models.encoding.index_vectors import how_encoded
from search.models.load import base_missing
from search.models.registry import ModelInfo, models
from search.projects import audit
from search.projects.errors import BespokeError
from search.projects.files import size_in_words
from search.projects.project import Project
from search.projects.scratch import scratch_folder
from search.retrieval.indexing.describe import newest_of
from training.export.export import FORMATS, export
from training.export.formats import FULL, Form, Precision
from training.export.index_files import INDEX_FORMS
from training.export.snippets import UNTRIED, snippets
from training.recipes import RECIPES
from ui import (
    blending,
    deleting,
    leaderboard,
    navigation,
    pretrained,
    verifying,
    whereabouts,
    widgets,
)
from ui.rendering import literal


def page() -> None:
    """Draw the page."""
    project = widgets.heading("What can you take away?")
    if project is None:
        return
    deleting.say_what_went()
    custom = [info for info in reversed(models(project)) if info.kind == "custom"]
    if not custom:
        widgets.empty("No custom model yet", "Train one; then you can take it with you from here.")
        navigation.step("Train a model", "train", "to-train")
    for info in custom:
        _card(project, info)
    pretrained.section(project)
    pretrained.rerankers_section(project)
    verifying.section(project)
    pretrained.hosts_section(project)


def _card(project: Project, info: ModelInfo) -> None:
    manifest = project.artifact("models", info.id)
    details = manifest.details
    weight = sum(record.size for record in manifest.files.values())
    recipe = literal(RECIPES[info.recipe or ""].title)
    with st.container(border=True, key=f"model-{info.id}"):
        left, right = st.columns([3, 1])
        with left:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{literal(info.name)}**" + (widgets.SAME if info.is_start else ""))
                whereabouts.rename_model_button(project, info)
                deleting.artifact(project, manifest, "this model")
            st.caption(
                f"{recipe} · {literal(info.origin)} · {literal(info.dimension)} dimensions · {size_in_words(weight)} · "
                f"made {literal(info.created[:16].replace('T', ' '))} UTC in "
                f"{widgets.duration(details['seconds'])}"
            )
            if (missing := base_missing(project, manifest)) is not None:
                st.warning(literal(missing), icon=":material/link_off:")
            st.write(
                literal(widgets.verdict(project, info.name) or "Not measured yet: see the proof.")
            )
        with right:
            _download(project, info)
        blending.section(project, info, manifest)
        _details(project, info, details)
        with st.expander("Use it anywhere"):
            st.code(
                f"python cli.py export '{project.name}' '{info.name}' my-model", language="bash"
            )
            known = snippets(project, info)
            for tab, snippet in zip(
                st.tabs([literal(one.title) for one in known]), known, strict=True
            ):
                with tab:
                    st.code(snippet.code, language=snippet.language)
                    if not snippet.tried:
                        st.caption(UNTRIED)


def _details(project: Project, info: ModelInfo, details: dict[str, Any]) -> None:
    """What is known of a model beside its verdict: notes, its index, how it was trained."""
    if "leaderboard" in details:
        with st.expander("What was tried"):
            leaderboard.draw(details["leaderboard"])
    with st.expander("Details"):
        for note in details["notes"]:
            st.caption(literal(note))
        st.caption(literal(_settings_in_words(info, details["settings"])))
        if (encoded := how_encoded(project, info)) is not None:
            st.caption(literal(encoded))
        if (index := newest_of(project, info)) is not None:
            with deleting.beside(project, index, "this index", f"{info.id}-"):
                widgets.draw_index_line(project, info)


def _settings_in_words(info: ModelInfo, values: Mapping[str, object]) -> str:
    """What a model was trained with, by the labels of the form."""
    fields = RECIPES[info.recipe or ""].settings.model_fields
    titles = {key: fields[key].title or key for key in values if key in fields}
    return "Trained with " + " · ".join(f"{title}: {values[key]}" for key, title in titles.items())


def _download(project: Project, info: ModelInfo) -> None:
    """Prepare the zip first, on request: it may be large, and is held against the model before."""
    with st.popover("Export", type="primary", key=f"formats-{info.id}", width="stretch"):
        form = st.selectbox(
            "Format",
            _formats_of(info),
            format_func=lambda name: INDEX_FORMS.get(name) or FORMATS[name].title,
            key=f"form-{info.id}",
        )
        precision = st.selectbox(
            "Precision",
            FORMATS[form].precisions if form in FORMATS else (FULL,),
            format_func=_PRECISIONS.__getitem__,
            key=f"precision-{info.id}",
        )
        key = f"zip-{info.id}-{form}-{precision}"
        if not st.session_state.get(key):
            if st.button("Prepare", key=f"export-{info.id}", width="stretch"):
                st.session_state[key] = True
                st.rerun()
            return
        try:
            with st.spinner("Writing it, and comparing it with the model…"):
                content, notes = _zipped(project, info, form, precision)
        except BespokeError as error:
            st.error(literal(error))
            return
        for note in notes:
            st.caption(literal(note))
        st.download_button(
            "Download zip",
            audit.noted(project.name, f"model {info.name}", lambda: content),
            file_name=f"{info.name}.zip",
            mime="application/zip",
            type="primary",
            key=f"download-{info.id}",
            on_click="ignore",
            width="stretch",
        )


_PRECISIONS: dict[Precision, str] = {
    "fp32": "full (32 bits)",
    "fp16": "half (16 bits)",
    "int8": "quarter (8 bits)",
}


def _formats_of(info: ModelInfo) -> list[Form]:
    """The formats that can hold a model, by its kind."""
    words = info.recipe in ("word2vec", "fasttext")
    return [name for name in get_args(Form) if words or name != "word2vec"]


def _zipped(
    project: Project,
    info: ModelInfo,
    form: Form = "sentence-transformers",
    precision: Precision = FULL,
) -> tuple[bytes, list[str]]:
    """A model in one of the formats, zipped; and what is to be said of it."""
    buffer = io.BytesIO()
    with scratch_folder("export") as scratch:
        folder = Path(scratch) / "model"
        notes = export(project, info.name, folder, form=form, precision=precision)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(path, f"{info.name}/{path.relative_to(folder).as_posix()}")
    return buffer.getvalue(), notes
