"""A sample of what nobody judged: lined up on Evaluate, graded on Judge, one document at a time."""

from pathlib import Path

from app_help import TINY, labels, markup, open_page, press, run, shown

from search.evaluation.evaluate import Extras, evaluate
from search.evaluation.query_sets.query_set import current_query_set
from search.judging.sample import current_sample, graded_by
from search.projects.project import Project


def test_from_the_verdict_to_the_sample_and_its_end(evaluated: Project) -> None:
    at = open_page("evaluate", TINY)
    assert "if what nobody labelled is wrong" in shown(at)
    assert "Grade 40 documents" in labels(at)
    press(at, "line-up-sample")
    sample = current_sample(evaluated)
    assert sample is not None and len(sample.items) == 40
    at = open_page("judge", TINY, judge="Anna")
    at.button_group(key=f"judge-part-{TINY}").set_value("sample")
    run(at)
    assert "0 of 40 documents graded" in shown(at)
    assert sample.items[0][1] in shown(at)
    assert "words-2" not in shown(at), "nothing tells whose document it is"
    press(at, "sample-grade-0")
    press(at, "sample-grade-3")
    assert "2 of 40 documents graded" in shown(at)
    said = graded_by(evaluated, "Anna")
    assert [said[q][d] for q, _, d in sample.items[:2]] == [0, 3]
    press(at, "sample-undo")
    assert sample.left(graded_by(evaluated, "Anna")) == sample.items[1:]


def test_without_a_sample_the_page_has_no_such_part(evaluated: Project) -> None:
    at = open_page("judge", TINY, judge="Anna")
    assert "sample" not in at.button_group(key=f"judge-part-{TINY}").options


def test_a_run_of_another_search_stands_on_the_page_as_a_column(
    evaluated: Project, tmp_path: Path
) -> None:
    _, query_set = current_query_set(evaluated)
    lines = [f"{query} Q0 d{n} {n} {-n} x" for query in query_set.queries for n in range(12)]
    (tmp_path / "today.run").write_text("\n".join(lines), encoding="utf-8")
    extras = Extras(runs={"today": tmp_path / "today.run"})
    evaluate(evaluated, ["generic", "words-2", "bm25"], extras=extras)
    at = open_page("evaluate", TINY)
    assert "today" in markup(at)
