"""Members of auto: who learns from what, what they are measured by together, and their average."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from search.evaluation.query_sets.query_set import QuerySet
from search.models.linear_adapter import LinearAdapter, with_adapter
from search.projects.progress import silent
from training import refit
from training.auto.fitting import Fitted
from training.auto.folds import (
    all_dev_queries,
    averaged,
    facts_of,
    merged,
    narrowed,
    split_into_folds,
)
from training.auto.member import asked, members_of
from training.auto.recipe import _score_of
from training.auto.settings import AutoSettings
from training.base_model import load_base_model
from training.dev_set import DevSet
from training.embeddings import document_vectors
from training.fine_tune.settings import FineTuneSettings
from training.refit_plan import plan_of
from training.result import Request
from training.training_data import load_training_data
from training.weight_interpolation import PLACE


@pytest.fixture
def material(tiny):
    return load_training_data(tiny, strict=True)


def _asked(part, material):
    """What a member is asked beside the dev queries that there were."""
    return set(part.dev.query_set.queries.values()) - set(material.dev.query_set.queries.values())


# --- who learns from what ---


def test_each_member_has_other_pairs_held_out_and_learns_from_all_the_rest(material):
    parts = split_into_folds(material)
    pairs = {pair.query for pair in material.guarded.pairs}
    assert len(parts) == 3
    for part in parts:
        held = _asked(part, material)
        assert 5 <= len(held) <= 0.25 * len(pairs)
        assert set(material.dev.query_set.queries) < set(part.dev.query_set.queries)
        learned = {pair.query for pair in part.guarded.pairs}
        assert not learned & held
        assert learned | held == pairs
        answers = {d for q in part.dev.query_set.queries for d in part.dev.query_set.relevant(q)}
        assert not answers & {pair.document for pair in part.guarded.pairs}
    first, second, third = (_asked(part, material) for part in parts)
    assert not first & second
    assert not first & third
    assert not second & third
    own = len(material.dev.query_set.queries)
    assert len(all_dev_queries(parts).queries) == own + len(first) + len(second) + len(third)


def test_members_are_asked_what_the_test_asks(tiny, material):
    """For new questions, what is held out of one member's pairs may ask for documents that it learns from."""
    loose = load_training_data(tiny)
    assert (loose.question, material.question) == ("new_questions", "new_documents")
    crossing = 0
    for part in split_into_folds(loose):
        held = _asked(part, loose)
        learned = {pair.query for pair in part.guarded.pairs}
        assert held and not learned & held
        answers = {d for q in part.dev.query_set.queries for d in part.dev.query_set.relevant(q)}
        crossing += len(answers & {pair.document for pair in part.guarded.pairs})
    assert crossing


def test_the_same_pairs_are_parted_in_the_same_way_again(material):
    once, again = split_into_folds(material), split_into_folds(material)
    assert [part.guarded.pairs for part in once] == [part.guarded.pairs for part in again]


def test_a_pair_that_is_held_out_to_choose_by_is_judged_by_all_grades(material):
    ids = material.corpus.ids()
    answers: dict[str, list[str]] = {}
    for pair in material.guarded.pairs:
        answers.setdefault(pair.query, []).append(pair.document)
    lesser = {query: ids[(ids.index(known[0]) + 7) % 40] for query, known in answers.items()}
    grades = {q: dict.fromkeys(known, 3) | {lesser[q]: 1} for q, known in answers.items()}
    for chosen in split_into_folds(replace(material, grades=grades)):
        held = chosen.dev.query_set
        new = [q for q in held.queries if q not in material.dev.query_set.queries]
        assert len(new) >= 5
        for query in new:
            assert held.judgments[query] == grades[held.queries[query]]
        learned = {pair.document for pair in chosen.guarded.pairs}
        assert learned, "something is left to learn from"
        assert not learned & {d for q in new for d in held.relevant(q)}


