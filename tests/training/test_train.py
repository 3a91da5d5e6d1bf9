"""From a recipe's name to a published model, and out again: names, leaks, refusals, export."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair
from search.corpus.tokenizer import generic_folder
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.general import general_questions
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.load import load_encoder
from search.models.registry import find_model
from search.models.word_tokenizers import words_of
from search.projects.errors import Cancelled, Refused
from search.projects.project import Project
from training import forgetting
from training.data.intake import import_beir
from training.data.pair_sets import PairSet
from training.export.export import export
from training.fine_tune.settings import FineTuneSettings
from training.forgetting import general_ndcg
from training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")


TUNE = {"epochs": "2", "batch_size": "16", "learning_rate": "1e-3"}
WORDS = {"vector_size": 12, "min_count": 1, "epochs": 2}
REPOSITORY = Path(__file__).resolve().parents[2]
PICKLES = {".bin", ".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npz"}


@pytest.fixture(scope="module")
def beir_with_leaks(tmp_path_factory, request):
    """The tiny data with four train queries that leak: by a test or dev query, or by an answer."""
    shared = request.config.pluginmanager.get_plugin(str(REPOSITORY / "tests" / "conftest.py"))
    folder = shared.write_tiny_beir(tmp_path_factory.mktemp("data") / "leaky")
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    texts = {row["_id"]: row["text"] for row in rows}
    leaks = {
        "leak-query": (texts["test-3"].upper() + "?!", "d1"),
        "leak-dev": (texts["dev-2"] + ".", "d2"),
        "leak-answer": ("a question of its own about thirty", "d30"),
        "leak-dev-answer": ("another question of its own", "d25"),
    }
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as stream:
        for key, (text, _) in leaks.items():
            stream.write(json.dumps({"_id": key, "text": text}) + "\n")
    with (folder / "qrels" / "train.tsv").open("a", encoding="utf-8") as stream:
        for key, (_, document) in leaks.items():
            stream.write(f"{key}\t{document}\t1\n")
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory, beir_with_leaks, tiny_model):
    """A project with a model of each recipe, trained once."""
    torch.set_num_threads(1)
    project = Project(tmp_path_factory.mktemp("workspace") / "p")
    import_beir(project, beir_with_leaks, question="new_documents")
    train(project, "fine-tune", "tuned", {**TUNE, "base": str(tiny_model)})
    train(project, "word2vec", "words", WORDS)
    train(project, "fasttext", "parts", {**WORDS, "buckets": 1_000})
    return project


@pytest.fixture
def project(original, tmp_path):
    """A copy of that project, to change at will."""
    shutil.copytree(original.folder, tmp_path / "workspace" / "p")
    return Project(tmp_path / "workspace" / "p")


def _model(project, name):
    return project.artifact("models", find_model(project, name).id)


def test_a_fine_tuned_model_is_a_plain_sentence_transformer_folder(project):
    from sentence_transformers import SentenceTransformer

    folder = project.folder_of(_model(project, "tuned"))
    texts = ["what helps against velkorin", "the registrar orders a splint", ""]
    plain = SentenceTransformer(str(folder), device="cpu").encode(texts)
    ours = load_encoder(project, find_model(project, "tuned")).encode_document(texts)
    np.testing.assert_allclose(plain, ours, atol=1e-6)
    assert plain.shape == (3, 32)


def test_no_model_holds_a_pickle(project):
    files = [path for path in (project.folder / "models").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} & PICKLES == set()
    for path in files:
        assert not path.read_bytes().startswith(
            (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
        )
        assert not path.read_bytes().startswith(b"PK"), "a torch archive is a zip of a pickle"
    assert sum(path.suffix == ".safetensors" for path in files) == 3


def test_the_manifest_tells_how_it_was_made(project, tiny_model):
    manifest = _model(project, "tuned")
    assert manifest.made_from == {
        "corpus": project.newest("corpora").id,
        "pairs": project.newest("pairs").id,
        "queries": project.newest("queries").id,
    }
    details = manifest.details
    assert (details["name"], details["recipe"], details["dimension"]) == ("tuned", "fine-tune", 32)
    assert details["origin"] == str(tiny_model)
    given = {**TUNE, "base": str(tiny_model)}
    assert details["settings"] == FineTuneSettings.model_validate(given).model_dump(mode="json")
    assert details["settings"].items() >= {"seed": 42, "epochs": 2, "warmup": 0.1}.items()
    scores = details["dev"]["ndcg@10"]
    assert len(scores) == 3
    assert details["dev"]["kept"] == ["start", "epoch 1", "epoch 2"][int(np.argmax(scores))]
    assert details["dev"]["epochs"] == [0, 1, 2]
    assert max(scores) > scores[0]
    assert (details["dev"]["queries"], details["dev"]["documents"]) == (8, 40)
    for name, recipe in (("words", "word2vec"), ("parts", "fasttext")):
        manifest = _model(project, name)
        assert manifest.made_from == {"corpus": project.newest("corpora").id}
        assert (manifest.details["recipe"], manifest.details["dimension"]) == (recipe, 12)


def test_leaks_are_left_out_of_training_and_counted(project, beir_with_leaks):
    manifest = _model(project, "tuned")
    path = project.folder_of(manifest) / TRAINED_ON
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    queries = [
        json.loads(line)
        for line in (beir_with_leaks / "queries.jsonl").read_text("utf-8").splitlines()
    ]
    clean = {row["text"] for row in queries if row["_id"].startswith("train-")}
    assert {row["query"] for row in rows} == clean
    assert len(rows) == len(clean) == 60
    held_out = {f"d{number}" for number in range(24, 40)}
    assert not {row["document"] for row in rows} & held_out
    assert (manifest.details["pairs"], manifest.details["left_out"]) == (60, 4)
    assert manifest.details["notes"][0] == (
        "4 pairs left out of training, so that nothing leaks into the test: 2 for a shared query, "
        "2 for a shared answer (near-duplicates included)"
    )


def test_what_was_forgotten_is_measured_on_general_questions(project, monkeypatch):
    monkeypatch.setattr(forgetting, "general_questions", general_questions)  # All hundred.
    manifest = _model(project, "tuned")
    told = manifest.details["general"]
    tuned = load_encoder(project, find_model(project, "tuned"))
    assert told["questions"] == 100
    assert told["ndcg@10"] == pytest.approx(general_ndcg(tuned), abs=1e-6)
    assert any(note.startswith("On 100 general questions") for note in manifest.details["notes"])


def test_an_untouched_start_is_said_and_equals_the_start(project, tiny_model, ask_themselves):
    """Dev queries that are their own answers: no epoch can beat the start, least of all at 1e-2."""
    from search.models.sentence_transformer import load_sentence_transformer

    ask_themselves(project)
    made = train(
        project,
        "fine-tune",
        None,
        {"base": str(tiny_model), "learning_rate": 1e-2, "epochs": 4, "batch_size": 16},
    )
    assert any("this model is the untouched start" in note for note in made.notes)
    details = _model(project, made.name).details
    assert details["dev"]["kept"] == "start"
    assert details["dev"]["ndcg@10"][0] == 1.0
    assert details["notes"] == made.notes
    encoder = load_encoder(project, find_model(project, made.name))
    start = load_sentence_transformer(tiny_model)
    # It is stored as a reference: what is put behind the start turns nothing.
    weights = encoder.state_dict()
    for name, tensor in start.state_dict().items():
        np.testing.assert_array_equal(weights[name].numpy(), tensor.numpy())
    asked = ["what helps against velkorin", "who files the deed"]
    np.testing.assert_allclose(encoder.encode_query(asked), start.encode_query(asked), atol=1e-7)


def test_the_same_seed_gives_the_same_model(project, tiny_model):
    again = train(project, "fine-tune", "again", {**TUNE, "base": str(tiny_model)})
    one, two = _model(project, "tuned"), _model(project, again.name)
    assert one.details["dev"] == two.details["dev"]
    assert one.files["model.safetensors"] == two.files["model.safetensors"]


def test_a_model_of_the_project_can_be_tuned_further(project):
    made = train(project, "fine-tune", "further", {**TUNE, "base": "tuned", "epochs": 1})
    before, after = _model(project, "tuned").details, _model(project, made.name).details
    assert after["dev"]["ndcg@10"][0] == pytest.approx(max(before["dev"]["ndcg@10"]), abs=1e-6)
    assert after["origin"] == "tuned"


def _publish_queries(project, queries, judgments):
    with project.publish("queries", {"corpus": project.newest("corpora").id}) as draft:
        QuerySet(queries, judgments).save(draft)


def test_what_a_model_saw_before_a_query_set_came_is_left_out_of_the_proof(project):
    _publish_queries(
        project,
        {"seen": "who files the certificate about velkorin", "new": "ombrathal"},
        {"seen": {"d0": 1}, "new": {"d38": 1}},
    )
    result = evaluate(project, ["bm25", "tuned"])
    assert result.queries == ["new"]
    assert "1 queries left out: a model was trained on them or their answers" in result.notes
    assert not result.clean


def test_what_the_start_of_a_model_saw_is_left_out_too(project):
    """Tuned further from a model that had seen them: keeping the second training apart is not enough."""
    _publish_queries(
        project,
        {"seen": "who files the certificate about velkorin", "new": "ombrathal"},
        {"seen": {"d0": 1}, "new": {"d38": 1}},
    )
    train(project, "fine-tune", "further", {**TUNE, "base": "tuned", "epochs": 1})
    result = evaluate(project, ["bm25", "further"])
    assert result.queries == ["new"]


# --- names ---


def test_names_are_numbered_when_taken(project):
    names = [train(project, "word2vec", None, WORDS).name for _ in range(3)]
    assert names == ["word2vec", "word2vec-2", "word2vec-3"]
    assert train(project, "word2vec", "word2vec-4", WORDS).name == "word2vec-4"
    assert train(project, "word2vec", None, WORDS).name == "word2vec-5"


@pytest.mark.parametrize("name", ["words", "generic", "bm25"])
def test_a_taken_name_is_refused(project, name):
    with pytest.raises(Refused, match=f"The name '{name}' is taken"):
        train(project, "word2vec", name, WORDS)
    assert len(project.manifests("models")) == 3


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "x" * 81, "tab\tbed"])
def test_a_name_that_cannot_be_one_is_refused(project, name):
    with pytest.raises(Refused):
        train(project, "word2vec", name, WORDS)
    assert len(project.manifests("models")) == 3


# --- refusals change nothing ---


@pytest.mark.parametrize(
    ("recipe", "values", "words"),
    [
        ("magic", {}, "no recipe 'magic'"),
        ("fine-tune", {"epoch": "3"}, "fine-tune has no setting 'epoch'"),
        ("fine-tune", {"epochs": "0"}, "fine-tune: epochs=0 cannot be used"),
        ("word2vec", {"vector_size": "big"}, "word2vec: vector_size=big cannot be used"),
        ("fasttext", {"min_n": "7"}, "min_n=7 is greater than max_n=6"),
        ("fine-tune", {"base": "words"}, "'words' is made of word vectors, and has no layers"),
    ],
)
def test_what_is_refused_changes_nothing(project, tree, recipe, values, words):
    before = tree(project.folder)
    with pytest.raises(Refused, match=words):
        train(project, recipe, None, values)
    assert tree(project.folder) == before


def _missing(folder, tiny_model):
    return folder / "missing"


def _empty(folder, tiny_model):
    folder.mkdir()
    return folder


def _bare(folder, tiny_model):
    shutil.copytree(tiny_model, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    return folder


def _pickled(folder, tiny_model):
    _bare(folder, tiny_model)
    torch.save({"weights": torch.zeros(2)}, folder / "pytorch_model.bin")
    return folder


def _a_file(folder, tiny_model):
    folder.write_text("no model")
    return folder


@pytest.mark.parametrize("make", [_missing, _empty, _bare, _pickled, _a_file])
def test_a_base_that_is_no_model_is_refused(project, tmp_path, tiny_model, tree, make):
    base = make(tmp_path / "base", tiny_model)
    before = tree(project.folder)
    with pytest.raises(Refused, match=re.escape(str(base))) as caught:
        train(project, "fine-tune", None, {**TUNE, "base": str(base)})
    assert len(str(caught.value).splitlines()) == 1
    assert tree(project.folder) == before


def test_too_few_pairs_are_refused(project, tiny_model):
    manifest = project.newest("pairs")
    whole = PairSet.load(project, manifest)
    with project.publish("pairs", manifest.made_from) as draft:
        leak = Pair("a question", current_corpus(project)[1].document("d30").text, "d30")
        PairSet([*whole.pairs[:3], leak], whole.dev).save(draft)
    with pytest.raises(Refused, match=r"Only 3 pairs are left to train on \(1 pair left out"):
        train(project, "fine-tune", None, {**TUNE, "base": str(tiny_model)})
    assert len(project.manifests("models")) == 3


def test_no_dev_query_with_an_answer_is_refused(project, tiny_model):
    manifest = project.newest("pairs")
    whole = PairSet.load(project, manifest)
    with project.publish("pairs", manifest.made_from) as draft:
        PairSet(whole.pairs, QuerySet({"q": "?"}, {"q": {"gone": 1}})).save(draft)
    with pytest.raises(Refused, match="No dev query has an answer"):
        train(project, "fine-tune", None, {**TUNE, "base": str(tiny_model)})


def test_fine_tuning_needs_pairs_and_documents(tmp_path, beir_with_leaks):
    from search.corpus.ingest import add_documents

    project = Project(tmp_path / "workspace" / "q")
    for recipe in ("fine-tune", "word2vec"):
        project.create()
        with pytest.raises(Refused, match="has no documents yet"):
            train(project, recipe)
    add_documents(project, [beir_with_leaks / "corpus.jsonl"])
    with pytest.raises(Refused, match="no query/response pairs"):
        train(project, "fine-tune")


def test_a_cancelled_training_publishes_nothing(project, tiny_model, tree):
    before = tree(project.folder)

    def stop(done, total, message, metrics=None):
        if message == "epoch 2 of 2":
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        train(project, "fine-tune", None, {**TUNE, "base": str(tiny_model)}, stop)
    assert tree(project.folder) == before


# --- export ---


def _unit(rows):
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


@pytest.mark.parametrize("name", ["tuned", "words", "parts", "generic"])
def test_an_exported_model_is_the_same_model_anywhere(project, tmp_path, name):
    from sentence_transformers import SentenceTransformer

    target = tmp_path / "exported"
    *notes, agreed = export(project, name, target)
    assert "cosine 1.00000 at least" in agreed
    encoder = load_encoder(project, find_model(project, name))
    _, corpus = current_corpus(project)
    texts = [*corpus.embedded_texts(0, 40), "who orders a splint against velkorin", ""]
    if name == "parts":
        texts = [text for text in texts if all(encoder.knows(word) for word in words_of(text))]
    plain = SentenceTransformer(str(target), device="cpu").encode(texts)
    np.testing.assert_allclose(plain, _unit(encoder.encode_document(texts)), atol=1e-5)
    names = {path.name for path in target.rglob("*")}
    assert "modules.json" in names
    assert not names & {"manifest.json", TRAINED_ON}
    assert not {path.suffix for path in target.rglob("*")} & PICKLES
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert bool(notes) == (name == "parts")
    if notes:
        assert "Only words of the corpus have vectors in the exported model" in notes[0]


def test_an_exported_model_can_be_trained_on(project, tmp_path):
    export(project, "tuned", tmp_path / "exported")
    values = {**TUNE, "epochs": 1, "base": str(tmp_path / "exported")}
    made = train(project, "fine-tune", None, values)
    scores = _model(project, made.name).details["dev"]["ndcg@10"]
    best = max(_model(project, "tuned").details["dev"]["ndcg@10"])
    assert scores[0] == pytest.approx(best, abs=1e-6)


def test_export_fills_an_empty_folder_and_no_other(project, tmp_path, tree):
    empty = tmp_path / "empty"
    empty.mkdir()
    export(project, "words", empty)
    assert (empty / "modules.json").is_file()
    full = tmp_path / "full"
    full.mkdir()
    (full / "precious.txt").write_text("mine")
    file = tmp_path / "file"
    file.write_text("mine")
    before = tree(tmp_path)
    for target, words in (
        (full, "exists and is not empty"),
        (empty, "exists and is not empty"),
        (file, "exists and is not empty"),
        (tmp_path / "no" / "such", "There is no folder"),
    ):
        with pytest.raises(Refused, match=words):
            export(project, "words", target)
    with pytest.raises(Refused, match="no model 'nothing'"):
        export(project, "nothing", tmp_path / "new")
    assert tree(tmp_path) == before


def test_the_generic_package_is_only_read(project, tmp_path):
    export(project, "generic", tmp_path / "exported")
    shutil.rmtree(tmp_path / "exported")
    assert (generic_folder() / "model.safetensors").is_file()
