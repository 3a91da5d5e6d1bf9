"""Projects and models get other names in one step, and what names the former ones finds them."""

from contextlib import suppress

import pytest

from search.evaluation.evaluation import verdict_on
from search.models.registry import find_model, models, rename_model
from search.projects import graves, renaming
from search.projects.errors import Refused
from search.projects.project import Project, project, project_to_be, projects
from search.projects.renaming import current_name, rename_project
from search.projects.runs import new_run, owned_run, runs, stopped_run
from search.retrieval.columns import chosen_columns


@pytest.fixture
def lab():
    made = project_to_be("lab").create()
    with made.publish("models") as draft:
        draft.details.update(
            name="mine", recipe="word2vec", dimension=2, origin="here", format="word-vectors"
        )
    return made


def test_a_renamed_project_is_found_by_both_names_until_another_takes_the_former(lab):
    identity = lab.newest("models").id
    renamed = rename_project(lab, "clinic")
    assert [(p.name, p.info.name) for p in projects()] == [("clinic", "clinic")]
    assert renamed.newest("models").id == identity
    assert (current_name("lab"), current_name("clinic"), current_name("other")) == (
        "clinic", "clinic", "other",
    )  # fmt: skip
    with pytest.raises(
        Refused, match="There is no project 'lab' any more: it is called 'clinic' now"
    ):
        project("lab")
    rename_project(renamed, "ward")
    assert (current_name("lab"), current_name("clinic")) == ("ward", "ward")
    project_to_be("lab").create()
    assert current_name("lab") == "lab"
    rename_project(project("ward"), "clinic")
    assert project("clinic").info.former_names == ["lab", "ward"]


def test_a_name_that_is_taken_or_none_and_work_that_goes_on_are_refused(lab):
    project_to_be("other").create()
    for name, why in (
        ("other", "There is a project 'other' already"),
        ("../x", "cannot name"),
        ("lab", "already"),
    ):
        with pytest.raises(Refused, match=why):
            rename_project(lab, name)
    run, owner = owned_run(lab, ["train", "lab"])
    with pytest.raises(Refused, match=r"cli.py train lab goes on in 'lab'"):
        rename_project(lab, "clinic")
    run.write(run.read().ended("done"))
    owner.release()
    assert rename_project(lab, "clinic").exists
    with pytest.raises(Refused, match="is called 'clinic' now"):
        rename_project(lab, "again")


class Killed(BaseException):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("after", range(4))
def test_a_project_is_there_under_one_name_wherever_its_renaming_is_killed(lab, monkeypatch, after):
    identity = lab.newest("models").id
    changes = iter(range(after))

    def counted(real):
        def change(*args, **kwargs):
            if next(changes, None) is None:
                raise Killed
            return real(*args, **kwargs)

        return change

    with monkeypatch.context() as patch:
        for owner, name in ((Project, "change"), (renaming, "flush"), (renaming.audit, "note")):
            patch.setattr(owner, name, counted(getattr(owner, name)))
        with suppress(Killed):
            rename_project(lab, "clinic")
    [only] = projects()
    assert only.name in ("lab", "clinic")
    assert only.newest("models").id == identity
    if only.name == "lab":
        assert rename_project(only, "clinic").info.former_names == ["lab"]


def test_a_renamed_model_is_found_by_all_its_names_and_nobody_else_gets_them(lab, monkeypatch):
    identity = lab.newest("models").id
    assert rename_model(lab, "mine", "letters").id == identity
    rename_model(lab, "mine", "letters-2")
    assert [info.name for info in models(lab)] == ["generic", "letters-2"]
    for name in ("mine", "letters", "letters-2"):
        assert find_model(lab, name).id == identity
        assert chosen_columns(lab, [name])[0].name == name, "votes and addresses say the former one"
    for name in ("mine", "letters", "letters-2", "generic", "bm25"):
        with pytest.raises(Refused, match="is taken"):
            rename_model(lab, "letters-2", name)
    with pytest.raises(Refused, match="comes with Bespoke"):
        rename_model(lab, "generic", "x")
    with pytest.raises(Refused, match="cannot name"):
        rename_model(lab, "mine", "a/b")
    graves.bury(lab, [f"models/{identity}"])
    assert lab.info.model_names == {}


def test_an_evaluation_from_before_is_a_verdict_on_the_model_by_its_new_name(lab):
    model = lab.newest("models")
    corpus, queries = _empty(lab, "corpora"), _empty(lab, "queries")
    test = {
        "baseline": "generic", "candidate": "mine", "metric": "ndcg@10", "delta": 0.1, "ci95": [0.05, 0.15],
        "p_value": 0.01, "wins": 5, "ties": 1, "losses": 0, "verdict": "better",
    }  # fmt: skip
    with lab.publish(
        "evaluations", {"corpus": corpus, "queries": queries, "model:mine": model.id}
    ) as draft:
        draft.details.update(comparisons=[test], queries=6, fingerprints={}, models=["mine"])
    assert verdict_on(lab, "mine")[0].delta == 0.1
    rename_model(lab, "mine", "letters")
    assert verdict_on(lab, "letters")[0].delta == 0.1


def _empty(lab, kind):
    with lab.publish(kind):
        pass
    return lab.newest(kind).id


def test_a_stopped_training_of_a_renamed_project_goes_on_under_the_new_name(lab):
    run = new_run(lab, ["train", "lab", "--recipe", "word2vec"])
    run.checkpoints.mkdir()
    run.write(run.read().ended("cancelled"))
    [renamed] = runs(rename_project(lab, "clinic"))
    assert renamed.arguments == ["train", "clinic", "--recipe", "word2vec"]
    assert stopped_run(project("clinic")).id == run.id
    [again] = runs(rename_project(project("clinic"), "lab"))
    assert again.arguments == ["train", "lab", "--recipe", "word2vec"]