def test_many_dev_queries_are_enough_for_one(material, monkeypatch):
    monkeypatch.setattr("training.auto.folds.ENOUGH", 8)
    (alone,) = split_into_folds(material)
    assert alone is material


def test_of_many_pairs_some_are_held_out_once(material, monkeypatch):
    three = split_into_folds(material)
    monkeypatch.setattr("training.auto.folds.FEW", len(material.guarded.pairs))
    (one,) = split_into_folds(material)
    assert one.guarded.pairs == three[0].guarded.pairs
    assert one.dev.query_set == three[0].dev.query_set


def test_mined_pairs_are_not_parted(material):
    mined = replace(material, synthetic=True)
    assert split_into_folds(mined) == [mined]


# --- what they are measured by ---


def test_pools_are_as_large_as_the_minutes_allow(material, monkeypatch):
    monkeypatch.setattr("training.auto.folds._FEWEST_PASSAGES", 12)
    parts = split_into_folds(material)
    whole = sum(len(text) for text in parts[0].dev.texts)
    monkeypatch.setattr("training.auto.folds._POOLS", 0.5)
    # Half of the time for three pools of about one size: 6 * whole / 3 characters at one a second, then a quarter of that.
    assert [part.dev for part in narrowed(parts, 12 * whole, 1.0)] == [part.dev for part in parts]
    for part, less in zip(parts, narrowed(parts, 12 * whole, 4.0), strict=True):
        assert less.dev.query_set == part.dev.query_set
        judged = {d for q in part.dev.query_set.queries for d in part.dev.query_set.relevant(q)}
        assert judged <= set(less.dev.ids)
        assert len(less.dev.ids) == max(len(part.dev.ids) // 2, len(judged))


def test_a_query_counts_once_with_the_mean_of_those_who_were_asked_it(material):
    def asked(*queries):
        first = material.corpus.ids()[0]
        known = QuerySet({q: q for q in queries}, {q: {first: 1} for q in queries})
        return replace(material, dev=DevSet.of(material.corpus, known))

    parts = [asked("own", "a"), asked("own", "c", "b")]
    # In the order of ids: a, own; b, c, own.
    assert merged(parts, [[0.5, 1.0], [0.2, 0.3, 0.0]]) == pytest.approx([0.5, 0.2, 0.3, 0.5])
    assert list(all_dev_queries(parts).queries) == ["a", "own", "b", "c"]


# --- what goes on from what they learned ---


@pytest.mark.slow
def test_a_refit_goes_the_way_again_of_what_went_on(tiny, tiny_model):
    """Two fine-tunings, one upon the other, from the same pairs: the same weights, and the first one's left as they were."""
    material = load_training_data(tiny)
    settings = AutoSettings(base=str(tiny_model))
    request = Request(tiny, "mine", "auto", settings)
    base = load_base_model(tiny, settings.base)
    documents, _ = document_vectors(tiny, settings.base, base, material, silent)
    (member,) = members_of(request, [material], base, documents, silent)
    tuning = FineTuneSettings(base=settings.base, epochs=1, learning_rate=2e-4, batch_size=16)
    fits = Fitted(1, len(material.guarded.pairs), 0.0, 1_000)
    first = member.tune("one", tuning, fits, lambda: False, silent)
    texts = ["the first text", "gamma delta"]
    left = first.models[0].encode(texts)
    more = {"epochs": 2, "learning_rate": 1e-3, "hard_negatives": 1, "blend": False}
    on = tuning.model_copy(update=more)
    second = member.tune("two", on, fits, lambda: False, silent, (first.models[0], first.facts))
    np.testing.assert_array_equal(first.models[0].encode(texts), left)
    steps = plan_of(second.facts)
    assert [(step.recipe, step.settings["hard_negatives"]) for step in steps] == [
        ("fine-tune", 0), ("fine-tune", 1),
    ]  # fmt: skip
    assert all(step.updates for step in steps), "both learned something"
    assert second.facts[PLACE]["share"] == 1.0
    winner = SimpleNamespace(manifest=SimpleNamespace(details=second.facts))
    again = refit._Refit(request, material, winner).learn().model
    np.testing.assert_allclose(again.encode(texts), second.models[0].encode(texts), atol=1e-5)
    assert np.abs(again.encode(texts) - left).max() > 1e-3


# --- their average ---


def _tuned(folder, seed):
    model = SentenceTransformer(str(folder), device="cpu")
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    return model


def test_an_average_has_the_mean_of_all_weights(tiny_model):
    models = [_tuned(tiny_model, seed) for seed in range(3)]
    states = [{n: t.clone() for n, t in model.state_dict().items()} for model in models]
    made = averaged(models)
    assert made.state_dict().keys() == states[0].keys()
    for name, tensor in made.state_dict().items():
        kept = np.mean([state[name].double().numpy() for state in states], axis=0)
        np.testing.assert_allclose(tensor.numpy(), kept, atol=1e-6)
    for model, state in zip(models, states, strict=True):
        assert all(torch.equal(t, state[n]) for n, t in model.state_dict().items()), "as it was"


def test_weights_that_all_share_stay_to_the_last_bit(tiny_model):
    base = SentenceTransformer(str(tiny_model), device="cpu")
    rng = np.random.default_rng(1)
    size = base.get_embedding_dimension()
    matrices = rng.normal(size=(3, size, size)).astype(np.float32)
    made = averaged([with_adapter(base, matrix) for matrix in matrices])
    for name, tensor in base[0].state_dict().items():
        assert torch.equal(tensor, made[0].state_dict()[name])
    texts = ["alpha beta", "a text about gamma"]
    by_hand = base.encode(texts) @ matrices.mean(axis=0).T
    by_hand /= np.linalg.norm(by_hand, axis=1, keepdims=True)
    np.testing.assert_allclose(made.encode(texts), by_hand, atol=1e-5)


def test_matrices_over_a_server_are_averaged_too():
    class Server:
        def encode_query(self, inputs):
            return np.eye(2, dtype=np.float32)[[len(text) % 2 for text in inputs]]

    matrices = [np.array(m, dtype=np.float32) for m in ([[1, 0], [0, 1]], [[3, 2], [0, 1]])]
    base = Server()
    made = averaged([LinearAdapter(base, matrix, "query") for matrix in matrices])
    assert made.base is base
    assert made.side == "query"
    np.testing.assert_array_equal(made.matrix, [[2, 1], [0, 1]])


def test_one_alone_is_published_as_it_is():
    model = object()
    assert averaged([model]) is model


@pytest.mark.parametrize(
    ("shares", "share"), [((0.25, 0.0, 1.0), 1.0), ((0.0, 0.0), 0.0), ((0.25,), 0.25)]
)
def test_an_average_is_all_that_was_learned_unless_nobody_learned(shares, share):
    facts = [{"place": {"kind": "weights", "share": s}, "other": 1} for s in shares]
    assert facts_of(facts) == {"place": {"kind": "weights", "share": share}, "other": 1}


def test_an_average_is_held_against_its_models_among_the_same_documents(
    material, tiny_model, monkeypatch
):
    """A member's pool may be narrow, which makes its score higher; the average of equal models has the score of each."""
    monkeypatch.setattr("training.auto.folds._FEWEST_PASSAGES", 12)
    parts = narrowed(split_into_folds(material), 1.0, 1.0)
    model = SentenceTransformer(str(tiny_model), device="cpu")
    each = [asked(model, part.dev, silent).scores(part.dev) for part in parts]
    score = _score_of(model, [SimpleNamespace(material=part) for part in parts])
    assert score == pytest.approx(np.mean(merged(parts, each)), abs=1e-6)
    assert score > DevSet.of(material.corpus, all_dev_queries(parts)).ndcg(model)


def test_models_without_a_place_have_none_on_average():
    assert facts_of([{"origin": "word vectors"}] * 3) == {"origin": "word vectors"}
