"""What the steps of the Corpus page share: how a file is read, its columns, and the rows that are left out."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from search.corpus.isolated import door
from search.corpus.isolated.limits import OverLimit
from search.corpus.readers.encodings import COMMON_ENCODINGS
from search.corpus.readers.grades import GradeRules, UnclearGrades
from search.corpus.readers.report import DELIMITERS, RefusedRow, Report
from search.projects.errors import BespokeError
from search.projects.project import Project
from search.text.spreadsheet_cells import csv_text
from ui import address, navigation, run_view, uploads, widgets
from ui.rendering import literal

_GRADES = [0, 1, 2, 3, 4]
_MEANINGS = 12
_DRAWER = "add"
NONE = "(none)"
_Read = TypeVar("_Read")


def opened(project: Project) -> str | None:
    """What the open drawer adds; None where none is open."""
    return address.value(_DRAWER)


def drawer_button(project: Project, what: str, label: str, usual: bool) -> bool:
    """Draw the button that opens and closes a drawer; the address holds that it is open, so that a reload keeps it.

    :param what: is added there.
    :param usual: whether it is open where nobody chose.
    :returns: whether it is open.
    """
    if usual:
        return True
    is_open = opened(project) == what
    if st.button(
        literal("Close" if is_open else label),
        key=f"drawer-{what}",
        icon=":material/close:" if is_open else ":material/add:",
    ):
        navigation.hold(_DRAWER, "" if is_open else what)
        st.rerun()
    return is_open


def start(project: Project, arguments: Sequence[str]) -> None:
    """Start a run that changes the project's data, and draw the page anew."""
    uploads.empty(project)
    navigation.hold(_DRAWER, "")
    run_view.start(project, arguments, "corpus-run")


def _read_as(path: Path) -> tuple[str | None, str | None]:
    """The encoding and the delimiter that the person chose for a file, if any."""
    return st.session_state.get(f"encoding-{path}"), st.session_state.get(f"delimiter-{path}")


def options(path: Path, of: str = "") -> list[str]:
    """Encoding and delimiter as options of a command, where the person chose them.

    :param of: what their names begin with, for a second file.
    """
    chosen = zip((f"--{of}encoding", f"--{of}delimiter"), _read_as(path), strict=True)
    return [part for name, value in chosen if value for part in (name, value)]


def preview(
    path: Path, roles: Mapping[str, bool], read: Callable[[str | None, str | None], _Read]
) -> _Read | None:
    """What a file holds, read as the person chose; None after an error was shown, with what else can be chosen.

    :param roles: role to whether it may be left open.
    :param read: given the encoding and the delimiter that were chosen, if any.
    """
    try:
        with st.spinner("Reading the file…"):
            return read(*_read_as(path))
    except UnclearGrades as error:
        st.warning(literal(error), icon=":material/help:")
        choose_columns(path, _columns_of(path), error.roles, roles, asks=("grade", "label"))
        choose_meanings(path, error.values, {})
        how_to_read(path, None)
        return None
    except OverLimit as error:
        st.session_state[_too_much(path)] = True
        st.error(literal(error), icon=":material/error:")
        return None
    except BespokeError as error:
        st.error(literal(error), icon=":material/error:")
        choose_columns(path, _columns_of(path), {}, roles)
        how_to_read(path, None)
        return None
    finally:
        door.prepare()  # For the next time that the page is drawn.


def took_too_much(path: Path) -> bool:
    """Whether a file was not shown because its reader took too much; others beside it can be added."""
    return bool(st.session_state.get(_too_much(path)))


def _too_much(path: Path) -> str:
    return f"took-too-much-{path}"


