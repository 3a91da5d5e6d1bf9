"""What is said of a model is counted with its own tokenizer, its own window and its own files."""

import json
import shutil
import subprocess
import sys

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.corpus.report.tokenizer_fit import tokenizer_fit
from search.corpus.tokenizer import UNREAD, ModelTokenizer, generic_reader
from search.models.legibility import MULTILINGUAL, illegible
from search.models.pretrained.add import Choices, add_model
from search.models.registry import GENERIC, find_model, generic_info, models
from search.models.tokenizers import reader_of, size_of
from search.projects.project import Project
from tests.multilingual import HINDI, write_multilingual
from training.advice.facts import facts_of
from training.advice.recommending import recommend
from training.base_model import reading_notes
from training.data.reports import current_report, make_report
from training.train import train


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory, tiny_model):
    return write_multilingual(tmp_path_factory.mktemp("many") / "many", tiny_model)


@pytest.fixture
def hindi(tmp_path):
    """Six documents in Hindi, two in English."""
    made = Project(tmp_path / "workspace" / "p")
    english = ["The tenant pays the rent in May.", "The lease ends where the term of it is over."]
    rows = [{"id": f"d{n}", "text": text} for n, text in enumerate([*HINDI, *HINDI, *english])]
    for number, row in enumerate(rows):
        row["text"] += f" ({number})"
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    add_documents(made, [path])
    return made


def test_pieces_are_those_of_each_model(hindi, multilingual):
    add_model(hindi, str(multilingual), Choices(name="many", document_prompt="की "))
    many = reader_of(hindi, find_model(hindi, "many"))
    built_in = reader_of(hindi, find_model(hindi, GENERIC))
    assert many.subwords(["मधुमेह", "tenant"]) == [("मधुमेह",), ("tenant",)]
    assert len(built_in.subwords(["मधुमेह"])[0]) > 3
    assert many.subwords(["ꯃ"]) == [(UNREAD,)]
    assert (many.title, many.window, many.around) == ("many", 48, 3), "two ends and a prompt"
    assert (built_in.window, built_in.room) == (256, 254)
    # Counted run by run as the tokenizer counts the whole.
    text = f"{HINDI[0]}\n tenant  of {HINDI[1]}"
    for reader in (many, built_in):
        whole = reader.tokenizer.encode(text, add_special_tokens=False).ids
        assert reader.counter.of(text) == len(whole)


