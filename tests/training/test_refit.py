"""A winner trained once more: the same steps from everything, measured by nothing, and taken in place of what it came from."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from search.corpus.labels import Pair
from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import newest_evaluation
from search.evaluation.ledger.sealing import seal_queries
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.evaluation.query_sets.trained_on import trained_pairs
from search.models.load import load_encoder
from search.models.registry import default_models, find_model
from search.projects.errors import Refused
from search.projects.project import project, project_to_be
from training import refit as making
from training.data.intake import import_beir
from training.data.pair_sets import current_pairs
from training.export.card import model_card
from training.export.export import export
from training.interpolation.publish import blend
from training.refit import refit
from training.refit_plan import PLAN, PlannedStep, averaged_plan, plan_facts, plan_of, with_share
from training.train import train
from training.training_data import load_training_data

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {
    "adapter": {"learning_rate": "0.02", "epochs": "4", "batch_size": "16"},
    "fine-tune": {"learning_rate": "1e-3", "epochs": "2", "batch_size": "16"},
    # What is scratched, or packaged, knows these made-up words as well as it ever will.
    "static": {
        "start": "distilled",
        "vector_size": 8,
        "epochs": 20,
        "batch_size": 16,
        "learning_rate": 0.01,
    },
}
TEXTS = ["what helps against velkorin in the hand", "the registrar files a summons"]


@pytest.fixture
def lab(workspace, tiny_beir):
    home = project_to_be("lab")
    import_beir(home, tiny_beir)
    return home


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the project with a refit waits for the tests that look at it."""
    return tmp_path_factory.mktemp("refit")


def trained(lab, recipe, tiny_model):
    train(lab, recipe, "mine", {**SETTINGS[recipe], "base": str(tiny_model)})
    return lab.artifact("models", find_model(lab, "mine").id)


def win(lab, delta=0.125, verdict="better"):
    """An evaluation in which "mine" came out so."""
    evaluate(lab, ["bm25", "mine"])
    manifest = newest_evaluation(lab)
    won = {"baseline": "generic", "delta": delta, "verdict": verdict}
    tests = [{**manifest.details["comparisons"][0], **won}]
    with lab.publish("evaluations", manifest.made_from) as draft:
        draft.details.update({**manifest.details, "comparisons": tests})


@pytest.mark.parametrize(
    "recipe",
    ["adapter", *(pytest.param(name, marks=pytest.mark.slow) for name in ("fine-tune", "static"))],
)
def test_from_the_same_pairs_the_same_model_comes_again(lab, tiny_model, monkeypatch, recipe):
    """All that was chosen stands in the plan: epoch, share, negatives, learning rate."""
    source = trained(lab, recipe, tiny_model)
    (step,) = plan_of(source.details)
    assert (step.recipe, 0 < step.updates <= step.planned, 0 < step.share <= 1) == (
        recipe,
        True,
        True,
    )
    win(lab)
    monkeypatch.setattr(making, "_everything", load_training_data)
    refit(lab, "mine", "again")
    one, other = (load_encoder(lab, find_model(lab, name)) for name in ("mine", "again"))
    np.testing.assert_allclose(one.encode_query(TEXTS), other.encode_query(TEXTS), atol=1e-6)
    np.testing.assert_allclose(one.encode_document(TEXTS), other.encode_document(TEXTS), atol=1e-6)


@pytest.fixture
def again(workspace, kept, tiny_beir, tiny_model):
    """The project "lab" with the winner "mine" and "mine-refit", made once."""
    if not (kept / "lab").exists():
        home = project_to_be("lab")
        import_beir(home, tiny_beir)
        trained(home, "adapter", tiny_model)
        win(home)
        refit(home, "mine")
        shutil.copytree(home.folder, kept / "lab")
    elif not (workspace / "lab").exists():
        shutil.copytree(kept / "lab", workspace / "lab")
    return project("lab")


