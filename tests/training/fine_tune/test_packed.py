"""A packed transformer makes the vectors and gradients of a padded one; what its frozen layers make is read once."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import RobertaConfig, RobertaModel
from without_dropout import calm

from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Refused
from search.projects.progress import silent
from training.data.pair_sets import current_pairs
from training.fine_tune import engines, packed
from training.fine_tune.batches import TrainingRow, rows_of
from training.fine_tune.engines import engine_of
from training.fine_tune.hidden_states import HiddenStates
from training.fine_tune.loop import fine_tune
from training.fine_tune.packed import PackedEncoder, computes_halves, layers_of, makes_equal_vectors
from training.fine_tune.schedule import Schedule
from training.fine_tune.settings import FineTuneSettings
from training.fine_tune.speed import pace
from training.fine_tune.weights import TrainableWeights, weights_of

TEXTS = [
    "a",
    "who files the summons about velkorin",
    "what helps against velkorin in the hand",
    "Velkorin affects the hand after frost. " * 20,
]
WHOLE = FineTuneSettings(frozen_layers=0, bf16=False, batch_size=20)
HALF = FineTuneSettings(frozen_layers=1, bf16=False, batch_size=20)


@pytest.fixture
def pairs(project):
    return list({p.response: p for p in current_pairs(project)[1].pairs}.values())[:20]


def padded(model, settings):
    """The engine of a model that cannot be packed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "layers_of", lambda model: [])
        return engine_of(model, settings)


def learned(engine, model, rows):
    """The loss of an engine and the gradients it leaves."""
    model.zero_grad(set_to_none=True)
    loss = engine.learn(rows)
    return loss, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "weightedmean", "lasttoken"])
@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_packed_vectors_are_the_padded_ones(tiny_model, pooling, frozen):
    model = load_sentence_transformer(tiny_model)
    model[1].pooling_mode = pooling
    model.prompts = {"query": "who ", "document": ""}
    encoder = PackedEncoder(model, frozen)
    for _ in range(2):  # The second time the frozen layers are not asked.
        np.testing.assert_allclose(
            encoder.encode_query(TEXTS), model.encode_query(TEXTS), atol=2e-4 if frozen else 2e-6
        )
    np.testing.assert_allclose(
        encoder.encode_document(TEXTS), model.encode_document(TEXTS), atol=2e-4 if frozen else 2e-6
    )


def test_positions_of_roberta_begin_behind_its_padding(tiny_model):
    model = load_sentence_transformer(tiny_model)
    torch.manual_seed(3)
    config = RobertaConfig(
        vocab_size=len(model.tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=100, pad_token_id=0, type_vocab_size=1,
        initializer_range=0.5,
    )  # fmt: skip
    model[0].model = RobertaModel(config).eval()
    np.testing.assert_allclose(
        PackedEncoder(model).encode_document(TEXTS), model.encode(TEXTS), atol=1e-5
    )
    assert makes_equal_vectors(model)


@pytest.mark.parametrize("changes", [{}, {"mini_batch": 6}, {"dimensions": (16, 8)},
                                     {"mini_batch": 6, "dimensions": (16,)}, {"gradient_checkpointing": True}])  # fmt: skip
def test_packed_gradients_are_the_padded_ones(tiny_model, pairs, changes):
    rows = rows_of([replace(p, negatives=(f"wrong {p.query}",)) for p in pairs], 1)
    settings = WHOLE.model_copy(update=changes)
    results = []
    for engine in (padded, engine_of):
        model = calm(tiny_model)
        results.append(learned(engine(model, settings), model, rows))
    (one, plain), (two, made) = results
    assert two == pytest.approx(one, rel=1e-5)
    plain = {name: gradient for name, gradient in plain.items() if "pooler" not in name}
    assert made.keys() == plain.keys() and plain
    for name, gradient in plain.items():
        torch.testing.assert_close(made[name], gradient, atol=2e-5, rtol=1e-3, msg=name)


def test_what_is_frozen_is_read_once_and_changes_neither_loss_nor_gradients(
    tiny_model, pairs, monkeypatch
):
    """Beside the same frozen layers of a padded model, which reads them each time."""
    rows = rows_of(pairs, 1)
    plain_model = calm(tiny_model)
    frozen = layers_of(plain_model)[:2]
    TrainableWeights(plain_model, HALF).freeze(frozen)
    wanted = learned(padded(plain_model, WHOLE), plain_model, rows)
    model = calm(tiny_model)
    engine = engine_of(model, HALF)
    TrainableWeights(model, HALF).freeze(engine.frozen)
    first = learned(engine, model, rows)
    monkeypatch.setattr(
        model[0].auto_model.encoder.layer[0], "forward", lambda *_, **__: pytest.fail("read again")
    )
    for loss, gradients in (first, learned(engine, model, rows)):
        assert loss == pytest.approx(wanted[0], rel=1e-3)
        assert gradients.keys() == {n for n in wanted[1] if "pooler" not in n}
        assert all("layer.1." in name for name in gradients)
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, wanted[1][name], atol=1e-3, rtol=1e-2, msg=name)


