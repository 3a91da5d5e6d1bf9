"""GGUF: what llama.cpp makes of it is what the model makes, and what it has no part for is refused."""

import json

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.corpus.ingest import add_documents
from search.models.linear_adapter import with_adapter
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Failed, Refused
from search.projects.project import Project
from tests import tiny_models
from training.export import gguf_file
from training.export.export import export
from training.export.llama_child import LlamaChild


def test_llama_cpp_gives_what_the_model_gives(lab, tmp_path, workspace):
    """A text beyond the window, and a lower precision, too."""
    note, agreed = export(lab, "plain", tmp_path / "out", form="gguf")
    assert "send at most 64 tokens" in note and "1.00000" in agreed
    encoder = load_encoder(lab, find_model(lab, "plain"))
    texts = ["who files the summons", "Velkorin? " * 90, ""]
    with gguf_file.opened(tmp_path / "out") as again:
        np.testing.assert_allclose(
            again.encode_query(texts), encoder.encode_query(texts), atol=1e-3
        )
    *_, agreed = export(lab, "plain", tmp_path / "small", form="gguf", precision="int8")
    assert (
        "dev queries" in agreed and "llama-server" in (tmp_path / "small" / "README.md").read_text()
    )
    sizes = [(tmp_path / name / "model.gguf").stat().st_size for name in ("out", "small")]
    assert sizes[1] < 0.7 * sizes[0]


def test_prompts_do_not_fit(lab, tmp_path):
    """llama.cpp puts nothing before a text, and one file for both sides can hold no two prompts."""
    with pytest.raises(
        Refused,
        match=r"with 'who ' before a query and 'files ' before a document.*\(onnx, openvino\).*`serve`",
    ):
        export(lab, "base", tmp_path / "out", form="gguf")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["both", "asks"])
def test_an_adapter_does_not_fit(lab, tmp_path, name):
    with pytest.raises(
        Refused, match=r"has a Dense behind its transformer.*onnx, openvino.*`serve` keeps"
    ):
        export(lab, name, tmp_path / "out", form="gguf")
    assert not (tmp_path / "out").exists()


def test_an_adapter_that_turns_nothing_is_left_out(tmp_path, tiny_model):
    base = load_sentence_transformer(tiny_model)
    gguf_file.write(with_adapter(base, np.eye(32, dtype=np.float32)), tmp_path, "fp32")
    with gguf_file.opened(tmp_path) as again:
        vectors = again.encode_document(["the registrar orders a splint"])
    wanted = normalised(base.encode(["the registrar orders a splint"]))
    np.testing.assert_allclose(vectors, wanted, atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "said"),
    [("roberta", "BERT models only, and this is roberta"), ("words", "this is StaticEmbedding")],
)
def test_another_architecture_is_refused(lab, tmp_path, kind, said, workspace):
    if kind != "words":
        tiny_models.write(tmp_path / kind, kind)
        folder = tiny_models.as_sentence_transformer(tmp_path / "folder", tmp_path / kind)
        with pytest.raises(Refused, match=said):
            gguf_file.write(load_sentence_transformer(folder), tmp_path, "fp32")
        return
    with pytest.raises(Refused, match=said):
        export(lab, kind, tmp_path / "out", form="gguf")


def test_a_corpus_that_llama_cpp_reads_otherwise_is_refused(workspace, tmp_path, tiny_model):
    """Its word pieces cut a word of more than a hundred characters, where BERT has one unknown piece."""
    project = Project(workspace / "long")
    project.create()
    texts = {"a": "the registrar orders a splint", "b": f"the registrar files {'ab' * 60}"}
    rows = [json.dumps({"_id": name, "text": text}) for name, text in texts.items()]
    (tmp_path / "texts.jsonl").write_text("\n".join(rows))
    add_documents(project, [tmp_path / "texts.jsonl"])
    add_model(project, str(tiny_model), Choices(name="base"))
    with pytest.raises(
        Refused, match=r"of the document 'b', read as a document.*begins: 'the registrar files ab"
    ):
        export(project, "base", tmp_path / "out", form="gguf")
    assert not (tmp_path / "out").exists()


def test_a_file_that_llama_cpp_cannot_read_is_one_sentence(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with (
        LlamaChild(tmp_path / "model.gguf", 64) as child,
        pytest.raises(Failed, match=r"^llama.cpp ended while"),
    ):
        child.vectors(["a"])
