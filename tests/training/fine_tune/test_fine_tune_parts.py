"""The parts of a fine-tune: batches, the loss in mini-batches, LoRA, shorter vectors, early stop, blends."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from without_dropout import calm

from search.corpus.labels import Pair
from search.models.prompts import prompt_of
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Refused
from search.projects.progress import silent
from training.data.pair_sets import current_pairs
from training.fine_tune.batches import Batches, TrainingRow, rows_of
from training.fine_tune.loop import fine_tune
from training.fine_tune.losses import mini_batch, ranking_loss
from training.fine_tune.schedule import ALL, Record, Schedule
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.weights import TrainableWeights, weights_of
from training.weight_interpolation import best_share, between

SETTINGS = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3, "blend": False}


@pytest.fixture
def pairs(project):
    return current_pairs(project)[1].pairs


# --- rows and batches ---


def test_a_batch_holds_no_right_answer_of_its_queries_as_a_wrong_one():
    rows = [
        TrainingRow("a", "1"), TrainingRow("a", "2"), TrainingRow("b", "2"), TrainingRow("c", "3"), TrainingRow("d", "4", ("5",)),
        TrainingRow("e", "5", ("6",)), TrainingRow("f", "7", ("1",)),
        TrainingRow("g", "beginning", (), "book"), TrainingRow("h", "end", (), "book"),
    ]  # fmt: skip
    answers = {"a": {"1", "2"}, "b": {"2"}, "c": {"3"}, "d": {"4"}, "e": {"5"}, "f": {"7"},
               "g": {"beginning", "end"}, "h": {"beginning", "end"}}  # fmt: skip
    for epoch in range(20):
        batches = Batches(rows, 9, 1).epoch(epoch)
        seen = [row for batch in batches for row in batch]
        assert sorted(seen, key=rows.index) == rows, "each row once"
        for batch in batches:
            assert len({len(row.negatives) for row in batch}) == 1
            for row in batch:
                wrong = {t for o in batch for t in (o.answer, *o.negatives) if o is not row}
                assert answers[row.query].isdisjoint(wrong)


def test_batches_depend_on_seed_and_epoch_alone_and_are_full():
    rows = [TrainingRow(f"q{n}", f"a{n}") for n in range(100)]
    batches = Batches(rows, 16, 7)
    second = batches.epoch(1)
    assert [len(b) for b in second].count(16) == 6
    assert batches.epoch(0) != second == Batches(rows, 16, 7).epoch(1)
    assert Batches(rows, 16, 8).epoch(1) != second


def test_batches_can_be_cut_into_parts():
    rows = [TrainingRow(f"q{n}", f"a{n % 7}") for n in range(50)]
    batches = Batches(rows, 11, 3, parts=4).epoch(0)
    assert {len(batch) for batch in batches} == {4}, "seven answers, so at most seven in a batch"
    seen = [row for batch in batches for row in batch]
    assert len(set(seen)) == len(seen) >= 40
    assert Batches(rows[:7] * 2, 11, 3, parts=8).epoch(0) == []


def test_many_copies_of_one_answer_are_bounded_work():
    rows = [TrainingRow(f"q{n}", f"a{n % 3}") for n in range(3_000)]
    assert sum(map(len, Batches(rows, 64, 1).epoch(0))) == 3_000


def test_rows_hold_as_many_negatives_as_asked():
    pairs = [Pair("a", "1", negatives=tuple("xyzuv")), Pair("b", "2")]
    assert [row.negatives for row in rows_of(pairs, 2)] == [("x", "y"), ("z", "u"), ("v",), ()]
    assert [row.negatives for row in rows_of(pairs, 1)] == [*((n,) for n in "xyzuv"), ()]


# --- the loss ---


@pytest.mark.parametrize("changes", [{}, {"dimensions": (16, 8)}])
def test_gradients_in_mini_batches_are_those_of_the_whole_batch(tiny_model, pairs, changes):
    distinct = list({p.response: p for p in pairs}.values())[:20]
    texts = [[p.query for p in distinct], [p.response for p in distinct]]
    gradients = {}
    for mini in (4096, 6):
        settings = FineTuneSettings(batch_size=20, mini_batch=mini, **changes)
        model = calm(tiny_model).train()
        loss = ranking_loss(model, settings)([model.preprocess(t) for t in texts], None)
        loss.backward()
        gradients[mini] = (
            float(loss.detach()),
            {n: p.grad for n, p in model.named_parameters() if p.grad is not None},
        )
    whole, parts = gradients[4096], gradients[6]
    assert parts[0] == pytest.approx(whole[0], rel=1e-5)
    assert whole[1].keys() == parts[1].keys()
    for name, gradient in whole[1].items():
        torch.testing.assert_close(parts[1][name], gradient, atol=1e-5, rtol=1e-3, msg=name)


def test_mini_batches_come_by_themselves_where_the_batch_is_large():
    assert mini_batch(FineTuneSettings()) is None
    assert mini_batch(FineTuneSettings(batch_size=128)) is None
    assert mini_batch(FineTuneSettings(batch_size=129)) == 32
    assert mini_batch(FineTuneSettings(batch_size=4096, mini_batch=64)) == 64
    assert mini_batch(FineTuneSettings(batch_size=16, mini_batch=64)) is None


def test_the_matryoshka_loss_is_the_sum_over_the_sizes(tiny_model, pairs):
    distinct = list({p.response: p for p in pairs}.values())[:10]
    model = calm(tiny_model)
    texts = [[p.query for p in distinct], [p.response for p in distinct]]
    wanted = 0.0
    for size in (32, 8):
        queries, answers = (
            torch.nn.functional.normalize(torch.from_numpy(model.encode(t))[:, :size], dim=1)
            for t in texts
        )
        wanted += float(
            torch.nn.functional.cross_entropy(20 * queries @ answers.T, torch.arange(10))
        )
    loss = ranking_loss(model, FineTuneSettings(dimensions=(8,)))(
        [model.preprocess(t) for t in texts], None
    )
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-4)


# --- settings ---


def test_shorter_vectors_are_given_as_people_type_them():
    assert FineTuneSettings.model_validate({"dimensions": "256, 128,64"}).dimensions == (
        256,
        128,
        64,
    )
    assert FineTuneSettings.model_validate({"dimensions": ""}).dimensions == ()
    assert FineTuneSettings(dimensions=(64,)).model_dump(mode="json")["dimensions"] == [64]
    for wrong in ("many", "1", "1.5", "-3"):
        with pytest.raises(ValidationError):
            FineTuneSettings.model_validate({"dimensions": wrong})


def test_vectors_cannot_be_shortened_to_more_than_they_have(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    with pytest.raises(Refused, match=r"have 32 numbers; dimensions=\(16, 32\) must all be less"):
        fine_tune(model, pairs, dev, FineTuneSettings(dimensions=(16, 32)), silent)


# --- what a training reports ---


def test_what_shorter_vectors_score_is_measured_by_cutting_them(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    tuned = fine_tune(model, pairs, dev, FineTuneSettings(**SETTINGS, dimensions=(16, 4)), silent)
    start = load_sentence_transformer(tiny_model)
    for size, (before, after) in tuned.dimensions.items():
        for which, wanted in ((start, before), (model, after)):
            queries, documents = dev.vectors(which)
            assert dev.ndcg_of_vectors(queries[:, :size], documents[:, :size]) == pytest.approx(
                wanted
            )
    assert list(tuned.dimensions) == [16, 4]


def test_long_epochs_are_measured_within(dev):
    rows = [TrainingRow("q" * 200, "a" * 400) for _ in range(4_000)]
    plan = Schedule(dev, rows, FineTuneSettings(epochs=2), 63)
    assert plan.borders == [9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99, 108, 117, 126]
    assert plan.epoch_of(plan.borders[0]) == 0.14
    cost = len(plan.borders) * plan.measure_cost / (plan.steps * plan.step_cost)
    assert cost <= 0.25
    assert Schedule(dev, rows[:60], FineTuneSettings(epochs=2), 4).borders == [4, 8]


def test_the_rate_rises_and_falls_in_a_line(dev):
    plan = Schedule(dev, [TrainingRow("q", "a")] * 100, FineTuneSettings(epochs=2, warmup=0.2), 10)
    assert [plan.rate(step) for step in (0, 1, 3, 4, 12, 19)] == [0.25, 0.5, 1.0, 1.0, 0.5, 1 / 16]


@pytest.mark.parametrize(
    ("scores", "patience", "stops"),
    [([0.5, 0.4, 0.3], 2, True), ([0.5, 0.4], 2, False), ([0.5, 0.4, 0.6], 2, False),
     ([0.5, 0.5, 0.5], 2, True), ([0.5, 0.4, 0.3], 0, False), ([0.3, 0.5, 0.4, 0.45], 2, True)],
)  # fmt: skip
def test_patience_counts_measurements_without_anything_better(scores, patience, stops):
    record = Record(list(range(len(scores))), [{ALL: score} for score in scores])
    assert record.stops(patience) is stops
    assert Record.from_json(record.as_json()) == record


def test_it_stops_early_and_keeps_the_best(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    settings = FineTuneSettings(**{**SETTINGS, "epochs": 40, "learning_rate": 3e-3, "patience": 2})
    tuned = fine_tune(model, pairs, dev, settings, silent)
    best = tuned.dev_scores.index(max(tuned.dev_scores[1:]), 1)
    assert tuned.stopped
    assert len(tuned.dev_scores) == best + 1 + 2
    assert tuned.steps == 4 * (len(tuned.dev_scores) - 1) < 160
    assert dev.ndcg(model) == pytest.approx(tuned.dev_scores[best], abs=1e-9)


# --- LoRA and memory ---


def test_lora_trains_little_and_ends_as_a_plain_model(tiny_model, pairs, dev, tmp_path):
    model = calm(tiny_model)
    before = weights_of(model)
    learned = TrainableWeights(model, FineTuneSettings(lora_rank=4))
    sizes = [parameter.numel() for parameter in learned.parameters.values()]
    assert 0 < sum(sizes) < 0.5 * sum(t.numel() for t in before.values())
    assert all("lora_" in name for name in learned.parameters)
    with torch.no_grad():
        for number, parameter in enumerate(learned.parameters.values()):
            parameter.normal_(generator=torch.Generator().manual_seed(number), std=0.2)
    texts = [p.query for p in pairs]
    beside = model.eval().encode(texts)
    learned.plain()
    after = weights_of(model)
    assert after.keys() == before.keys()
    np.testing.assert_allclose(model.encode(texts), beside, atol=1e-5)
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed and all("weight" in name for name in changed)
    model.save(str(tmp_path / "m"), create_model_card=False)
    assert not list((tmp_path / "m").rglob("adapter*"))
    np.testing.assert_allclose(
        load_sentence_transformer(tmp_path / "m").encode(texts), beside, atol=1e-5
    )


def test_a_training_with_lora_is_better_than_its_start(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    tuned = fine_tune(model, pairs, dev, FineTuneSettings(**SETTINGS, lora_rank=8), silent)
    assert max(tuned.dev_scores) > tuned.dev_scores[0]
    assert dev.ndcg(model) == pytest.approx(max(tuned.dev_scores), abs=1e-9)
    assert not [name for name in model.state_dict() if "lora" in name]


def test_lora_needs_layers(tiny_model):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding

    static = SentenceTransformer(
        modules=[StaticEmbedding(load_sentence_transformer(tiny_model).tokenizer, embedding_dim=8)]
    )
    with pytest.raises(Refused, match="has no transformer"):
        TrainableWeights(static, FineTuneSettings(lora_rank=4))


def test_gradient_checkpointing_changes_nothing_but_memory(tiny_model, pairs, dev):
    ends = []
    for on in (False, True):
        model = calm(tiny_model)
        settings = FineTuneSettings(**{**SETTINGS, "epochs": 1}, gradient_checkpointing=on)
        fine_tune(model, pairs, dev, settings, silent)
        ends.append(weights_of(model))
    for name, tensor in ends[0].items():
        torch.testing.assert_close(ends[1][name], tensor, atol=1e-6, rtol=1e-4, msg=name)


# --- blends ---


def test_a_blend_is_on_the_straight_line():
    start = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor([3])}
    tuned = {"w": torch.tensor([1.0, 4.0]), "n": torch.tensor([3])}
    made = between(start, tuned, 0.25)
    assert made["w"].tolist() == [0.25, 2.5] and made["n"].tolist() == [3]
    assert between(start, tuned, 0.0)["w"].tolist() == [0.0, 2.0]
    assert between(start, tuned, 1.0)["w"].tolist() == [1.0, 4.0]


def test_the_whole_way_stays_unless_a_part_is_better():
    assert best_share({0.25: 0.1, 0.5: 0.3, 0.75: 0.3}.__getitem__, 0.3)[0] == 1.0
    share, scores = best_share({0.25: 0.1, 0.5: 0.4, 0.75: 0.3}.__getitem__, 0.3)
    assert (share, scores) == (0.5, {0.25: 0.1, 0.5: 0.4, 0.75: 0.3, 1.0: 0.3})


def test_a_training_that_went_too_far_is_blended_back(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    start = weights_of(model)
    settings = {**SETTINGS, "learning_rate": 1e-2, "epochs": 2, "frozen_layers": 0}
    plain = load_sentence_transformer(tiny_model)
    alone = fine_tune(plain, pairs, dev, FineTuneSettings(**settings), silent)
    tuned = fine_tune(model, pairs, dev, FineTuneSettings(**{**settings, "blend": True}), silent)
    assert tuned.dev_scores == alone.dev_scores
    assert list(tuned.share_scores) == [0.25, 0.5, 0.75, 1.0]
    assert tuned.share_scores[1.0] == max(tuned.dev_scores[1:])
    best = max(tuned.share_scores.values())
    assert best > tuned.share_scores[1.0], "nothing to see here: the training did not go too far"
    assert tuned.share_scores[tuned.share] == best
    assert tuned.selected == f"epoch {tuned.best_epoch:g}, blend {tuned.share:g}"
    assert dev.ndcg(model) == pytest.approx(best, abs=1e-9)
    if alone.best_epoch:
        for name, tensor in between(start, weights_of(plain), tuned.share).items():
            torch.testing.assert_close(weights_of(model)[name], tensor)


@pytest.mark.parametrize(
    ("prompts", "default"),
    [
        ({"all": "text: "}, "all"),
        ({"query": "ask: ", "document": "", "passage": "read: "}, None),
        ({"query": "ask: ", "passage": "read: "}, "query"),
    ],
)
@pytest.mark.parametrize("saved", [False, True])
def test_a_training_puts_the_prompt_before_a_text_that_serving_puts(
    tiny_model, pairs, dev, tmp_path, prompts, default, saved
):
    """What sentence-transformers itself resolves, for a model in memory and for the folder it was saved to."""
    model = calm(tiny_model)
    model.prompts, model.default_prompt_name = dict(prompts), default
    if saved:
        model.save(str(tmp_path / "base"))
        model = calm(tmp_path / "base")
    seen = []
    preprocess = model.preprocess

    def watch(inputs, prompt=None, **more):
        seen.append((tuple(inputs), prompt or None))
        return preprocess(inputs, prompt=prompt, **more)

    model.preprocess = watch
    model.encode_query(["a served query"])
    model.encode_document(["a served document"])
    (_, query), (_, document) = seen
    some = [pairs[0]]
    fine_tune(model, some, dev, FineTuneSettings(**{**SETTINGS, "epochs": 1}), silent)
    for text, prompt in ((pairs[0].query, query), (pairs[0].response, document)):
        assert {said for inputs, said in seen[2:] if text in inputs} == {prompt}
    assert (query, document) == (prompt_of(model, "query"), prompt_of(model, "document"))


def test_negatives_and_prompts_reach_the_model(tiny_model, pairs, dev):
    """What goes through the model: the prompt of the role before each text of its column."""
    model = calm(tiny_model)
    model.prompts = {"query": "ask: ", "document": "read: "}
    seen = []
    preprocess = model.preprocess

    def watch(inputs, prompt=None, **more):
        seen.append((list(inputs), prompt))
        return preprocess(inputs, prompt=prompt, **more)

    model.preprocess = watch
    triplets = [replace(pairs[0], negatives=("wrong",))]
    fine_tune(model, triplets, dev, FineTuneSettings(**{**SETTINGS, "epochs": 1}), silent)
    texts = {pairs[0].query: "ask: ", pairs[0].response: "read: ", "wrong": "read: "}
    for text, wanted in texts.items():
        assert {prompt for inputs, prompt in seen if text in inputs} == {wanted}