def test_what_is_known_of_a_text_does_not_depend_on_its_batch(tiny_model):
    model = load_sentence_transformer(tiny_model)
    alone, together = HiddenStates(), HiddenStates()
    for text in TEXTS:
        PackedEncoder(model, 1, alone).encode_document([text])
    encoder = PackedEncoder(model, 1, together)
    encoder.encode_document(TEXTS)
    for tokens in encoder.tokens(TEXTS, "document"):
        np.testing.assert_array_equal(alone.get(tokens.tobytes()), together.get(tokens.tobytes()))


def test_only_what_learns_is_changed(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    before = weights_of(model)
    settings = FineTuneSettings(
        epochs=2, batch_size=10, learning_rate=1e-2, blend=False, frozen_layers=1
    )
    tuned = fine_tune(model, pairs, dev, settings, silent)
    assert tuned is not None and tuned.best_epoch
    changed = {n for n, tensor in weights_of(model).items() if not torch.equal(tensor, before[n])}
    assert changed and all("layer.1." in name for name in changed)
    assert all(parameter.requires_grad for parameter in model.parameters()), "it may learn on"


def test_lora_learns_above_what_is_frozen(tiny_model, pairs):
    settings = HALF.model_copy(update={"lora_rank": 2})
    model = calm(tiny_model)
    weights = TrainableWeights(model, settings)
    engine = engine_of(model, settings)
    weights.freeze(engine.frozen)
    assert isinstance(engine.encoder, PackedEncoder)
    _, gradients = learned(engine, model, rows_of(pairs, 1))
    assert gradients.keys() == {n for n in weights.parameters if "pooler" not in n}
    assert gradients and all("layer.1." in name and "lora" in name for name in gradients)


# --- which engine ---


def test_a_model_that_reads_otherwise_packed_is_trained_as_before(tiny_model, monkeypatch):
    model = load_sentence_transformer(tiny_model)
    assert isinstance(engine_of(model, WHOLE).encoder, PackedEncoder)
    attention = packed._attention
    monkeypatch.setattr(
        packed, "_attention", lambda m, q, k, v, mask, **o: attention(m, q, k, -v, mask, **o)
    )
    assert engine_of(model, WHOLE).encoder is model


def test_layers_that_are_not_there_cannot_be_frozen(tiny_model):
    model = load_sentence_transformer(tiny_model)
    with pytest.raises(Refused, match=r"At most 1 layers .* frozen_layers=2 is too many"):
        engine_of(model, FineTuneSettings(frozen_layers=2))
    assert len(engine_of(model, FineTuneSettings(frozen_layers=1)).frozen) == 2


def test_half_precision_is_near_and_only_where_it_is_asked_for(tiny_model, pairs, monkeypatch):
    monkeypatch.setattr(engines, "computes_halves", lambda device: True)
    made = {}
    for half in (False, True):
        model = calm(tiny_model)
        engine = engine_of(model, HALF.model_copy(update={"bf16": half}))
        made[half] = learned(engine, model, rows_of(pairs, 1))[0]
    assert made[True] != made[False]
    assert made[True] == pytest.approx(made[False], rel=0.03)


@pytest.mark.parametrize(
    "able", [{}, {"avx512_bf16": True}, {"amx_bf16": True}, {"avx512_f": True}]
)
def test_a_processor_computes_halves_where_it_says_so(monkeypatch, able):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    wanted = bool(able.keys() & {"avx512_bf16", "amx_bf16"})
    assert computes_halves(torch.device("cpu")) is wanted


# --- where hidden states are kept ---


def test_what_memory_does_not_take_goes_to_the_disk(tmp_path):
    random = np.random.default_rng(1)
    made = {bytes([n]): random.normal(size=(n + 1, 8)).astype(np.float16) for n in range(12)}
    states = HiddenStates(tmp_path / "run", memory=200)
    for tokens, some in made.items():
        states.put(tokens, some)
    assert states.in_memory <= 200
    assert states.in_memory + states.on_disk == sum(some.nbytes for some in made.values())
    for tokens, some in list(made.items())[::-1]:
        np.testing.assert_array_equal(states.get(tokens), some)
    assert list((tmp_path / "run").iterdir()) == [], "nothing is left of it, however it ends"
    gone = weakref.ref(states)
    del states
    assert gone() is None


def test_where_the_disk_is_full_it_is_computed_again(tmp_path, monkeypatch, tiny_model):
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10, 10, 0))
    states = HiddenStates(tmp_path, memory=0)
    model = load_sentence_transformer(tiny_model)
    encoder = PackedEncoder(model, 1, states)
    for _ in range(2):
        np.testing.assert_allclose(encoder.encode_query(TEXTS), model.encode(TEXTS), atol=2e-4)
    assert (states.in_memory, states.on_disk) == (0, 0)


