"""A transformer in eight bits: what is computed against arithmetic of its own, rounding against plain rounding."""

import numpy as np
import pytest

from search.models.encoding.backends.choice import conversion_folder, converted
from search.models.encoding.backends.openvino import MODEL_FILE, load_openvino
from search.models.encoding.quantized import encoder as quantized_encoder
from search.models.encoding.quantized.encoder import QuantizedEncoder, products_of_whole_numbers
from search.models.encoding.quantized.graph import Quantizer, layers, observed, rounded_weights
from search.models.encoding.texts import encode_batches, transformer_of
from search.models.sentence_transformer import load_sentence_transformer
from tests.conftest import tiny_text

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [tiny_text(number) for number in range(40)]


@pytest.fixture(scope="module")
def model(tiny_model, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(tmp_path_factory.mktemp("quantized")))
        patch.setenv("BESPOKE_DEVICE", "cpu")
        found = load_sentence_transformer(tiny_model)
        folder = conversion_folder(found)
        converted(found, folder)
        batch = dict(found.preprocess(TEXTS[:16], prompt=None, task="document"))
        yield found, Quantizer(folder, observed(folder, [batch], 1))


@pytest.fixture(scope="module")
def folders(model, tmp_path_factory):
    """The transformer with no layer kept, and with all of them."""
    _, quantizer = model
    found = []
    for in_full in ((), quantizer.by_loss()):
        folder = tmp_path_factory.mktemp("graph")
        load_openvino().save_model(quantizer.model(in_full), folder / MODEL_FILE)
        found.append(folder)
    return found


def test_vectors_in_eight_bits_are_near_and_another_class(model, folders):
    full, _ = model
    wanted = full.encode_document(TEXTS)
    eight, none = (QuantizedEncoder(full, folder) for folder in folders)
    found = eight.encode_document(TEXTS)
    cosines = np.einsum("nd,nd->n", found, wanted) / np.linalg.norm(found, axis=1)
    cosines /= np.linalg.norm(wanted, axis=1)
    assert cosines.min() > 0.98 and np.abs(found - wanted).max() > 1e-5, "near, and rounded"
    assert not eight.backend.is_exact and transformer_of(eight) is None
    batched = dict(
        pair for p, v in encode_batches(eight, TEXTS, "document") for pair in zip(p, v, strict=True)
    )
    np.testing.assert_array_equal(np.stack([batched[n] for n in range(len(TEXTS))]), found)
    kept = none.encode_document(TEXTS)
    bound = 0.02 if "bf16" in str(none.backend.precision) else 1e-5
    np.testing.assert_allclose(kept, wanted, atol=bound * np.abs(wanted).max())


def test_a_vector_does_not_depend_on_the_batch(model, folders):
    """Ranges are fixed beforehand: other texts in a batch change nothing but the order of sums."""
    eight = QuantizedEncoder(model[0], folders[0])
    together = eight.encode_query(TEXTS)
    alone = np.vstack([eight.encode_query([text]) for text in TEXTS[:6]])
    cosines = np.einsum("nd,nd->n", alone, together[:6])
    cosines /= np.linalg.norm(alone, axis=1) * np.linalg.norm(together[:6], axis=1)
    assert cosines.min() > 0.999
    assert eight.encode_query([]).shape == (0, together.shape[1])


def test_layers_are_quantized_or_kept_by_name(model, folders):
    core = load_openvino().Core()
    products = layers(core.read_model(folders[0] / MODEL_FILE))
    assert not products, "no layer is left that learned its weights in floats"
    assert set(model[1].by_loss()) == set(layers(core.read_model(folders[1] / MODEL_FILE)))


def test_rounding_makes_up_for_what_it_rounded(rng):
    random = np.random.default_rng(rng.randrange(2**32))
    mixing = random.normal(size=(24, 24))
    inputs = (random.normal(size=(400, 24)) @ mixing).astype(np.float32)
    weights = random.normal(size=(10, 24)).astype(np.float32)
    whole, scales = rounded_weights(weights, inputs)
    assert whole.dtype == np.int8 and np.abs(whole.astype(int)).max() <= 127
    np.testing.assert_allclose(scales, np.abs(weights).max(axis=1) / 127, rtol=1e-6)
    plain = np.rint(weights / scales[:, None])

    def lost(rounded):
        return float(((inputs @ (weights - rounded * scales[:, None]).T) ** 2).sum())

    assert lost(whole) < 0.7 * lost(plain)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("sse avx2", None),
        ("avx512f avx512_vnni", "AVX-512 VNNI"),
        ("avx_vnni", "AVX VNNI"),
        ("amx_int8", "AMX"),
    ],
)
def test_what_a_processor_multiplies_with(tmp_path, monkeypatch, flags, named):
    about = tmp_path / "cpuinfo"
    about.write_text(f"model name : some\nflags\t\t: fpu {flags} rdpid\n", encoding="utf-8")
    monkeypatch.setattr(quantized_encoder, "_PROCESSOR", about)
    assert products_of_whole_numbers() == named
    about.write_text("Features : fp asimd asimddp\n", encoding="utf-8")
    assert products_of_whole_numbers() is None, "ARM"