def understood(path: Path, report: Report, what: str, plural: str | None = None) -> None:
    """What was understood of a file, and a way to say how it should be read instead."""
    parts = [report.format]
    if report.encoding:
        parts.append(f"encoding {report.encoding}")
    if report.delimiter:
        parts.append(f"delimiter {DELIMITERS.get(report.delimiter, repr(report.delimiter))}")
    count = widgets.counted(report.accepted, what, plural)
    st.markdown(
        f"**{count}** found in {literal(report.source)} ({', '.join(map(literal, parts))})."
    )
    for note in report.notes:
        st.caption(f":material/info: {literal(note[0].upper() + note[1:])}")


def how_to_read(path: Path, report: Report | None) -> None:
    """Encoding and delimiter to choose; for files that are text."""
    if report is not None and report.encoding is None:
        return
    with st.expander("Letters look wrong, or columns run together?") if report else nullcontext():
        _encoding_and_delimiter(path, report)


def _encoding_and_delimiter(path: Path, report: Report | None) -> None:
    left, right, _ = st.columns([1, 1, 2])
    left.selectbox(
        "Encoding",
        COMMON_ENCODINGS,
        index=None,
        placeholder=f"found: {report.encoding}" if report else "found out",
        key=f"encoding-{path}",
    )
    if report is None or report.delimiter:
        right.selectbox(
            "Delimiter",
            list(DELIMITERS),
            index=None,
            format_func=DELIMITERS.__getitem__,
            placeholder="found out",
            key=f"delimiter-{path}",
        )


def choose_columns(
    path: Path,
    columns: Sequence[str],
    roles: Mapping[str, str],
    asked: Mapping[str, bool],
    asks: Collection[str] = (),
) -> None:
    """Let the person say which column plays which role; what was understood is chosen already.

    :param roles: role to column, as understood.
    :param asked: role to whether it may be left open.
    :param asks: roles that the person has to say something of, if only that no column plays them.
    """
    if not columns:
        return
    for box, (role, optional) in zip(st.columns(len(asked)), asked.items(), strict=True):
        choices = [NONE, *columns] if optional else list(columns)
        current = roles.get(role)
        default = (
            choices.index(current)
            if current in choices
            else 0
            if optional and role not in asks
            else None
        )
        guessed = None if default is None else choices[default]
        st.session_state.setdefault(f"guessed-{role}-{path}", guessed)
        label, key = f"Column of the {literal(role)}", f"{role}-{path}"
        box.selectbox(label, choices, index=default, placeholder="choose", key=key)


def chosen_column(path: Path, role: str) -> str | None:
    """The column that the person chose for a role; "" for none, None where the guess was left alone."""
    chosen = st.session_state.get(f"{role}-{path}")
    if chosen == st.session_state.get(f"guessed-{role}-{path}"):
        return None
    return "" if chosen == NONE else chosen


def choose_meanings(path: Path, values: Sequence[str], understood: Mapping[str, int]) -> None:
    """Let the person say what each value of a column of grades means; what was understood is chosen already.

    :param values: what the column says.
    :param understood: value to grade; empty where that is what is asked for.
    """
    if set(st.session_state.get(f"values-{path}", ())) != set(values):
        st.session_state[f"values-{path}"] = list(values)
        st.session_state[f"meanings-{path}"] = dict(understood)
    if not values:
        return
    with st.expander("What each grade means: 0 is not relevant", expanded=not understood):
        if len(values) > _MEANINGS:
            st.number_input(
                "A row is relevant from this number on", value=None, key=f"least-{path}"
            )
            return
        boxes = [box for _ in range(0, len(values), 4) for box in st.columns(4)]
        for box, value in zip(boxes, values, strict=False):
            grade = understood.get(value)
            index = None if grade not in _GRADES else _GRADES.index(grade)
            label, key = literal(value) or "(empty)", f"means-{value}-{path}"
            box.selectbox(
                label, _GRADES, index=index, placeholder="choose", format_func=_grade, key=key
            )


