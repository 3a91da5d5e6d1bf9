"""Home: what do I have, and what next?"""

from pathlib import PurePath

import streamlit as st

from search.projects.errors import BespokeError, Refused
from search.projects.project import check_project_name
from ui import deleting, door, navigation, project_rows, samples, uploads, widgets
from ui.rendering import literal

_MOST_COPIES = 100


def page() -> None:
    """Draw the page."""
    st.title("Is a custom embedding worth it for your documents?", anchor=False)
    deleting.say_what_went()
    if door.is_judge_elsewhere():
        widgets.here_to_judge()
    own = door.all_opened()
    if not own:
        st.markdown(
            "Search with the generic and a custom model side by side, and see the proof on questions "
            "that neither was trained on."
        )
    for number, project in enumerate(own):
        try:
            project_rows.row(project, is_primary=number == 0)
        except BespokeError as error:  # One damaged project does not lock the others away.
            st.error(literal(error), icon=":material/error:")
    for _, why in door.all_damaged():
        st.error(literal(why), icon=":material/error:")
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.header("Try a sample: real data, one click", anchor=False)
        samples.draw(is_first=not own)
    with right:
        st.header("New project" if own else "Or start with your own documents", anchor=False)
        _from_files()
        _by_name()


def _from_files() -> None:
    """A drop zone that makes a project, called like the first file."""
    given = st.file_uploader(
        "Drop your documents here: a project is made from them",
        accept_multiple_files=True,
        key="first-files",
    )
    if not given:
        return
    project = door.to_be(_free_name(PurePath(given[0].name).name.split(".")[0]))
    door.made(project).create()
    uploads.bring(project, given)
    navigation.go("corpus", project.name)


def _free_name(stem: str) -> str:
    """The name of a file as that of a project, numbered when it is taken."""
    words = " ".join("".join(c if c.isalnum() or c in "._-+()" else " " for c in stem).split())
    try:
        base = check_project_name(words[:60].strip())
    except Refused:
        base = "My documents"
    names = (base, *(f"{base} {number}" for number in range(2, _MOST_COPIES)))
    return next((n for n in names if door.is_free(n) and not door.to_be(n).exists), base)


def _by_name() -> None:
    with st.form("new-project", border=False, enter_to_submit=True):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        name = left.text_input(
            "Name of the project",
            placeholder="or begin with a name",
            max_chars=80,
            key="called-project",
        )
        made = right.form_submit_button("Create", width="stretch")
    if not made:
        return
    try:
        project = door.to_be(name.strip())
    except BespokeError as error:
        st.error(literal(error) if name.strip() else "Give the project a name first.")
        return
    if project.exists:
        st.error(
            f"There is a project named {literal(repr(name.strip()))} already. Choose another name."
        )
        return
    door.made(project).create()
    navigation.go("corpus", project.name)
