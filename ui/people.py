"""People of a project: who may open it, and what was done in it; its owners alone see this."""

import streamlit as st

from search.projects import audit, members
from search.projects.errors import BespokeError
from search.projects.members import ROLES, Role
from search.projects.project import Project
from ui import door, widgets
from ui.rendering import literal, render
from ui.signin import ways

_WORDS: dict[Role, str] = {
    "owner": "Owner: everything, and who comes in",
    "member": "Member: all pages",
    "judge": "Judge: the page Judge alone",
}
_LATEST = 200


def button(project: Project, with_label: bool = False) -> None:
    """A button that opens the people of a project, and what they did."""
    signs_in = ways.chosen().way != "alone"
    icon, tip = (
        (":material/group:", "People and log") if signs_in else (":material/history:", "Log")
    )
    label = literal(tip) if with_label else ""
    if st.button(
        label, key=f"people-{project.name}", type="tertiary", icon=icon, help=literal(tip)
    ):
        _people(project)


@st.dialog("Who may open this project", width="large")
def _people(project: Project) -> None:
    try:
        door.must_own(project)
        st.markdown(f"**{literal(project.name)}**")
        if ways.chosen().way == "alone":
            st.caption("Nobody signs in here: whoever uses this machine may open it.")
        else:
            _members(project)
        _log(project)
    except BespokeError as error:
        st.error(literal(str(error)), icon=":material/error:")


def _members(project: Project) -> None:
    for member in members.members(project):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.html(render("person.html", name=member.person, role=member.role))
        if right.button("Take out", key=f"out-{member.person}", type="tertiary"):
            members.remove(project, member.person)
            st.rerun(scope="fragment")
    with st.form("let-in", border=False, clear_on_submit=True):
        left, middle, right = st.columns([3, 3, 1], vertical_alignment="bottom")
        name = left.text_input("Address that they sign in with", key="let-in-name")
        role = middle.selectbox(
            "May do", ROLES[::-1], format_func=_WORDS.__getitem__, key="let-in-role"
        )
        added = right.form_submit_button("Add", type="primary", width="stretch")
    if added:
        members.add(project, name, role)
        st.rerun(scope="fragment")


def _log(project: Project) -> None:
    with st.expander("What was done here"):
        latest = audit.history(project.name)[: -_LATEST - 1 : -1]
        if not latest:
            st.caption("Nothing yet. Who comes in, what is deleted and who judges is noted here.")
            return
        rows = [
            (one.time[:19].replace("T", " "), one.who or one.account, one.known, one.what, one.on)
            for one in latest
        ]
        widgets.escaped_table(("When (UTC)", "Who", "Known by", "What", "On what"), rows)
        if audit.broken_lines():
            st.warning("The log was changed by another program: see python cli.py audit --check.")