def test_bytes_are_shown_as_letters():
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    from search.corpus.tokenizer import ModelTokenizer

    alphabet = {piece: n for n, piece in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(alphabet, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    (pieces, plain) = ModelTokenizer("bytes", tokenizer).subwords(["né", "no"])
    assert plain == ("n", "o")
    assert pieces[0] == "n"
    assert set(pieces[1:]) == {"é"}


def test_a_script_without_spaces_is_not_called_foreign_for_its_long_words():
    runs = {"人工智能": 1, "学习": 1}
    found = tokenizer_fit(runs, generic_reader())
    assert found.pieces_per_word == 6 / 3, "a letter a piece, two letters a word"


def test_a_static_models_reader_and_sizes(hindi, multilingual):
    add_model(hindi, "static")
    add_model(hindi, str(multilingual), Choices(name="many", default=True))
    static = reader_of(hindi, find_model(hindi, "static"))
    assert (static.window, static.subwords(["rent"])) == (None, [("rent",)])
    sizes = {info.name: size_of(hindi, info) for info in models(hindi)}
    assert sizes["all-MiniLM-L6-v2"] > 80e6
    assert sizes["static"] > 10e6
    assert sizes[GENERIC] == sum(f.stat().st_size for f in multilingual.rglob("*") if f.is_file())
    shown = [
        (info.name, info.as_json()["kind"], info.as_json()["default"]) for info in models(hindi)
    ]
    assert shown == [
        (GENERIC, "generic", True),
        ("all-MiniLM-L6-v2", "generic", False),
        ("static", "generic", False),
    ]


def test_the_report_and_the_advice_speak_of_the_default_model(hindi, multilingual):
    english = make_report(hindi).details["corpus"]
    assert (english["model"], english["english"]) == ("all-MiniLM-L6-v2", True)
    assert any("hardly knows this vocabulary" in said for said in english["findings"])
    before = facts_of(hindi)
    assert (before.foreign, before.model) == (True, "all-MiniLM-L6-v2")
    add_model(hindi, str(multilingual), Choices(name="many", default=True))
    assert current_report(hindi) is None, (
        "what was seen with another model is no report on this one"
    )
    seen = make_report(hindi).details["corpus"]
    assert (seen["model"], seen["english"]) == ("many", False)
    pieces = [one["foreignness"]["pieces_per_word"] for one in (seen, english)]
    assert pieces[0] < 2 < pieces[1]
    said = " ".join(seen["findings"])
    assert "learned from English" not in said
    assert "hardly knows" not in said
    facts = facts_of(hindi)
    assert (facts.foreign, facts.model, facts.english) == (False, "many", False)
    for known in (before, facts):
        ranked = [advice.option for advice in recommend(known, {"generic": 10_000.0})]
        assert ranked.index("generic") < ranked.index("api"), "not even where it takes too long"
    assert "made for" not in " ".join(r for a in recommend(facts) for r in a.reasons)


def test_documents_that_a_model_cannot_read_are_named_before_training(
    hindi, multilingual, call_cli
):
    _, corpus = current_corpus(hindi)
    note = illegible(hindi, corpus)
    assert note.startswith("all-MiniLM-L6-v2 cannot read 75% of the documents well: Hindi (")
    assert MULTILINGUAL in note
    add_model(hindi, str(multilingual), Choices(name="many", default=True))
    assert illegible(hindi, corpus) is None
    assert illegible(hindi, corpus, find_model(hindi, "all-MiniLM-L6-v2")) == note


def test_a_corpus_that_no_model_of_many_languages_reads_gets_a_sentence_too(hindi, monkeypatch):
    """The same reader, were it one of many languages: no other model is named, but what needs none is."""
    _, corpus = current_corpus(hindi)
    monkeypatch.setattr(ModelTokenizer, "many_languages", True)
    note = illegible(hindi, corpus)
    assert "add-model" not in note
    assert "keyword search (bm25) needs no model" in note


def test_a_start_that_is_a_folder_is_looked_at_as_a_model_that_is_added(
    hindi, multilingual, tiny_model, tmp_path, call_cli
):
    short = shutil.copytree(tiny_model, tmp_path / "short")
    settings = json.loads((short / "sentence_bert_config.json").read_text())
    (short / "sentence_bert_config.json").write_text(json.dumps(settings | {"max_seq_length": 5}))
    notes = reading_notes(hindi, str(short))
    assert any(note.startswith("'short' reads 5 tokens of a passage: ") for note in notes)
    assert any(
        note.startswith("short cannot read 75% of the documents well: Hindi (") for note in notes
    )
    assert not any("cannot read" in note for note in reading_notes(hindi, str(multilingual)))
    added = call_cli("add-model", "p", str(short))
    assert added.status == 0 and all(note.removeprefix("short: ") in added.err for note in notes)
    assert reading_notes(hindi, "short") == notes[-1:], "the rest was said when it was added"
    done = call_cli("train", "p", "--recipe", "adapter", "--set", f"base={short}")
    assert "short cannot read 75% of the documents well" in done.err


def test_what_was_trained_reads_as_its_base(hindi, multilingual):
    add_model(hindi, str(multilingual), Choices(name="many", default=True))
    train(hindi, "word2vec", "words", {"vector_size": 8, "min_count": 1, "epochs": 1})
    assert reader_of(hindi, find_model(hindi, "words")) is None
    assert generic_info(hindi).title == "many"


@pytest.mark.slow
def test_threads_that_ask_for_parts_of_one_library_at_once_all_get_them():
    """Without an order, Python hands out modules that are half imported."""
    code = """
import sys, threading
from search.models.import_order import before_transformers
sys.setswitchinterval(1e-5)
begin = threading.Barrier(6)
def tokenizer():
    begin.wait()
    before_transformers()
    from transformers import AutoTokenizer
    assert AutoTokenizer
def model():
    begin.wait()
    from sentence_transformers import SentenceTransformer
    assert SentenceTransformer
threads = [threading.Thread(target=work) for work in (tokenizer, model) * 3]
[one.start() for one in threads]
[one.join() for one in threads]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
