"""What a static model starts from: distilled word pieces, pieces of a corpus, and one length for all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Cancelled, Refused
from search.projects.progress import silent
from training.checkpoints import Checkpointer
from training.corpus_subwords import train_subword_tokenizer
from training.static.starts import SIF_A, StaticBase, distilled, scratch, zipf_weights

TEXTS = [
    *["the nurse dressed the wound and the doctor closed the wound"] * 30,
    *["the judge signed the writ and the clerk sealed the writ"] * 30,
    *["मेरी नानी ने हिन्दी में चिट्ठी लिखी", "die Grundsteuererklärung und die Steuererklärung"] * 5,
]


def tokens(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).tokens


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def vector(start, word):
    (piece,) = Tokenizer.from_str(start.tokenizer).encode(word, add_special_tokens=False).ids
    return start.vectors[piece]


def test_frequent_words_are_whole_and_long_ones_share_their_parts():
    tokenizer = train_subword_tokenizer(TEXTS, 400)
    assert tokens(tokenizer, "The Doctor, closed!") == ["▁the", "▁doctor", "▁closed"]
    assert tokens(tokenizer, "हिन्दी") == ["▁हिन्दी"]
    unseen = tokens(tokenizer, "Steuerwound")
    assert len(unseen) > 1
    assert "".join(unseen) == "▁steuerwound"
    assert "本" not in "".join(tokens(tokenizer, "日本 wound"))
    assert tokens(tokenizer, "日本 wound")[-1] == "▁wound", "what the corpus has no letter of"


def test_a_length_of_one_in_the_mean_changes_no_cosine():
    vectors = np.array([[3, 4], [0, 0], [0, 15]], dtype=np.float32)
    start = StaticBase.of("{}", vectors)
    np.testing.assert_allclose(start.vectors, vectors / 10, rtol=1e-6)
    assert not StaticBase.of("{}", np.zeros((2, 2), dtype=np.float32)).vectors.any()


def test_zipf_weights_are_those_of_sif():
    weights = zipf_weights(3)
    shares = np.array([1 / 2, 1 / 3, 1 / 4]) / (1 / 2 + 1 / 3 + 1 / 4)
    np.testing.assert_allclose(weights, [SIF_A / (SIF_A + share) for share in shares])


def test_a_distilled_piece_lies_where_the_transformer_puts_it_when_it_reads_it_alone(tiny_model):
    teacher = load_sentence_transformer(tiny_model)
    size = teacher.get_embedding_dimension()
    told = []
    start = distilled(
        teacher, "tiny", size, lambda done, total, message, metrics=None: told.append(message)
    )
    assert told and "word pieces" in told[0]  # fmt: skip
    tokenizer = Tokenizer.from_str(start.tokenizer)
    special = [tokenizer.token_to_id(name) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")]
    assert not start.vectors[special].any()
    pieces = [p for p in range(len(start.vectors)) if p not in {*special, tokenizer.token_to_id("[MASK]")}]  # fmt: skip
    words = [(rank, tokenizer.id_to_token(p)) for rank, p in enumerate(pieces)]
    words = [(rank, word) for rank, word in words if word.isalpha()]
    taught = teacher.encode([word for _, word in words])
    weights = zipf_weights(len(pieces))
    made = np.stack([start.vectors[pieces[rank]] / weights[rank] for rank, _ in words])

    def distances(rows):
        return np.linalg.norm(rows[:, None] - rows[None], axis=2)[~np.eye(len(rows), dtype=bool)]

    ratio = distances(made) / distances(taught)
    np.testing.assert_allclose(ratio, ratio[0], rtol=2e-3)


def test_only_the_pieces_of_the_texts_are_read_and_counted(tiny_model):
    teacher = load_sentence_transformer(tiny_model)
    told = []
    start = distilled(
        teacher,
        "tiny",
        8,
        lambda done, total, message, metrics=None: told.append((total, message)),
        ["registrar frost", "the registrar"],
    )
    tokenizer = Tokenizer.from_str(start.tokenizer)
    ids = set(tokenizer.encode("the registrar frost", add_special_tokens=False).ids)
    assert set(np.flatnonzero(start.vectors.any(axis=1)).tolist()) == ids
    every = distilled(teacher, "tiny", 8, silent)
    read = np.flatnonzero(every.vectors.any(axis=1)).size
    assert told[0] == (len(ids), f"reading {len(ids)} word pieces one by one")
    assert start.note.startswith(f"Distilled from {len(ids)} of the {read:,} word pieces of tiny")
    assert every.note == ""
    with pytest.raises(Refused, match="no word piece of 'tiny'"):
        distilled(teacher, "tiny", 8, silent, ["ꯃꯤꯇꯩ"])


def test_a_static_model_reads_to_the_end_of_a_text(tiny_model):
    teacher = load_sentence_transformer(tiny_model)
    assert teacher.max_seq_length < 200
    model = distilled(teacher, "tiny", 8, silent).model("cpu")
    filler = "registrar " * 200
    one, two = model.encode([filler + "fever", filler + "summons"])
    assert cosine(one, two) < 1 - 1e-6


def test_what_has_no_word_pieces_cannot_be_distilled(tiny_model):
    static = distilled(load_sentence_transformer(tiny_model), "tiny", 8, silent).model("cpu")
    with pytest.raises(Refused, match=r"'mine' has no word pieces .* start=wordllama"):
        distilled(static, "mine", 8, silent)


def test_words_used_alike_begin_near_each_other_and_frequent_ones_weigh_less():
    start = scratch(TEXTS * 40, 400, 16, True, 1, silent)
    near = cosine(vector(start, "nurse"), vector(start, "doctor"))
    assert near > cosine(vector(start, "nurse"), vector(start, "clerk"))
    chance = scratch(TEXTS, 400, 32, False, 1, silent)
    assert np.linalg.norm(vector(chance, "the")) < 0.2 * np.linalg.norm(vector(chance, "nurse"))
    assert np.array_equal(chance.vectors, scratch(TEXTS, 400, 32, False, 1, silent).vectors)
    assert not np.array_equal(chance.vectors, scratch(TEXTS, 400, 32, False, 2, silent).vectors)


def test_learning_from_scratch_can_be_cancelled_between_epochs():
    def stop(done, total, message, metrics=None):
        if "epoch 3" in message:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        scratch(TEXTS, 400, 8, True, 1, stop)


def test_documents_without_a_word_are_refused():
    with pytest.raises(Refused, match="no words"):
        scratch(["...", "!"], 400, 8, False, 1, silent)


def test_a_start_is_kept_for_a_resumed_training_of_the_same_settings(tmp_path):
    start = scratch(TEXTS, 400, 8, False, 1, silent)
    start.keep(Checkpointer(tmp_path / "kept", {"seed": 1}))
    found = StaticBase.from_checkpoint(Checkpointer(tmp_path / "kept", {"seed": 1}))
    assert found is not None
    assert found.tokenizer == start.tokenizer
    assert np.array_equal(found.vectors, start.vectors)
    assert StaticBase.from_checkpoint(Checkpointer(tmp_path / "kept", {"seed": 2})) is None


@pytest.mark.slow
def test_two_processes_make_the_same_start():
    program = (
        "import hashlib; from tests.training.static.test_static_bases import *; "
        "s = scratch(TEXTS, 400, 16, True, 3, silent); "
        "print(hashlib.sha256(s.tokenizer.encode() + s.vectors.tobytes()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
