"""Graphs of ONNX and OpenVINO: the same vectors, whoever computes them, from the exported folder alone."""

import re
import shutil

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file

from indexes.vector_index import normalised
from search.corpus.corpus import current_corpus
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.errors import Failed, Refused
from search.projects.project import Project
from tests.conftest import REPOSITORY
from training.export import onnx_graph, openvino_graph
from training.export.export import export

OF = {"onnx": onnx_graph, "openvino": openvino_graph}
LONG = "velkorin " * 90
QUESTIONS = ["who files the summons about velkorin", "", "knee"]


def _code_of(folder) -> dict:
    """What the code of a card gives, run as it stands there."""
    card = (folder / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1)
    space: dict = {"print": lambda *_: None}
    exec(code.replace("path/to/this/folder", str(folder)), space)
    return space


@pytest.mark.parametrize("form", [pytest.param("onnx", marks=pytest.mark.slow), "openvino"])
@pytest.mark.parametrize("name", [pytest.param("asks", marks=pytest.mark.slow), "turned"])
def test_a_graph_gives_what_the_model_gives(lab, tmp_path, form, name, workspace):
    *_, agreed = export(lab, name, tmp_path / "out", form=form)
    assert "cosine 1.00000 at least" in agreed
    encoder = load_encoder(lab, find_model(lab, name))
    texts = [*current_corpus(lab)[1].embedded_texts(0, 20), LONG, "zzqq", "a" * 130]
    encode = _code_of(tmp_path / "out")["encode"]
    for side, wanted, asked in (
        ("query", encoder.encode_query(QUESTIONS[:1]), QUESTIONS[:1]),
        ("document", encoder.encode_document(texts), texts),
    ):
        np.testing.assert_allclose(encode(asked, side), normalised(wanted), atol=2e-5)
    with OF[form].opened(tmp_path / "out") as again:
        vectors = again.encode_query(QUESTIONS)
    np.testing.assert_allclose(vectors, normalised(encoder.encode_query(QUESTIONS)), atol=2e-5)
    graphs = {
        path.stem for path in (tmp_path / "out").glob({"onnx": "*.onnx", "openvino": "*.xml"}[form])
    }
    assert graphs == ({"document", "query"} if name == "asks" else {"model"})


@pytest.mark.slow
def test_onnx_of_fewer_bits_says_what_they_cost(lab, tmp_path, workspace):
    sizes = {}
    for precision in ("fp32", "fp16", "int8"):
        *_, said = export(lab, "both", tmp_path / precision, form="onnx", precision=precision)
        lowest = float(re.search(r"cosine ([\d.]+) at least", said).group(1))
        assert lowest > {"fp32": 0.9999, "fp16": 0.9999, "int8": 0.8}[precision]
        assert ("dev queries:" in said) == (precision != "fp32")
        sizes[precision] = (tmp_path / precision / "model.onnx").stat().st_size
    assert sizes["int8"] < sizes["fp32"] > sizes["fp16"]
    assert str(REPOSITORY).encode() not in (tmp_path / "fp32" / "model.onnx").read_bytes()


@pytest.mark.slow
def test_eight_bits_are_smaller_and_say_what_they_cost(lab, tmp_path, workspace):
    notes = {}
    for precision in ("fp32", "int8", "fp16"):
        *_, notes[precision] = export(
            lab, "both", tmp_path / precision, form="openvino", precision=precision
        )
    sizes = {name: (tmp_path / name / "model.bin").stat().st_size for name in notes}
    assert sizes["int8"] < 0.35 * sizes["fp32"] and sizes["fp16"] < 0.55 * sizes["fp32"]
    with OF["openvino"].opened(tmp_path / "int8") as packed:
        encoder = load_encoder(lab, find_model(lab, "both"))
        texts = current_corpus(lab)[1].embedded_texts(0, 40)
        cosines = np.sum(packed.encode_document(texts) * encoder.encode_document(texts), axis=1)
    assert 0.98 < cosines.min() < 0.99999
    card = (tmp_path / "int8" / "README.md").read_text()
    lowest = float(re.search(r"cosine ([\d.]+) at least", card).group(1))
    assert lowest <= cosines.min() + 1e-5
    assert re.search(
        r"nDCG@10 on 8 dev queries: 0\.\d{4}, the model 0\.\d{4} \([+-]0\.\d{4}\)", card
    )
    assert notes["int8"] in card and "dev queries:" not in notes["fp32"]


def test_an_export_that_is_not_the_model_is_refused_and_leaves_nothing(
    lab, tmp_path, tree, monkeypatch, workspace
):
    monkeypatch.setattr(
        "training.export.graph.prompt_of", lambda model, role: "" if role == "query" else None
    )
    target = tmp_path / "there"
    target.mkdir()
    with pytest.raises(
        Refused,
        match=r"not the same model: of the document 'd0', read as a document, .*'Velkorin Velk",
    ):
        export(lab, "both", target / "out", form="openvino")
    assert tree(target) == {}


@pytest.mark.parametrize(
    ("form", "precision", "said"),
    [
        ("sentence-transformers", "int8", "has no int8, only fp32 and fp16; int8 is in .*openvino"),
        ("word2vec", "fp16", "has no fp16, only fp32"),
        ("word2vec", "fp32", "a vector for a text, none for a word. Export it as a sentence"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(lab, tmp_path, form, precision, said):
    with pytest.raises(Refused, match=said):
        export(lab, "both", tmp_path / "out", form=form, precision=precision)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        SafetensorError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_leaves_nothing(lab, tmp_path, tree, monkeypatch, workspace, error):
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("training.export.graph.write_json", full)
    target = tmp_path / "there"
    target.mkdir()
    with pytest.raises(Failed, match=r"out cannot be written: .*Nothing was left there"):
        export(lab, "both", target / "out", form="openvino")
    assert tree(target) == {}


def test_a_model_whose_base_is_gone_is_one_sentence(lab, workspace, tmp_path):
    shutil.copytree(lab.folder, workspace / "lab")
    orphaned = Project(workspace / "lab")
    shutil.rmtree(orphaned.folder / "models" / find_model(orphaned, "base").id)
    with pytest.raises(Failed, match=r"is an adapter on a model that is gone \(base\)"):
        export(orphaned, "both", tmp_path / "out", form="openvino")
    assert not (tmp_path / "out").exists()


def test_half_precision_of_a_folder(lab, tmp_path, workspace):
    *_, agreed = export(lab, "both", tmp_path / "out", precision="fp16")
    assert "dev queries" in agreed
    weights = load_file(tmp_path / "out" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {np.dtype("float16")}


def test_word_vectors_as_text(lab, tmp_path, workspace):
    *notes, agreed = export(lab, "turned", tmp_path / "out", form="word2vec")
    assert "mean of the rows" in notes[0] and "cosine 1.00000 at least" in agreed
    lines = (tmp_path / "out" / "vectors.txt").read_text().splitlines()
    rows = {line.split()[0]: np.array(line.split()[1:], dtype=float) for line in lines[1:]}
    assert lines[0] == f"{len(rows)} 12"
    mean = np.mean([rows[word] for word in ["files", "the", "summons"]], axis=0)
    wanted = load_encoder(lab, find_model(lab, "turned")).encode_query(["Who FILES the summons?"])
    np.testing.assert_allclose(mean / np.linalg.norm(mean), wanted[0], atol=1e-5)