def test_a_training_from_the_disk_is_that_from_memory(tiny_model, pairs, dev, monkeypatch):
    settings = FineTuneSettings(epochs=1, batch_size=10, learning_rate=1e-3)
    ends = []
    for memory in (10**9, 0):
        monkeypatch.setattr(
            engines,
            "HiddenStates",
            lambda folder, bound, memory=memory: HiddenStates(folder, memory),
        )
        model = load_sentence_transformer(tiny_model)
        ends.append((fine_tune(model, pairs, dev, settings, silent), weights_of(model)))
    assert ends[0][0] == ends[1][0]
    assert all(torch.equal(tensor, ends[1][1][name]) for name, tensor in ends[0][1].items())


# --- its pace, and stopping at any time ---


def test_timing_it_leaves_the_model_as_it_was(tiny_model, pairs, dev):
    model = load_sentence_transformer(tiny_model)
    before = weights_of(model)
    speed = pace(model, pairs, dev, FineTuneSettings(sequence_length=16))
    assert speed.pair > 0 and speed.character > 0 and speed.measured and speed.first >= 0
    assert speed.epochs(10, 2) == pytest.approx(20 * speed.pair + 10 * speed.first)
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights_of(model).items())
    assert not model.training and model.max_seq_length == 64
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


@pytest.mark.parametrize("last", [1, 3])
def test_what_is_stopped_after_any_step_ends_as_the_best_that_was_measured(
    tiny_model, pairs, dev, last
):
    steps = []
    settings = FineTuneSettings(epochs=9, batch_size=5, learning_rate=1e-2, blend=False)
    model = load_sentence_transformer(tiny_model)
    tuned = fine_tune(
        model, pairs, dev, settings, silent, None, lambda: steps.append(1) or len(steps) == last
    )
    assert tuned is not None and tuned.steps == last and len(tuned.dev_scores) >= 2
    assert dev.ndcg(model) == pytest.approx(max(tuned.dev_scores), abs=1e-9)


def test_a_first_measurement_comes_when_it_learned_as_long_as_one_takes(dev):
    rows = [TrainingRow("q" * 100, "a" * 150) for _ in range(6_400)]
    plan = Schedule(replace(dev, texts=["x" * 1_200_000]), rows, FineTuneSettings(epochs=2), 100)
    early, *others = plan.borders
    assert others == [100, 200]
    assert early * plan.step_cost == pytest.approx(plan.measure_cost, rel=0.02)


@pytest.mark.parametrize(
    ("cost", "borders"), [(3.0, [10, 21, 32, 42, 52, 63]), (1.5, [8, 21, 42, 63])]
)
def test_cheaper_steps_are_measured_more_rarely(dev, cost, borders):
    rows = [TrainingRow("q" * 200, "a" * 400) for _ in range(4_000)]
    pool = replace(dev, texts=["x" * 299_000])
    plan = Schedule(pool, rows, FineTuneSettings(epochs=1), 63, cost)
    assert plan.borders == borders
