"""Uploaded files on disk: a folder of their own, a harmless name, and an end."""

import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from search.projects.artifacts import new_id
from search.projects.project import Project

_FOLDER = "uploads"
_KEPT_SECONDS = 24 * 3600
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def box(project: Project, what: str) -> str:
    """The key of an upload box: another one after every run, so that what was taken in is not there again."""
    return f"{what}-{project.name}-{st.session_state.get(_emptied(project), 0)}"


def empty(project: Project) -> None:
    """Empty a project's upload boxes from the next drawing on; what was saved stays."""
    st.session_state[_emptied(project)] = st.session_state.get(_emptied(project), 0) + 1
    st.session_state.pop(_brought(project), None)


def bring(project: Project, given: Iterable[UploadedFile]) -> None:
    """Save files that came by another page than the one that takes them in."""
    st.session_state[_brought(project)] = [str(saved(project, upload)) for upload in given]


def brought(project: Project) -> list[Path]:
    """The files that another page saved, until the boxes are emptied."""
    return [Path(path) for path in st.session_state.get(_brought(project), ())]


def _brought(project: Project) -> str:
    return f"brought-{project.name}"


def saved(project: Project, upload: UploadedFile) -> Path:
    """Write an upload into the project, once, and say where it is.

    The name that came with it is data: only letters, digits and . _ - of it are kept, for messages.
    """
    key = f"upload-{project.name}-{upload.file_id}"
    known = st.session_state.get(key)
    if known and Path(known).is_file():
        return Path(known)
    path = _new_file(project, upload.name)
    with path.open("wb") as stream:
        upload.seek(0)
        shutil.copyfileobj(upload, stream)
    st.session_state[key] = str(path)
    return path


def written(project: Project, name: str, text: str) -> Path:
    """Write what was typed on a page where uploads are, and say where it is."""
    path = _new_file(project, name)
    path.write_text(text, encoding="utf-8")
    return path


def _new_file(project: Project, name: str) -> Path:
    """A file that is not there yet, in a new folder among the uploads of a project."""
    parent = project.folder / _FOLDER
    _sweep(parent)
    folder = parent / new_id()
    parent.mkdir(exist_ok=True)  # Not the project's: it may be gone.
    folder.mkdir()
    return folder / safe_name(name)


def safe_name(name: str) -> str:
    """A file name without anything that could mean a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = last.rpartition(".")
    stem = _UNSAFE.sub("-", stem if dot else last).strip(".-") or "upload"
    suffix = _UNSAFE.sub("", suffix) if dot else ""
    return f"{stem[:80]}.{suffix[:10].lower()}" if suffix else stem[:80]


def _emptied(project: Project) -> str:
    return f"uploads-emptied-{project.name}"


def _sweep(parent: Path) -> None:
    if not parent.is_dir():
        return
    for folder in parent.iterdir():
        if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
