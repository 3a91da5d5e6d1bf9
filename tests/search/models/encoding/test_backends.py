"""Backends: what they compute agrees with sentence-transformers, what does not is not used, what is kept is checked."""

import json
import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from search.corpus.corpus import current_corpus
from search.models.encoding.backends import choice as choosing
from search.models.encoding.backends.choice import (
    choose,
    conversion_folder,
    converted,
    is_sound,
    known_backend,
)
from search.models.encoding.backends.openvino import (
    OpenVinoBackend,
    Unconvertible,
    check_convertible,
    precisions,
)
from search.models.encoding.backends.pipeline import TorchBackend, encode, seen_as
from search.models.encoding.backends.probe import LOWEST_COSINE, Measured, measured, sample
from search.models.encoding.texts import AcceleratedEncoder, accelerated
from search.models.prompts import prompt_of
from search.models.sentence_transformer import load_generic, load_sentence_transformer
from search.retrieval.indexing.build import index_model
from tests.conftest import tiny_text

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [tiny_text(number) for number in range(40)]
ODD = ["", "   ", "a", "word " * 3_000, "मुझे घर का रास्ता बताओ", "🙂 emoji", *TEXTS[:9], TEXTS[3]]


@pytest.fixture
def model(tiny_model):
    return load_sentence_transformer(tiny_model)


