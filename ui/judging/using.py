"""What judgments are good for: a query set to measure on, pairs to train on, files to take away."""

from functools import partial

import streamlit as st

from search.corpus.readers.grades import UnclearGrades
from search.corpus.readers.judged import JudgedColumns
from search.judging.aggregation import Combine, Grades
from search.judging.import_export import as_csv, as_qrels, as_queries, import_judgments
from search.judging.store import JudgmentStore
from search.judging.to_query_set import judged_queries, pool
from search.judging.votes import RELEVANT
from search.projects import audit
from search.projects.errors import BespokeError
from search.projects.project import Project
from ui import navigation, reading, run_view, uploads, widgets
from ui.rendering import literal

_COMBINE = {
    Combine.MEDIAN: "the middle grade (of two, the lower)",
    Combine.MAJORITY: "the most frequent grade (of several, the lowest)",
    Combine.STRICT: "the lowest grade that anybody gave",
}


def use(project: Project) -> None:
    """Draw the part."""
    run = run_view.latest(project, ["judgments"])
    if run_view.watched(run):
        return
    if run is not None and st.session_state.get("judge-run") == run.id:
        run_view.ended(run)
        if run.status.state == "done":
            navigation.step("Measure on it", "evaluate", "judge-to-evaluate")
    marks = JudgmentStore.of(project).standing()
    if not marks:
        widgets.empty(
            "Nothing to use yet",
            "Grade documents from 0 to 3 while you judge, or bring judgments in.",
        )
    else:
        _make(project, Grades.of(marks))
        _take_away(project)
    _bring_in(project)


def _make(project: Project, grades: Grades) -> None:
    how = Combine.MEDIAN
    if len({judge for said in grades.by_document.values() for judge in said}) > 1:
        how = st.selectbox(
            "Where several judges graded a document, count",
            list(_COMBINE),
            format_func=_COMBINE.__getitem__,
            key="judge-combine",
        )
    judged = judged_queries(project, how)
    relevant = [q for q in judged.queries if judged.relevant(q)]
    good = sum(g >= RELEVANT for graded in judged.judgments.values() for g in graded.values())
    rejected = sum(g == 0 for graded in judged.judgments.values() for g in graded.values())
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        st.header("A query set, to measure on", anchor=False)
        st.markdown(
            f"{widgets.counted(len(relevant), 'question has', 'questions have')} a document graded 1 to 3."
        )
        st.caption(literal(_sentence(pool(project, relevant).note)))
        merge = project.newest("queries") is not None and st.toggle(
            "Keep the queries of the present query set, too", key="judge-merge"
        )
        if st.button(
            "Make a query set", type="primary", key="judge-queries", disabled=not relevant
        ):
            _run(project, ["--to-queries", *(["--merge"] if merge else [])], how)
    with right.container(border=True, height="stretch"):
        st.header("Pairs, to train on", anchor=False)
        st.markdown(
            f"{widgets.counted(good, 'document')} graded 2 or 3 as answers, "
            f"{widgets.counted(rejected, 'document')} graded 0 as hard negatives."
        )
        st.caption(
            "What is tested on is not trained on: questions and answers of the query set make no pairs. Divided, "
            "half of the judged questions test and the others train; those that are alike stay together."
        )
        if st.button("Make pairs", key="judge-pairs", disabled=not good):
            _run(project, ["--to-pairs"], how)
        if st.button("Divide: half to test, half to train", key="judge-divide", disabled=not good):
            _run(project, ["--to-queries", "--to-pairs"], how)


def _run(project: Project, arguments: list[str], how: Combine) -> None:
    words = ["judgments", project.name, *arguments, "--combine", how.value]
    run_view.start(project, words, "judge-run")


def _take_away(project: Project) -> None:
    st.header("Take them away", anchor=False)
    name = uploads.safe_name(f"{project.name}.x").removesuffix(".x")
    for box, (label, made, ending, kind, key) in zip(
        st.columns(3),
        (
            ("All votes and grades (CSV)", as_csv, "-judgments.csv", "text/csv", "csv"),
            ("Grades (TREC qrels)", as_qrels, ".qrels", "text/plain", "qrels"),
            ("Questions (JSONL)", as_queries, "-queries.jsonl", "application/jsonl", "jsonl"),
        ),
        strict=True,
    ):
        box.download_button(
            label, audit.noted(project.name, label, partial(made, project)), f"{name}{ending}", kind,
            key=f"judge-{key}", width="stretch", on_click="ignore",
        )  # fmt: skip


def _bring_in(project: Project) -> None:
    with st.expander("Bring judgments in"):
        st.caption(
            "A CSV as it is downloaded here, a table of query, document id and grade, or qrels for questions that this "
            "project knows."
        )
        left, right = st.columns(2)
        upload = left.file_uploader(
            "Judgments",
            type=["csv", "qrels", "txt", "tsv", "json", "jsonl", "xlsx", "parquet"],
            key=f"judge-upload-{project.name}",
        )
        judge = right.text_input("Who gave the grades (for qrels)", key="judge-upload-name")
        if upload is None:
            return
        path = uploads.saved(project, upload)
        asked = st.session_state.get(f"asked-{path}", ())
        if asked:
            reading.choose_meanings(path, asked, {})
        if st.button("Bring them in", type="primary", key="judge-import"):
            columns = JudgedColumns(grades=reading.rules(path))
            try:
                made = import_judgments(project, path, judge, columns=columns)
            except UnclearGrades as error:
                st.warning(literal(error), icon=":material/help:")
                if not asked:
                    st.session_state[f"asked-{path}"] = error.values
                    reading.choose_meanings(path, error.values, {})
                return
            except BespokeError as error:
                st.error(literal(error))
                return
            st.success(f"{widgets.counted(made.judgments, 'judgment')} came in.")
            for note in made.notes:
                st.info(literal(_sentence(note)), icon=":material/info:")


def _sentence(note: str) -> str:
    return note[0].upper() + note[1:] + "."