def chosen_meanings(path: Path) -> str | None:
    """What the person said that values mean, as `--grades` takes it; None where the guess was left alone."""
    least = st.session_state.get(f"least-{path}")
    if least is not None:
        return f">={least:g}=1"
    values = st.session_state.get(f"values-{path}", ())
    chosen = {value: st.session_state.get(f"means-{value}-{path}") for value in values}
    said = {value: grade for value, grade in chosen.items() if grade is not None}
    guessed = st.session_state.get(f"meanings-{path}", {})
    if len(said) < len(values) or all(guessed.get(value) == grade for value, grade in said.items()):
        return None
    return json.dumps(said, ensure_ascii=False)


def forget_choices(path: Path, roles: Collection[str], context: str) -> None:
    """Begin anew with the choices about a file where it is read as something else than before."""
    if st.session_state.get(f"context-{path}", context) != context:
        for role in roles:
            st.session_state.pop(f"{role}-{path}", None)
            st.session_state.pop(f"guessed-{role}-{path}", None)
    st.session_state[f"context-{path}"] = context


def _grade(grade: int) -> str:
    return f"{grade} · not relevant" if grade == 0 else str(grade)


def rules(path: Path) -> GradeRules | None:
    """`chosen_meanings` as the readers take them."""
    said = chosen_meanings(path)
    return GradeRules.parse(said) if said else None


def column_options(path: Path, report: Report, roles: Sequence[str]) -> list[str]:
    """The columns as options of a command: those in use, and "" where the person wants none."""
    made: list[str] = []
    for role in roles:
        column = report.roles.get(role)
        if column in (*report.columns, *report.nested):
            made += [f"--{role}-column", str(column)]
        elif chosen_column(path, role) == "":
            made += [f"--{role}-column", ""]
    return made


def _columns_of(path: Path) -> Sequence[str]:
    """The columns of a file that could not be used as it is: maybe others can be chosen."""
    try:
        return door.columns_of(path, *_read_as(path))
    except BespokeError:
        return ()


def refused(rows: Sequence[RefusedRow], count: int, total: int, key: str) -> None:
    """One line on the rows that will be left out; unfolded, each with its reason, and the list to take away.

    :param total: how many rows there are, those among them.
    """
    if not count:
        return
    label = left_out(count, total, [row.reason for row in rows], "will be")
    with st.expander(literal(label), icon=":material/playlist_remove:"):
        cells = [(row.where, row.reason) for row in rows]
        widgets.dataframe(cells, ["where", "why"], height=widgets.full_height(len(cells), 220))
        listed = "" if len(rows) == count else f" (the first {len(rows):,})"
        st.download_button(
            f"Download the list{listed}",
            csv_text(("where", "why"), cells).encode("utf-8-sig"),
            file_name="left-out.csv",
            mime="text/csv",
            key=f"refused-{key}",
        )


def left_out(count: int, total: int, reasons: Sequence[str], were: str, of: str = "rows") -> str:
    """One line on rows that were left out, with the most frequent reason: "11 of 267 rows were left out: ..."."""
    often = Counter(reasons).most_common(2)
    why = f": {often[0][0].rstrip('.')}" if often else ""
    more = " and other reasons" if len(often) > 1 else ""
    return f"{count:,} of {total:,} {of} {were} left out{why}{more}"


def refusals_of(files: Sequence[Mapping[str, Any]], listed: Sequence[Sequence[str]]) -> None:
    """What was left out when the files of a version came in."""
    for file in files:
        refusals = file.get("refusals")
        if isinstance(refusals, list) and refusals:
            count, source = int(file["refused"]), file["source"]
            total = count + int(file.get("accepted", 0))
            reasons = [reason for _, reason in refusals]
            with st.expander(
                literal(left_out(count, total, reasons, "were", f"rows of {source}")),
                icon=":material/playlist_remove:",
            ):
                widgets.dataframe(
                    refusals, ["where", "why"], height=widgets.full_height(len(refusals), 220)
                )
    if listed:
        label = left_out(
            len(listed), len(listed) + len(files), [why for _, why in listed], "were", "files"
        )
        with st.expander(literal(label), icon=":material/playlist_remove:"):
            widgets.dataframe(listed, ["file", "why"])