def test_it_learns_from_everything_and_says_what_its_recipe_measured(again):
    lab = again
    pairs = current_pairs(lab)[1]
    test = current_query_set(lab)[1]
    asked = {p.query for p in trained_pairs(lab, find_model(lab, "mine-refit"))}
    assert asked == {p.query for p in pairs.pairs} | {
        *test.queries.values(),
        *pairs.dev.queries.values(),
    }
    made = lab.artifact("models", find_model(lab, "mine-refit").id)
    assert made.details["pairs"] == 60 + 8 + 20
    assert made.details["refit_of"] == {
        "model": find_model(lab, "mine").id,
        "name": "mine",
        "baseline": "generic",
        "metric": "ndcg@10",
        "delta": 0.125,
        "queries": 20,
    }
    assert made.details["notes"][0] == (
        "Not measured itself: it is mine trained once more, from all pairs, test and dev included. Its recipe measured "
        "+0.125 ndcg@10 against generic on 20 held-out queries (one training)."
    )
    assert "dev" not in made.details
    assert made.made_from["queries"] == lab.newest("queries").id
    one, other = (load_encoder(lab, find_model(lab, name)) for name in ("mine", "mine-refit"))
    assert not np.allclose(one.encode_query(TEXTS), other.encode_query(TEXTS), atol=1e-4)


def test_what_is_sealed_teaches_nothing(lab):
    """Nor does a pair that asks the same as a sealed query."""
    test = current_query_set(lab)[1]
    seal_queries(lab, 0.7, ())
    manifest, left = current_query_set(lab)
    sealed = set(test.queries) - set(left.queries)
    assert len(sealed) >= 6
    pairs = current_pairs(lab)[1]
    told = Pair(test.queries[min(sealed)] + "?!", "an answer", "d3")
    with lab.publish("pairs", {"corpus": lab.newest("corpora").id}, seed=None) as draft:
        replace(pairs, pairs=[*pairs.pairs, told]).save(draft)
    asked = {pair.query for pair in making._everything(lab).guarded.pairs}
    assert asked >= set(left.queries.values())
    assert not asked & {*(test.queries[q] for q in sealed), told.query}
    with_sealed = QuerySet.with_sealed(lab, manifest)
    assert len(with_sealed.queries) == 20


def test_nothing_here_can_measure_it(again):
    lab = again
    assert [info.name for info in default_models(lab)][1:] == ["mine"], "not what is measured next"
    for names in (["bm25", "mine-refit"], ["bm25", "hybrid:mine-refit"]):
        with pytest.raises(
            Refused, match="'mine-refit' learned from these very queries: it is 'mine'"
        ):
            evaluate(lab, names)
    with pytest.raises(Refused, match="learned from its dev queries, too"):
        blend(lab, "mine-refit")
    with pytest.raises(Refused, match="could be neither steered nor measured"):
        train(lab, "adapter", "more", {"base": "mine-refit"})
    with pytest.raises(Refused, match="trained once more on everything already"):
        refit(lab, "mine-refit")
    with lab.publish(
        "queries", {"corpus": lab.newest("corpora").id}, question="new_questions"
    ) as draft:
        QuerySet({"new": "an entirely new question"}, {"new": {"d3": 1}}).save(draft)
    assert evaluate(lab, ["bm25", "mine-refit"]).queries == ["new"], "what it never saw can"


def test_export_and_search_take_it_and_say_so(again, call_cli, tmp_path):
    lab = again
    note, _ = export(lab, "mine", tmp_path / "once-more")
    assert note.startswith("Taken is mine-refit, which is mine trained once more on everything")
    card = (tmp_path / "once-more" / "README.md").read_text()
    assert "Not measured itself: it is mine trained once more" in card
    (agreed,) = export(lab, "mine", tmp_path / "itself", measured=True)
    assert agreed.startswith("Loaded again")
    assert "+0.125" in model_card(lab, find_model(lab, "mine"))
    done = call_cli("search", "lab", "velkorin", "--json")
    assert list(json.loads(done.out)["results"]) == ["generic", "mine-refit"]
    assert "mine-refit is mine trained once more on everything" in done.err
    done = call_cli("search", "lab", "velkorin", "--model", "mine", "--json")
    assert list(json.loads(done.out)["results"]) == ["mine"]
    assert "mine-refit" not in done.err


