"""The OpenAI embedders of other libraries work with our server as they are, each in an environment of its own."""

import json
import subprocess
import venv

import numpy as np
import pytest

from indexes.vector_index import normalised
from search.models.load import load_encoder
from search.models.registry import find_model
from tests.conftest import tiny_text

pytestmark = [pytest.mark.slow, pytest.mark.prove]

CLIENTS = {
    "langchain-openai==1.7.4": """
from langchain_openai import OpenAIEmbeddings
def made(side):
    return OpenAIEmbeddings(model="generic:" + side, base_url=url, api_key="none", check_embedding_ctx_length=False)
documents, query = made("document").embed_documents(texts), made("query").embed_query(texts[0])
""",
    "llama-index-embeddings-openai==0.7.0": """
from llama_index.embeddings.openai import OpenAIEmbedding
def made(side):
    return OpenAIEmbedding(model_name="generic:" + side, api_base=url, api_key="none")
documents, query = made("document").get_text_embedding_batch(texts), made("query").get_query_embedding(texts[0])
""",
    "haystack-ai==3.4.1": """
from haystack import Document
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.utils import Secret
given = dict(api_base_url=url, api_key=Secret.from_token("none"))
made = OpenAIDocumentEmbedder(model="generic:document", **given).run([Document(content=text) for text in texts])
documents = [document.embedding for document in made["documents"]]
query = OpenAITextEmbedder(model="generic:query", **given).run(texts[0])["embedding"]
""",
}
START = "import json, sys\nurl, texts = sys.argv[1], json.loads(sys.argv[2])\n"
END = "print('@' + json.dumps([documents, query]))\n"


@pytest.mark.parametrize("package", CLIENTS)
def test_it_gets_the_vectors_of_the_model(asking, tmp_path, package):
    home = tmp_path / "own"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", package],
        check=False,
        capture_output=True,
        text=True,
    )
    assert installed.returncode == 0, installed.stderr[-300:]
    texts = [tiny_text(n) for n in range(5)]
    code = START + CLIENTS[package] + END
    done = subprocess.run(
        [python, "-c", code, f"{asking.url}/v1", json.dumps(texts)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    documents, query = json.loads(done.stdout.rsplit("@", 1)[1])
    encoder = load_encoder(asking.served.project, find_model(asking.served.project, "generic"))
    wanted = normalised(np.asarray(encoder.encode_document(texts), dtype=np.float32))
    np.testing.assert_allclose(documents, wanted, atol=1e-5)
    wanted = normalised(np.asarray(encoder.encode_query(texts[:1]), dtype=np.float32))
    np.testing.assert_allclose(query, wanted[0], atol=1e-5)
