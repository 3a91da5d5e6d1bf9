"""Documents to be graded blind: no list, no column, one question and one document at a time.

A sample is what nobody judged of an evaluation; which documents are drawn is search.evaluation.labels.unjudged's. A pool is
what several columns show first for the questions of a project (see `search.judging.pooling`): what one person graded of it,
another need not. Grades are kept as all others are, and an evaluation is given them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.corpus.labels import query_id
from search.evaluation.evaluation import load_evaluation, newest_evaluation
from search.evaluation.query_sets.query_set import current_query_set
from search.judging.aggregation import Grades
from search.judging.store import JudgmentStore, Question
from search.judging.votes import grade
from search.projects.errors import Refused
from search.projects.project import Project
from search.retrieval.columns import column_title

_SETTING = "sample"


@dataclass(frozen=True)
class Sample:
    """What is to be graded: the columns it was drawn from, and questions with a document each, in their order.

    `pooled` says that it is a pool.

    >>> sample = Sample(("generic", "mine"), [("q1", "rent", "a"), ("q2", "frost", "b")])
    >>> sample.left({"q1": {"a": 0}})
    [('q2', 'frost', 'b')]
    """

    columns: tuple[str, ...]
    items: list[tuple[str, str, str]]
    pooled: bool = False

    def left(self, graded: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str, str]]:
        """Question, its text and document of what has no grade yet.

        :param graded: question to document to grade.
        """
        return [item for item in self.items if item[2] not in graded.get(item[0], {})]


def line_up_sample(project: Project, columns: Sequence[str] = ()) -> Sample | None:
    """Line up what the newest evaluation wants graded: 40 documents to begin with, 160 at most.

    :param columns: two columns that were compared; none for the first comparison that is not settled, else the last.
    :returns: None where nothing is left: what only one side has in its first ten is judged, or was graded.
    :raises Refused: where nothing was measured, or these two were not compared.
    """
    manifest = newest_evaluation(project)
    if manifest is None:
        raise Refused(
            f"Nothing was measured yet, so it is not known what to grade: python cli.py evaluate {project.name}."
        )
    sides = load_evaluation(project, manifest).unjudged
    if columns:
        sides = [side for side in sides if {side.baseline, side.candidate} == set(columns)]
        if not sides:
            raise Refused(
                f"{' and '.join(map(column_title, columns))} were not compared in the newest evaluation. Measure them: python "
                f"cli.py evaluate {project.name} {' '.join(f'--model {name}' for name in columns)}."
            )
    lacking = [side for side in sides if side.to_grade]
    if not lacking:
        return None
    side = next((side for side in lacking if side.settled is False), lacking[-1])
    _, query_set = current_query_set(project)
    store = JudgmentStore.of(project)
    known = {question.id: question.text for question in store.questions()}
    items, asked = [], []
    for query, document in side.to_grade:
        text = query_set.queries[query]
        # An earlier query set may have had another question under this id.
        identity = query if known.get(query, text) == text else query_id(text)
        asked.append(Question(identity, text, "query set"))
        items.append((identity, text, document))
    store.ask(asked)
    sample = Sample((side.baseline, side.candidate), items)
    keep_sample(store, sample)
    return sample


def keep_sample(store: JudgmentStore, sample: Sample) -> None:
    """Line up what is to be graded, in place of what was."""
    store.set(_SETTING, json.dumps([sample.columns, sample.items, sample.pooled]))


def current_sample(project: Project) -> Sample | None:
    """What is lined up; None before anything was."""
    said = JudgmentStore.of(project).setting(_SETTING, "")
    if not said:
        return None
    columns, items, *pooled = json.loads(said)  # Of before there were pools, it says of none.
    return Sample(tuple(columns), [(q, text, d) for q, text, d in items], any(pooled))


def graded_by(project: Project, judge: str | None) -> dict[str, dict[str, int]]:
    """What one judge graded, or anybody: question to document to grade."""
    standing = JudgmentStore.of(project).standing()
    return Grades.of(one for one in standing if judge in (one.judge, None)).judgments()


def grade_next(project: Project, judge: str, item: tuple[str, str, str], value: int) -> None:
    """Keep a grade of a document of the sample.

    :raises Refused: for a grade that there is not.
    """
    grade_all(project, judge, [item], value)


def grade_all(
    project: Project, judge: str, items: Sequence[tuple[str, str, str]], value: int
) -> None:
    """Keep one grade of several documents, all or none; of a pool, who put them there is noted.

    :raises Refused: for a grade that there is not.
    """
    sample = current_sample(project)
    facts = {"columns": list(sample.columns)} if sample is not None and sample.pooled else {}
    JudgmentStore.of(project).add(
        grade(judge, question, document, value, details=facts) for question, _, document in items
    )


def undo_last(project: Project, judge: str) -> None:
    """Take back the last thing that a judge said."""
    JudgmentStore.of(project).undo(judge)


def grades_by_text(project: Project) -> dict[str, dict[str, int]]:
    """All that people graded, by the text of the question: what an evaluation is given."""
    store = JudgmentStore.of(project)
    texts = {question.id: question.text for question in store.questions()}
    made: dict[str, dict[str, int]] = {}
    for question, graded in Grades.of(store.standing()).judgments().items():
        if question in texts:
            made.setdefault(texts[question], {}).update(graded)
    return made