@pytest.fixture(scope="module")
def conversion(tiny_model, tmp_path_factory):
    """The tiny model's conversion, made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_HOME", str(tmp_path_factory.mktemp("converted")))
        patch.setenv("BESPOKE_DEVICE", "cpu")
        model = load_sentence_transformer(tiny_model)
        folder = conversion_folder(model)
        assert converted(model, folder) is None
    return folder


@pytest.fixture
def converted_before(conversion, workspace):
    """A workspace that holds the conversion, and knows nothing of how fast it is."""
    shutil.copytree(conversion, workspace / conversion.parent.name / conversion.name)


@pytest.fixture
def always(monkeypatch, converted_before):
    """Measure however little there is to encode, in the one precision that every processor has."""
    monkeypatch.setattr(choosing, "PAYS_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(choosing, "precisions", lambda: ["f32"])


def variant(model, kind):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling

    torch.manual_seed(3)
    size = model.get_embedding_dimension()
    dense = Dense(size, 6, bias=True, activation_function=torch.nn.Tanh())
    pieces = Dense(
        size, size, activation_function=torch.nn.Tanh(), module_input_name="token_embeddings"
    )
    behind = {
        "mean": [Pooling(size, "mean")],
        "cls": [Pooling(size, "cls")],
        "max": [Pooling(size, "max")],
        "several": [Pooling(size, ("mean", "max", "cls"))],
        "dense": [Pooling(size, "mean"), dense, Normalize()],
        "pieces, pooled again": [Pooling(size, "mean"), pieces, Pooling(size, "mean")],
        "without its prompt": [Pooling(size, "mean", include_prompt=False)],
    }[kind]
    made = SentenceTransformer(modules=[model[0], *behind], device="cpu")
    made.prompts = {"query": "who asks: ", "document": "what is told: "}
    return made


def run(model, backend, texts, role="document"):
    found = {}
    for places, vectors in encode(model, backend, texts, role):
        assert vectors.dtype == np.float32 and len(places) == len(vectors)
        found.update(zip(places, vectors, strict=True))
    return np.stack([found[place] for place in range(len(texts))])


def backend_of(kind, model):
    if kind == "torch":
        return TorchBackend(model)
    folder = conversion_folder(model)
    assert converted(model, folder) is None
    return OpenVinoBackend(model, folder, "f32")


@pytest.mark.usefixtures("converted_before")
@pytest.mark.sample(6)
@pytest.mark.parametrize("backend", ["torch", "openvino"])
@pytest.mark.parametrize(
    "kind",
    ["mean", "cls", "max", "several", "dense", "pieces, pooled again", "without its prompt"],
)
def test_a_backend_computes_what_sentence_transformers_does(model, kind, backend):
    made = variant(model, kind)
    ours = backend_of(backend, made)
    np.testing.assert_allclose(run(made, ours, ODD), made.encode_document(ODD), atol=2e-5)
    queries = run(made, ours, ODD, "query")
    np.testing.assert_allclose(queries, made.encode_query(ODD), atol=2e-5)
    assert np.abs(queries - run(made, ours, ODD)).max() > 1e-3, "the prompts differ"


@pytest.mark.usefixtures("converted_before")
@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_a_vector_does_not_depend_on_the_batch(model, backend):
    ours = backend_of(backend, model)
    together = run(model, ours, ODD)
    for place, text in enumerate(ODD):
        np.testing.assert_allclose(run(model, ours, [text])[0], together[place], atol=2e-6)
    np.testing.assert_array_equal(run(model, ours, ODD), together)


def test_the_real_model_agrees():
    """In each precision that this processor computes with; bf16 is one of them on some."""
    model = load_generic()
    folder = conversion_folder(model)
    converted(model, folder)
    texts = [*TEXTS[:6], "Alarm kal subah 7 baje set kar do", "x"]
    wanted = model.encode_document(texts)
    for precision in precisions():
        backend = OpenVinoBackend(model, folder, precision)
        cosines = np.einsum("nd,nd->n", run(model, backend, texts), wanted)
        assert cosines.min() > (0.99999 if precision == "f32" else LOWEST_COSINE), precision


def test_prompts_are_found_as_sentence_transformers_finds_them(model):
    model.prompts = {"query": "q: ", "passage": "p: "}
    assert (prompt_of(model, "query"), prompt_of(model, "document")) == ("q: ", "p: ")
    assert seen_as(model, "query") != seen_as(model, "document")
    model.prompts = {"query": "", "document": ""}
    assert (prompt_of(model, "query"), prompt_of(model, "document")) == (None, None)
    assert seen_as(model, "query") == seen_as(model, "document")
    model.prompts, model.default_prompt_name = {"all": "a: "}, "all"
    assert (prompt_of(model, "query"), prompt_of(model, "document")) == ("a: ", "a: ")
    before = seen_as(model, "document")
    model.max_seq_length = 9
    assert seen_as(model, "document") != before


def test_too_little_to_encode_is_not_measured(model):
    asked = []
    chosen = choose(model, 10_000, lambda: asked.append(1) or TEXTS)
    assert chosen.backend.name == "torch" and "so few texts" in chosen.why
    assert not asked and not conversion_folder(model).exists()


def test_the_choice_is_measured_kept_and_used_again(model, always, monkeypatch):
    monkeypatch.setattr(choosing, "WORTH_IT", 0.0)
    chosen = choose(model, 1, lambda: TEXTS)
    assert chosen.backend.name == "openvino f32"
    assert [figures["name"] for figures in chosen.figures] == ["torch", "openvino f32"]
    assert all(figures["speed"] > 0 for figures in chosen.figures)
    assert chosen.figures[1]["lowest"] > 0.9999 and chosen.figures[1]["overlap"] >= 0.99
    assert "times as fast as PyTorch" in chosen.notes[0]
    again = choose(model, 1, lambda: pytest.fail("measured again"))
    assert (again.backend.name, again.figures) == ("openvino f32", chosen.figures)
    found = known_backend(model)
    assert found is not None and found.name == "openvino f32"
    kept = json.loads((conversion_folder(model) / "choice.json").read_text())
    assert kept["measured"] == chosen.figures and kept["passages"] == 40
    monkeypatch.setenv("BESPOKE_BACKEND", "torch")
    assert choose(model, 1, lambda: TEXTS).backend.name == "torch"
    assert known_backend(model) is None


def test_what_is_much_faster_ends_the_measuring(model, always, monkeypatch):
    """The precisions are tried fastest first: a slower one can only cost time."""
    monkeypatch.setattr(choosing, "precisions", lambda: ["bf16", "f32"])
    for settled, tried in [(0.0, ["torch"]), (1e9, ["torch", "openvino bf16", "openvino f32"])]:
        monkeypatch.setattr(choosing, "_SETTLED", settled)
        figures = choose(model, 1, lambda: TEXTS).figures
        assert [figure["name"] for figure in figures] == tried
        (conversion_folder(model) / "choice.json").unlink()


def test_another_machine_measures_anew(model, always, monkeypatch):
    choose(model, 1, lambda: TEXTS)
    monkeypatch.setattr(choosing, "_machine", lambda: "another processor")
    asked = []
    choose(model, 1, lambda: asked.append(1) or TEXTS)
    assert asked


def test_what_is_not_faster_is_not_used(model, always, monkeypatch):
    monkeypatch.setattr(choosing, "WORTH_IT", 1e9)
    chosen = choose(model, 1, lambda: TEXTS)
    assert chosen.backend.name == "torch" and "nothing that agrees" in chosen.why
    assert choose(model, 1, lambda: pytest.fail("measured again")).backend.name == "torch"
    monkeypatch.setenv("BESPOKE_BACKEND", "openvino")
    assert choose(model, 1, lambda: TEXTS).backend.name == "openvino f32", "whoever insists has it"


@pytest.mark.parametrize("wish", ["auto", "openvino"])
def test_what_does_not_agree_is_not_used(model, always, monkeypatch, wish):
    """A backend that computes something else, however fast: here every other vector is turned a little."""
    real = OpenVinoBackend.vectors

    def turned(self, batches, role):
        for vectors in real(self, batches, role):
            vectors = vectors.copy()
            vectors[::2, 0] += 0.05 * np.abs(vectors).max()
            yield vectors

    monkeypatch.setenv("BESPOKE_BACKEND", wish)
    monkeypatch.setattr(OpenVinoBackend, "vectors", turned)
    monkeypatch.setattr(choosing, "WORTH_IT", 0.0)
    chosen = choose(model, 1, lambda: TEXTS)
    assert chosen.backend.name == "torch"
    assert chosen.figures[1]["lowest"] < 0.9999 and "with a cosine down to" in chosen.why


def test_agreement_is_measured_on_vectors(model):
    base, reference = measured(model, TorchBackend(model), TEXTS, None)
    assert (base.lowest, base.mean, base.overlap) == (1.0, 1.0, 1.0)
    np.testing.assert_allclose(np.linalg.norm(reference, axis=1), 1.0, atol=1e-6)
    other, _ = measured(model, TorchBackend(model), TEXTS, reference[::-1].copy())
    assert other.lowest < 0.99 and other.overlap < 0.9 and not other.agrees
    assert not Measured("x", 9.0, 0.99989, 1.0, 1.0).agrees
    assert not Measured("x", 9.0, 1.0, 1.0, 0.98).agrees
    assert Measured("x", 9.0, 0.9999, 1.0, 0.99).agrees
    assert sample(5) == [0, 1, 2, 3, 4] and len(sample(10_000)) == 32


def test_unknown_modules_fall_back_with_a_reason(model, always):
    from sentence_transformers import SentenceTransformer

    class Twice(torch.nn.Module):
        def forward(self, features):
            features["sentence_embedding"] = features["sentence_embedding"] * 2
            return features

    made = SentenceTransformer(modules=[*list(model), Twice()], device="cpu")
    with pytest.raises(Unconvertible, match="a module Twice"):
        check_convertible(made)
    chosen = choose(made, 1, lambda: TEXTS)
    assert chosen.backend.name == "torch" and "a module Twice" in chosen.why
    np.testing.assert_allclose(
        run(made, chosen.backend, TEXTS), made.encode_document(TEXTS), atol=1e-5
    )


def test_what_openvino_cannot_convert_is_encoded_by_torch_with_a_note(model, always, monkeypatch):
    def broken(*_):
        raise Unconvertible("OpenVINO cannot convert it: strange operation")

    monkeypatch.setattr(choosing, "converted", broken)
    chosen = choose(model, 1, lambda: TEXTS)
    assert chosen.backend.name == "torch" and "strange operation" in chosen.notes[0]


@pytest.mark.parametrize("damage", ["cut", "changed", "no record", "bad record"])
def test_a_corrupt_conversion_is_made_again_with_a_note(model, always, monkeypatch, damage):
    monkeypatch.setattr(choosing, "WORTH_IT", 0.0)
    choose(model, 1, lambda: TEXTS)
    folder = conversion_folder(model)
    weights = folder / "model.bin"
    if damage == "cut":
        os.truncate(weights, weights.stat().st_size // 2)
    elif damage == "changed":
        content = bytearray(weights.read_bytes())
        content[100] ^= 1
        weights.write_bytes(content)
    elif damage == "no record":
        (folder / "conversion.json").unlink()
    else:
        (folder / "conversion.json").write_text('["nonsense"]')
    assert not is_sound(folder)
    assert known_backend(model) is None, "a search does without it"
    chosen = choose(model, 1, lambda: TEXTS)
    assert chosen.backend.name == "openvino f32"
    assert "damaged and is made again" in chosen.notes[1]
    assert is_sound(folder)
    np.testing.assert_allclose(
        run(model, chosen.backend, TEXTS), model.encode_document(TEXTS), atol=1e-5
    )


def test_a_conversion_that_is_cut_off_leaves_nothing(model, monkeypatch, workspace):
    def cut_off(_model, folder):
        (folder / "model.xml").write_text("<half")
        raise KeyboardInterrupt

    folder = conversion_folder(model)
    with monkeypatch.context() as patched:
        patched.setattr("search.models.encoding.backends.choice.convert", cut_off)
        with pytest.raises(KeyboardInterrupt):
            converted(model, folder)
    assert list((workspace / ".converted").iterdir()) == []
    dead = workspace / ".converted" / ".abc.999999999.tmp"
    dead.mkdir()
    converted(model, folder)
    assert is_sound(folder) and not dead.exists()


@pytest.mark.usefixtures("converted_before")
def test_an_adapter_shares_the_conversion_of_its_base(model):
    from search.models.linear_adapter import with_adapter

    size = model.get_embedding_dimension()
    adapted = with_adapter(model, np.eye(size, dtype=np.float32)[::-1].copy())
    assert conversion_folder(adapted) == conversion_folder(model)
    np.testing.assert_allclose(
        run(adapted, backend_of("openvino", adapted), TEXTS),
        adapted.encode_document(TEXTS),
        atol=1e-5,
    )


def test_an_adapter_of_queries_alone_takes_each_its_way(model, always, monkeypatch):
    from search.models.linear_adapter import with_adapter

    size = model.get_embedding_dimension()
    adapted = with_adapter(model, np.eye(size, dtype=np.float32)[::-1].copy(), "query")
    monkeypatch.setattr(choosing, "WORTH_IT", 0.0)
    choose(model, 1, lambda: TEXTS)
    encoder = accelerated(adapted)
    assert isinstance(encoder, AcceleratedEncoder), "what was measured for the base holds"
    queries, documents = encoder.encode_query(ODD), encoder.encode_document(ODD)
    np.testing.assert_allclose(queries, adapted.encode_query(ODD), atol=1e-5)
    np.testing.assert_allclose(documents, adapted.encode_document(ODD), atol=1e-5)
    np.testing.assert_allclose(documents, model.encode_document(ODD), atol=1e-5)
    assert np.abs(queries - documents).max() > 1e-2


def test_other_weights_are_another_conversion(tiny_model):
    first, second = load_sentence_transformer(tiny_model), load_sentence_transformer(tiny_model)
    assert conversion_folder(first) == conversion_folder(second)
    with torch.no_grad():
        next(second[0].model.parameters()).add_(0.01)
    assert conversion_folder(first) != conversion_folder(second)


def test_queries_use_what_the_corpus_was_encoded_with(model, always, monkeypatch):
    assert accelerated(model) is model, "nothing was measured yet"
    monkeypatch.setattr(choosing, "WORTH_IT", 0.0)
    choose(model, 1, lambda: TEXTS)
    encoder = accelerated(model)
    assert isinstance(encoder, AcceleratedEncoder) and encoder.backend.name == "openvino f32"
    np.testing.assert_allclose(encoder.encode_query(ODD), model.encode_query(ODD), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_document(ODD), model.encode_document(ODD), atol=1e-5)
    assert encoder.encode_query([]).shape == (0, model.get_embedding_dimension())
    assert accelerated(encoder) is encoder or isinstance(accelerated(encoder), AcceleratedEncoder)


def test_threads_may_share_an_encoder(model, always, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr(choosing, "WORTH_IT", 0.0)
    choose(model, 1, lambda: TEXTS)
    encoder = accelerated(model)
    wanted = model.encode_query(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: encoder.encode_query([text])[0], TEXTS * 4))
    np.testing.assert_allclose(np.stack(found), np.tile(wanted, (4, 1)), atol=1e-5)


def test_an_index_tells_what_encoded_it(project, monkeypatch):
    monkeypatch.setattr(choosing, "PAYS_AFTER_SECONDS", 0.0)
    made = index_model(project, "generic").details["encoding"]
    assert made["backend"] in ("torch", "openvino f32", "openvino bf16")
    assert len(made["measured"]) >= 2 and made["passages_a_second"] > 0
    assert any(made["backend"] in note for note in made["notes"])
    again = index_model(project, "generic")
    assert again.details["reused"] == current_corpus(project)[1].passages


def test_openvino_reports_to_nobody(tmp_path):
    """Its package would write a client id into the home folder and send events when it is imported."""
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from search.models.encoding.backends.openvino import load_openvino\n"
        "load_openvino().Core()\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "print(telemetry_utils.tm.__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"
    assert list(tmp_path.iterdir()) == []


def test_converting_warns_nobody(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        converted(model, conversion_folder(model))
