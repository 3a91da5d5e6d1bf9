"""Attention with a window: padding far from any word has nothing to look at, and OpenVINO makes NaN of it."""

from contextlib import nullcontext

import numpy as np
import pytest

from search.models.encoding.backends import choice as choosing
from search.models.encoding.backends import openvino
from search.models.encoding.backends.choice import choose, conversion_folder, converted
from search.models.encoding.backends.openvino import OpenVinoBackend, attention_window
from search.models.encoding.backends.pipeline import TorchBackend, encode
from search.models.encoding.backends.probe import measured, unlike
from search.models.sentence_transformer import load_sentence_transformer
from tests import tiny_models as tiny
from tests.conftest import tiny_text

pytestmark = pytest.mark.usefixtures("one_thread")
TEXTS = [tiny_text(number) for number in range(12)]


@pytest.fixture
def model(tmp_path):
    return load_sentence_transformer(tiny.write(tmp_path / "modern", "modernbert"))


def on_openvino(model):
    folder = conversion_folder(model)
    assert converted(model, folder) is None
    return OpenVinoBackend(model, folder, "f32")


def one_batch(model, backend, texts):
    return next(iter(backend.vectors(iter([model.preprocess(texts)]), "document")))


def test_the_batch_of_the_probe_is_mostly_padding(model, tiny_model):
    assert attention_window(model) == 4
    mask = model.preprocess(unlike(model, TEXTS))["attention_mask"]
    assert mask.shape[1] == 64 and int(mask.sum(dim=1).min()) == 3
    assert attention_window(load_sentence_transformer(tiny_model)) is None


def test_a_batch_of_unlike_lengths_is_what_pytorch_makes_of_it(model):
    texts = unlike(model, TEXTS)
    before = model[0].model.config._attn_implementation
    found = one_batch(model, on_openvino(model), texts)
    assert model[0].model.config._attn_implementation == before
    np.testing.assert_allclose(found, model.encode_document(texts), atol=1e-4)


def test_what_gives_nan_does_not_agree_and_pytorch_encodes(model, monkeypatch):
    monkeypatch.setattr(openvino, "as_it_converts", lambda model: nullcontext())
    broken = on_openvino(model)
    _, reference = measured(model, TorchBackend(model), TEXTS, None)
    result, _ = measured(model, broken, TEXTS, reference)
    assert result.lowest == -1.0 and not result.agrees
    monkeypatch.setattr(choosing, "PAYS_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(choosing, "precisions", lambda: ["f32"])
    assert choose(model, 1, lambda: TEXTS).backend.name == "torch"


def test_a_batch_that_gives_nan_later_is_computed_by_pytorch(model, monkeypatch):
    monkeypatch.setattr(openvino, "as_it_converts", lambda model: nullcontext())
    broken, texts = on_openvino(model), unlike(model, TEXTS)
    assert np.isnan(one_batch(model, broken, texts)).any()
    broken.budget = 10_000  # All in one batch.
    ((places, vectors),) = encode(model, broken, texts, "document")
    wanted = model.encode_document([texts[place] for place in places])
    np.testing.assert_allclose(vectors, wanted, atol=1e-5)
