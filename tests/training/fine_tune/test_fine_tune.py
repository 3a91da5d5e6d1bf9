"""Fine-tuning: the state with the best dev score is kept, the same seed gives the same weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from search.corpus.corpus import Corpus, current_corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.query_set import QuerySet
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Cancelled
from search.projects.progress import silent
from training.data.pair_sets import current_pairs
from training.dev_set import DevSet
from training.fine_tune.batches import Batches, rows_of
from training.fine_tune.loop import fine_tune
from training.fine_tune.settings import FineTuneSettings

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {"epochs": 3, "batch_size": 16, "learning_rate": 1e-3, "blend": False}


@pytest.fixture
def corpus(project) -> Corpus:
    return current_corpus(project)[1]


@pytest.fixture
def pairs(project):
    return current_pairs(project)[1].pairs


@pytest.fixture
def dev(project, corpus):
    return DevSet.of(corpus, current_pairs(project)[1].dev)


@pytest.fixture
def perfect_dev(corpus):
    """Dev queries that are their own answers: every model scores 1, so none can beat the start."""
    documents = corpus.sample(6)
    return DevSet.of(
        corpus,
        QuerySet({d.id: d.embedded for d in documents}, {d.id: {d.id: 1} for d in documents}),
    )


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def tune(tiny_model, pairs, dev, progress=silent, checkpointer=None, **changes):
    model = load_sentence_transformer(tiny_model)
    tuned = fine_tune(
        model, pairs, dev, FineTuneSettings(**{**SETTINGS, **changes}), progress, checkpointer
    )
    return model, tuned


def test_training_raises_the_dev_score_and_keeps_the_best_epoch(tiny_model, pairs, dev):
    model, tuned = tune(tiny_model, pairs, dev)
    start = load_sentence_transformer(tiny_model)
    assert len(tuned.dev_scores) == 4
    assert tuned.dev_scores[0] == pytest.approx(dev.ndcg(start))
    assert max(tuned.dev_scores) > tuned.dev_scores[0] + 0.1
    assert tuned.best_epoch == int(np.argmax(tuned.dev_scores))
    assert tuned.selected == f"epoch {tuned.best_epoch:g}"
    assert dev.ndcg(model) == pytest.approx(max(tuned.dev_scores), abs=1e-9), "it ends as the best"
    assert tuned.steps == 3 * 4, "60 pairs in batches of 16, three times"
    assert not model.training
    assert model.max_seq_length == start.max_seq_length


@pytest.mark.parametrize("rate", [3e-3, 1e-2])
def test_the_kept_epoch_is_the_first_of_the_best_whatever_the_rate(tiny_model, pairs, dev, rate):
    model, tuned = tune(tiny_model, pairs, dev, learning_rate=rate, epochs=5)
    assert tuned.best_epoch == tuned.dev_scores.index(max(tuned.dev_scores))
    assert dev.ndcg(model) == pytest.approx(max(tuned.dev_scores), abs=1e-9)


def test_a_start_that_nothing_beats_is_kept_untouched(tiny_model, pairs, perfect_dev):
    before = weights(load_sentence_transformer(tiny_model))
    model, tuned = tune(tiny_model, pairs, perfect_dev, learning_rate=1e-2, epochs=4)
    assert tuned.dev_scores[0] == 1.0
    assert (tuned.best_epoch, tuned.selected) == (0, "start")
    assert same(weights(model), before), "bit for bit"
    assert len(tuned.dev_scores) == 5


def test_the_same_seed_gives_the_same_scores_and_weights(tiny_model, pairs, dev):
    one, first = tune(tiny_model, pairs, dev, epochs=2)
    torch.rand(17)  # what else was drawn in the process does not matter
    np.random.rand(5)
    two, second = tune(tiny_model, pairs, dev, epochs=2)
    assert first == second
    assert same(weights(one), weights(two))
    other, _ = tune(tiny_model, pairs, dev, epochs=2, seed=43)
    assert not same(weights(one), weights(other))


def test_progress_covers_the_work_and_carries_the_curves(tiny_model, pairs, dev):
    told = []
    _, tuned = tune(
        tiny_model,
        pairs,
        dev,
        lambda done, total, message, metrics=None: told.append((done, total, message, metrics)),
        epochs=2,
    )
    shares = [done / total for done, total, _, _ in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1, abs=0.01)
    assert len({total for _, total, _, _ in told}) == 1
    metrics = [given for *_, given in told if given]
    dev_scores = [given["dev ndcg@10"] for given in metrics if "dev ndcg@10" in given]
    assert dev_scores == tuned.dev_scores
    assert [given["epoch"] for given in metrics if "epoch" in given] == [0, 1, 2]
    losses = [given for given in metrics if "loss" in given]
    assert [given["step"] for given in losses] == list(range(1, 9))
    assert losses[-1]["loss"] < losses[0]["loss"]
    messages = {message for _, _, message, _ in told}
    assert {"measuring the dev score before training", "epoch 1 of 2", "epoch 2 of 2"} <= messages


def test_the_loss_is_the_ranking_loss_over_the_batch(tiny_model, pairs, dev):
    """One batch, no dropout: cross entropy of 20 x cosine against the other answers."""
    distinct = list({pair.response: pair for pair in pairs}.values())
    model = load_sentence_transformer(tiny_model)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    queries = torch.from_numpy(model.encode([p.query for p in distinct])).double()
    answers = torch.from_numpy(model.encode([p.response for p in distinct])).double()
    scores = 20 * queries @ answers.T
    wanted = float(torch.nn.functional.cross_entropy(scores, torch.arange(len(distinct))))
    losses = []
    fine_tune(
        model,
        distinct,
        dev,
        FineTuneSettings(epochs=1, batch_size=64),
        lambda done, total, message, metrics=None: losses.append((metrics or {}).get("loss")),
    )
    assert [loss for loss in losses if loss] == [pytest.approx(wanted, rel=1e-3)]


def without_dropout(tiny_model):
    model = load_sentence_transformer(tiny_model)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def losses_of(model, pairs, dev, **changes):
    losses = []
    tuned = fine_tune(
        model,
        pairs,
        dev,
        FineTuneSettings(**{"epochs": 1, "batch_size": 64, **changes}),
        lambda done, total, message, metrics=None: losses.append((metrics or {}).get("loss")),
    )
    return [loss for loss in losses if loss], tuned


def test_a_hard_negative_is_a_wrong_answer_to_every_query_of_its_batch(
    tiny_model, pairs, dev, tmp_path
):
    distinct = list({pair.response: pair for pair in pairs}.values())
    triplets = [replace(p, negatives=(f"nothing about number{n}",)) for n, p in enumerate(distinct)]
    model = without_dropout(tiny_model)
    texts = [p.response for p in triplets] + [p.negatives[0] for p in triplets]
    queries = torch.from_numpy(model.encode([p.query for p in triplets])).double()
    scores = 20 * queries @ torch.from_numpy(model.encode(texts)).double().T
    wanted = float(torch.nn.functional.cross_entropy(scores, torch.arange(len(triplets))))
    losses, tuned = losses_of(model, triplets, dev)
    assert losses == [pytest.approx(wanted, rel=1e-3)]
    assert tuned.steps == 1
    plain, _ = losses_of(without_dropout(tiny_model), distinct, dev)
    assert losses[0] > plain[0] + 0.1


def test_queries_are_moved_away_from_their_hard_negatives(tiny_model, pairs, perfect_dev):
    """They end further away than without the negatives. (The dev score keeps the start here.)"""
    triplets = [replace(p, negatives=(f"{p.query} is not asked",)) for p in pairs]
    texts = [p.query for p in triplets] + [p.negatives[0] for p in triplets]
    cosines = {}
    for name, rows in (("without", pairs), ("with", triplets)):
        model = load_sentence_transformer(tiny_model)
        ends = []

        def watch(done, total, message, metrics=None, model=model, ends=ends):
            if message == "measuring the dev score after epoch 3":
                ends.append(model.encode(texts))

        fine_tune(model, rows, perfect_dev, FineTuneSettings(**SETTINGS, frozen_layers=0), watch)
        queries, negatives = np.split(ends[-1], 2)
        cosines[name] = float((queries * negatives).sum(axis=1).mean())
    assert cosines["with"] < cosines["without"] - 0.1


def test_pairs_with_and_without_negatives_train_together(tiny_model, pairs, dev):
    mixed = [
        replace(p, negatives=(f"wrong {n}", f"worse {n}")) if n % 3 == 0 else p
        for n, p in enumerate(pairs)
    ]
    one, first = tune(tiny_model, mixed, dev, epochs=2)
    assert first.steps == 2 * len(Batches(rows_of(mixed, 1), 16, 42).epoch(0)) >= 2 * (3 + 3)
    two, second = tune(tiny_model, mixed, dev, epochs=2)
    assert first == second
    assert same(weights(one), weights(two))
    plain, _ = tune(tiny_model, pairs, dev, epochs=2)
    assert not same(weights(one), weights(plain))


def test_many_negatives_of_few_pairs(tiny_model, pairs, dev):
    """Rows of one query never share a batch; nothing may hang."""
    few = [replace(p, negatives=tuple(f"wrong {n}" for n in range(30))) for p in pairs[:3]]
    _, tuned = tune(tiny_model, few, dev, epochs=1, bf16=False)
    assert tuned.steps == 30, "a row for each negative, and never two of one query in a batch"
    assert tuned.epochs == [0, 0.5, 1], "long epochs are measured within, too"


def test_few_pairs_and_a_large_batch(tiny_model, pairs, dev):
    _, tuned = tune(tiny_model, pairs[:5], dev, batch_size=1024, epochs=1)
    assert tuned.steps == 1


def test_pairs_that_are_all_alike_train_too(tiny_model, dev):
    """Batches without duplicates hold one pair each here; nothing may hang or divide by zero."""
    alike = [Pair(f"query {number}", "the same answer") for number in range(6)]
    _, tuned = tune(tiny_model, alike, dev, epochs=1)
    assert len(tuned.dev_scores) == 2


def test_long_texts_are_cut_in_training_only(tiny_model, pairs, dev):
    lengths = []
    model = load_sentence_transformer(tiny_model)

    def watch(done, total, message, metrics=None):
        lengths.append((message.startswith("measuring"), model.max_seq_length))

    fine_tune(model, pairs, dev, FineTuneSettings(**SETTINGS, sequence_length=8), watch)
    assert {length for measuring, length in lengths if measuring} == {64}
    assert {length for measuring, length in lengths if not measuring} >= {8}
    assert model.max_seq_length == 64


@pytest.mark.parametrize("message", ["measuring the dev score before training", "epoch 2 of 3"])
def test_a_cancel_stops_it_at_the_next_report(tiny_model, pairs, dev, message):
    def stop(done, total, said, metrics=None):
        if said == message:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        tune(tiny_model, pairs, dev, stop)


def test_nothing_is_printed_by_the_trainer(tiny_model, pairs, dev, capfd):
    tune(tiny_model, pairs, dev, epochs=1)
    assert capfd.readouterr().out == "", "stdout belongs to --json"


# --- the dev set ---


def test_the_dev_pool_is_the_whole_small_corpus(dev, corpus):
    assert sorted(dev.ids) == sorted(corpus.ids())
    documents = {d.id: d.embedded for d in corpus.sample(100)}
    assert [documents[identity] for identity in dev.ids] == dev.texts
    assert len(dev.query_set.queries) == 8


def test_dev_ndcg_equals_brute_force(dev, tiny_model):
    model = load_sentence_transformer(tiny_model)
    documents = model.encode(dev.texts).astype(np.float64)
    wanted = []
    for query, text in dev.query_set.queries.items():
        (relevant,) = dev.query_set.relevant(query)
        cosines = documents @ model.encode([text])[0].astype(np.float64)
        rank = 1 + int((cosines > cosines[dev.ids.index(relevant)]).sum())
        wanted.append(1 / np.log2(rank + 1) if rank <= 10 else 0.0)
    assert dev.ndcg(model) == pytest.approx(np.mean(wanted), abs=1e-6)


def test_a_large_pool_is_bounded_and_holds_every_answer(tmp_path):
    from search.corpus.document import Document
    from search.corpus.writer import CorpusWriter

    writer = CorpusWriter(tmp_path)
    writer.add([Document(f"d{n}", "", f"text {n} " + "x" * 500) for n in range(3_000)])
    writer.close()
    corpus = Corpus(tmp_path / "corpus.sqlite")
    queries = QuerySet(
        {f"q{n}": f"query {n}" for n in range(400)}, {f"q{n}": {f"d{n}": 1} for n in range(400)}
    )
    dev, again = DevSet.of(corpus, queries), DevSet.of(corpus, queries)
    assert dev == again, "the same choice each time"
    assert len(dev.query_set.queries) == 300
    judged = {d for q in dev.query_set.queries for d in dev.query_set.relevant(q)}
    assert judged <= set(dev.ids)
    assert len(set(dev.ids)) == len(dev.ids)
    others = sum(len(t) for i, t in zip(dev.ids, dev.texts, strict=True) if i not in judged)
    assert 400_000 < others <= 600_000
