"""What is to be pasted elsewhere gives the model's own vectors; make prove runs it with the programs that it is for."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.models.load import load_encoder
from search.models.registry import find_model, generic_info
from training.export.export import export
from training.export.snippets import model_prompts, snippets

QUERY, DOCUMENT = "who files the summons", "the registrar files the summons"
# What each program's objects give for a query and a document, when its snippet has run.
GIVES = {
    "LangChain": ("embeddings.embed_query(q)", "embeddings.embed_documents([d])[0]"),
    "LlamaIndex": ("embedding.get_query_embedding(q)", "embedding.get_text_embedding(d)"),
    "Qdrant": ("model.encode_query(q).tolist()", "model.encode_document(d).tolist()"),
}
PACKAGES = {
    "LangChain": "langchain-huggingface",
    "LlamaIndex": "llama-index-embeddings-huggingface",
    "Qdrant": "qdrant-client",
}


def code_of(project, name: str, title: str) -> str:
    known = {one.title: one for one in snippets(project, find_model(project, name))}
    return known[title].code


def test_they_are_filled_in_with_the_models_own(lab):
    assert (
        model_prompts(lab, find_model(lab, "both")).query,
        model_prompts(lab, generic_info(lab)).query,
    ) == ("who ", "")
    assert "'prompt': 'who '" in code_of(lab, "both", "LangChain").replace('"prompt"', "'prompt'")
    assert "query_instruction='who '" in code_of(lab, "both", "LlamaIndex")
    assert '"task": "query"' in code_of(lab, "asks", "LangChain")
    assert "encode_query(query)" in code_of(lab, "asks", "LlamaIndex")
    assert "size=32, distance=Distance.COSINE" in code_of(lab, "both", "Qdrant")
    assert '["files a document"]' in code_of(lab, "both", "text-embeddings-inference")
    assert "two models here" in code_of(lab, "asks", "text-embeddings-inference")
    for name in ("both", "base"):
        assert "no word vectors, no prompts" in code_of(lab, name, "Ollama")
    assert "ollama create" in code_of(lab, "generic", "Ollama")
    tried = {one.title: one.tried for one in snippets(lab, find_model(lab, "both"))}
    assert tried == dict.fromkeys(["Python", *PACKAGES], True) | dict.fromkeys(
        ["text-embeddings-inference", "Ollama"], False
    )


def test_plain_python_runs(lab, tmp_path, workspace, monkeypatch, capsys):
    export(lab, "asks", tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    exec(code_of(lab, "asks", "Python"), {})
    assert "tensor" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.prove
@pytest.mark.parametrize("title", PACKAGES)
@pytest.mark.parametrize("name", ["both", "asks"])
def test_the_others_run_in_a_place_of_their_own(lab, tmp_path, workspace, title, name):
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    ours = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "ours.pth"
    ours.write_text(sysconfig.get_path("purelib"))
    python = place / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", PACKAGES[title]], check=True)
    check_snippet(lab, tmp_path, python, title, name)


def check_snippet(lab, folder: Path, python: Path, title: str, name: str) -> None:
    """Run a snippet beside an exported model, and hold what it gives against the model."""
    export(lab, name, folder / "my-model")
    query, document = GIVES[title]
    asked = f"import json\nq, d = {QUERY!r}, {DOCUMENT!r}\nprint('VECTORS', json.dumps([{query}, {document}]))\n"
    done = subprocess.run(
        [python, "-c", code_of(lab, name, title) + asked],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    given = normalised(np.array(eval(done.stdout.split("VECTORS ")[1]), dtype=np.float32))
    encoder = load_encoder(lab, find_model(lab, name))
    wanted = [encoder.encode_query([QUERY])[0], encoder.encode_document([DOCUMENT])[0]]
    np.testing.assert_allclose(given, normalised(np.array(wanted)), atol=1e-5)