def test_only_a_winner_is_trained_once_more(lab, tiny_model, call_cli):
    with pytest.raises(Refused, match="'generic' was not trained here"):
        refit(lab, "generic")
    source = trained(lab, "adapter", tiny_model)
    with pytest.raises(
        Refused, match=r"not measured .* yet.*python cli\.py evaluate lab --model gen"
    ):
        refit(lab, "mine")
    win(lab, 0.01, "no clear difference")
    with pytest.raises(Refused, match=r"'mine' is no winner: against generic it measured \+0\.010"):
        refit(lab, "mine")
    assert call_cli("train", "lab").status == 2
    done = call_cli("train", "lab", "--recipe", "adapter", "--refit", "mine")
    assert (done.status, "goes without --recipe" in done.err) == (2, True)
    details = {key: value for key, value in source.details.items() if key != PLAN}
    with lab.publish("models", source.made_from) as draft:
        draft.details.update({**details, "name": "old"})
        for path in lab.folder_of(source).iterdir():
            if path.name != "manifest.json":
                (draft.folder / path.name).write_bytes(path.read_bytes())
    evaluate(lab, ["bm25", "old"])
    manifest = newest_evaluation(lab)
    tests = [{**manifest.details["comparisons"][0], "verdict": "better", "delta": 0.1}]
    with lab.publish("evaluations", manifest.made_from) as draft:
        draft.details.update({**manifest.details, "comparisons": tests})
    with pytest.raises(Refused, match="What was chosen in training 'old' is not known"):
        refit(lab, "old")


def test_a_blend_is_trained_once_more_as_far_as_it_went():
    first = PlannedStep("fine-tune", {}, 4, 8, 1.0)
    last = PlannedStep("adapter", {}, 3, 9, 1.0, "batch")
    facts = with_share(plan_facts(first, last), 0.25)
    assert [step.share for step in plan_of(facts)] == [1.0, 0.25]
    assert with_share({}, 0.25) == {}


def test_of_several_members_the_middle_is_followed():
    plans = [
        [PlannedStep("adapter", {"seed": 1}, updates, 20, share, kind)]
        for updates, share, kind in ((4, 1.0, "batch"), (9, 0.5, "corpus"), (6, 0.75, "corpus"))
    ]
    assert averaged_plan(plans) == [PlannedStep("adapter", {"seed": 1}, 6, 20, 0.75, "corpus")]


@pytest.mark.slow
def test_what_auto_put_together_is_made_in_its_order(lab, tiny_model, monkeypatch):
    """An adapter on a fine-tuning: the second step sees what the first one made."""
    base = {"base": str(tiny_model)}
    train(lab, "fine-tune", "tuned", {**SETTINGS["fine-tune"], **base})
    source = trained(lab, "adapter", tiny_model)
    first = plan_of(lab.artifact("models", find_model(lab, "tuned").id).details)
    steps = first + plan_of(source.details)
    details = {key: value for key, value in source.details.items() if key != "place"}
    details |= {
        "recipe": "auto",
        "settings": {"minutes": 1, "seed": 42, **base},
        "name": "mine-two",
    }
    with lab.publish("models", source.made_from) as draft:
        draft.details.update({**details, **plan_facts(*steps)})
        for path in lab.folder_of(source).iterdir():
            if path.name != "manifest.json":
                (draft.folder / path.name).write_bytes(path.read_bytes())
    win(lab)
    manifest = newest_evaluation(lab)
    tests = [{**manifest.details["comparisons"][0], "candidate": "mine-two"}]
    with lab.publish("evaluations", manifest.made_from) as draft:
        draft.details.update({**manifest.details, "comparisons": tests})
    monkeypatch.setattr(making, "_everything", load_training_data)
    made = refit(lab, "mine-two")
    stored = lab.artifact("models", made.id)
    assert stored.details["format"] == "sentence-transformer", "whole: its base is nobody's model"
    tuned, whole = (load_encoder(lab, find_model(lab, n)) for n in ("tuned", made.name))
    assert not np.allclose(tuned.encode_query(TEXTS), whole.encode_query(TEXTS), atol=1e-3)
