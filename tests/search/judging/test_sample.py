"""A sample of what nobody judged: lined up, graded, and given to the next evaluation."""

import pytest

from search.evaluation.evaluate import Extras, evaluate
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.judging.sample import (
    current_sample,
    grade_next,
    graded_by,
    grades_by_text,
    line_up_sample,
)
from search.judging.store import JudgmentStore
from search.projects.errors import Refused
from search.projects.project import Project
from training.data.intake import import_beir
from training.train import train


@pytest.fixture
def project(tmp_path, tiny_beir):
    made = Project(tmp_path / "workspace" / "p")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"vector_size": 16, "min_count": 1, "epochs": 1})
    return made


def test_a_sample_is_drawn_graded_and_counts_in_the_next_evaluation(project):
    with pytest.raises(Refused, match="Nothing was measured yet"):
        line_up_sample(project)
    (side,) = evaluate(project, ["bm25", "words"]).unjudged
    assert (side.settled, side.estimate, len(side.to_grade)) == (None, None, 40)
    sample = line_up_sample(project)
    assert sample.columns == ("bm25", "words")
    assert current_sample(project) == sample
    assert [(text, document) for _, text, document in sample.items] == [
        (current_query_set(project)[1].queries[query], document)
        for query, document in side.to_grade
    ]
    for item in sample.items:
        grade_next(project, "anna", item, 0)
    grade_next(project, "berta", sample.items[0], 3)
    assert sample.left(graded_by(project, "anna")) == []
    assert sample.left(graded_by(project, "berta")) == sample.items[1:]
    # Two judges: the lower grade holds.
    assert {g for graded in grades_by_text(project).values() for g in graded.values()} == {0}
    extras = Extras(grades=grades_by_text(project))
    (again,) = evaluate(project, ["bm25", "words"], extras=extras).unjudged
    assert sum(again.estimate.graded) == 40
    assert again.estimate.relevant == (0, 0)
    assert again.settled is (again.estimate.verdict == again.verdict)
    assert len(again.to_grade) == 40, "80 are lined up now, 40 of them graded"
    more = line_up_sample(project, ["words", "bm25"])
    assert not {item[0::2] for item in more.items} & {item[0::2] for item in sample.items}


def test_what_cannot_be_lined_up_is_refused(project):
    evaluate(project, ["bm25", "words"])
    with pytest.raises(Refused, match="Keyword search and Generic were not compared"):
        line_up_sample(project, ["bm25", "generic"])
    with project.publish("queries", {"corpus": project.newest("corpora").id}) as draft:
        QuerySet({"q": "velkorin"}, {"q": {f"d{n}": int(n == 0) for n in range(40)}}).save(draft)
    evaluate(project, ["bm25", "words"])
    assert line_up_sample(project) is None, "all is judged"
    assert current_sample(project) is None


def test_a_question_whose_id_had_another_text_gets_an_id_of_its_own(project):
    from search.judging.store import Question

    first = next(iter(evaluate(project, ["bm25", "words"]).unjudged[0].to_grade))[0]
    JudgmentStore.of(project).ask([Question(first, "another question", "typed")])
    sample = line_up_sample(project)
    assert all(item[0] != first for item in sample.items)
    grade_next(project, "anna", sample.items[0], 2)
    assert grades_by_text(project) == {sample.items[0][1]: {sample.items[0][2]: 2}}
