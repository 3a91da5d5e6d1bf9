"""What to paste into another program so that it uses an exported model as it was measured: sides, prompts, cosine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from search.models.linear_adapter import BEHIND, QUERY_ONLY
from search.models.linear_adapter import FORMAT as MATRIX
from search.models.pretrained.kinds import SETTINGS_FILE, read_settings
from search.models.prompts import Prompts, named_prompt
from search.models.registry import BUILT_IN, ModelInfo, base_of
from search.projects.project import Project

UNTRIED = "Not run by us: it follows that program's documentation."


@dataclass(frozen=True)
class Snippet:
    """A piece of code for one program: `language` for colours, `tried` whether our tests run it (make prove).

    >>> Snippet("Python", "print(1)", "python").tried
    True
    """

    title: str
    code: str
    language: str
    tried: bool = True


def model_prompts(project: Project, info: ModelInfo) -> Prompts:
    """What a model puts before its texts, by its manifest and settings alone; an adapter what its base puts."""
    if info.id == BUILT_IN:
        return Prompts()
    manifest = project.artifact("models", info.id)
    if info.format in (BEHIND, MATRIX):
        base = base_of(project, manifest)
        return Prompts() if base is None else model_prompts(project, base)
    said = manifest.details.get(
        "prompts"
    )  # Of an added model; who trained one finds them in its folder.
    if isinstance(said, dict):
        return Prompts(said["query"], said["document"])
    settings = read_settings(project.folder_of(manifest) / SETTINGS_FILE)
    said, default = settings.get("prompts"), settings.get("default_prompt_name")
    if not isinstance(said, dict):
        return Prompts()
    return Prompts(*(named_prompt(said, side, default) or "" for side in ("query", "document")))


def snippets(project: Project, info: ModelInfo) -> list[Snippet]:
    """For each program what fits this model: Python, LangChain, LlamaIndex, Qdrant, text-embeddings-inference, Ollama."""
    prompts = model_prompts(project, info)
    one_sided = info.id != BUILT_IN and bool(
        project.artifact("models", info.id).details.get(QUERY_ONLY)
    )
    return list(_written(info, prompts, one_sided))


def _written(info: ModelInfo, prompts: Prompts, one_sided: bool) -> Iterator[Snippet]:
    yield Snippet("Python", _PYTHON, "python")
    yield Snippet("LangChain", _langchain(prompts, one_sided), "python")
    yield Snippet("LlamaIndex", _llama_index(prompts, one_sided), "python")
    yield Snippet("Qdrant", _QDRANT.format(dimension=info.dimension), "python")
    if one_sided:
        only = (
            "# Queries and documents go through two models here, and this server has one.\n"
            "# Python, LangChain and LlamaIndex keep both; so does: python cli.py serve\n"
        )
        yield Snippet("text-embeddings-inference", only, "bash", tried=False)
        yield Snippet("Ollama", only, "bash", tried=False)
        return
    for title, code in (("text-embeddings-inference", _TEI), ("Ollama", _ollama(info, prompts))):
        filled = code.replace("QUERY", _in_json(prompts.query)).replace(
            "DOCUMENT", _in_json(prompts.document)
        )
        yield Snippet(title, filled, "bash", tried=False)


def _in_json(prompt: str) -> str:
    """A prompt as it stands inside a JSON string inside single quotes of a shell."""
    return json.dumps(prompt)[1:-1].replace("'", "'\\''")


_PYTHON = """from sentence_transformers import SentenceTransformer

model = SentenceTransformer("my-model")
questions = model.encode_query(["a question"])  # prompts are put before texts by these two
documents = model.encode_document(["a document"])
print(model.similarity(questions, documents))
"""


def _langchain(prompts: Prompts, one_sided: bool) -> str:
    def arguments(role: str, prompt: str) -> str:
        side = f'"task": "{role}", ' if one_sided else ""
        return f'{{{side}"prompt": {prompt!r}, "normalize_embeddings": True}}'

    return f"""from langchain_core.vectorstores import InMemoryVectorStore
from langchain_huggingface import HuggingFaceEmbeddings

embeddings = HuggingFaceEmbeddings(
    model_name="my-model",
    encode_kwargs={arguments("document", prompts.document)},
    query_encode_kwargs={arguments("query", prompts.query)},
)
store = InMemoryVectorStore.from_texts(["a document"], embeddings)
print(store.similarity_search_with_score("a question", k=1))
"""


def _llama_index(prompts: Prompts, one_sided: bool) -> str:
    if not one_sided:
        return f"""from llama_index.embeddings.huggingface import HuggingFaceEmbedding

embedding = HuggingFaceEmbedding(
    model_name="my-model",
    query_instruction={prompts.query!r},
    text_instruction={prompts.document!r},
    normalize=True,
)
print(len(embedding.get_query_embedding("a question")), len(embedding.get_text_embedding("a document")))
"""
    return '''from llama_index.core.base.embeddings.base import BaseEmbedding
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("my-model")


class TwoSides(BaseEmbedding):
    """Queries and documents each on their own side, which HuggingFaceEmbedding does not do."""

    def _get_query_embedding(self, query):
        return model.encode_query(query).tolist()

    def _get_text_embedding(self, text):
        return model.encode_document(text).tolist()

    async def _aget_query_embedding(self, query):
        return self._get_query_embedding(query)


embedding = TwoSides()
print(len(embedding.get_query_embedding("a question")), len(embedding.get_text_embedding("a document")))
'''


_QDRANT = """from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("my-model")
texts = ["a document", "another document"]
client = QdrantClient(":memory:")
client.create_collection("texts", vectors_config=VectorParams(size={dimension}, distance=Distance.COSINE))
points = [
    PointStruct(id=number, vector=vector.tolist(), payload={{"text": text}})
    for number, (text, vector) in enumerate(zip(texts, model.encode_document(texts)))
]
client.upsert("texts", points=points)
found = client.query_points("texts", query=model.encode_query("a question").tolist(), limit=1)
print(found.points[0].payload["text"], found.points[0].score)
"""

_TEI = """# Older versions drop the Dense layer that an adapter lives in: check what it serves against the model.
docker run --rm -p 127.0.0.1:8080:80 -v "$PWD/my-model:/model" \\
  ghcr.io/huggingface/text-embeddings-inference:cpu-latest --model-id /model
# It puts no prompt before a text unless asked; these bring their own.
curl -s 127.0.0.1:8080/v1/embeddings -H 'Content-Type: application/json' \\
  -d '{"model": "my-model", "input": ["QUERYa question"]}'
curl -s 127.0.0.1:8080/v1/embeddings -H 'Content-Type: application/json' \\
  -d '{"model": "my-model", "input": ["DOCUMENTa document"]}'
"""


def _ollama(info: ModelInfo, prompts: Prompts) -> str:
    wanting = info.format == BEHIND or info.recipe in ("word2vec", "fasttext", "static")
    if wanting or any((prompts.query, prompts.document)):
        return (
            "# Ollama serves a GGUF, which has no place for this model: no adapter, no word vectors, no prompts.\n"
            "# python cli.py serve answers in the same shape as OpenAI's and Ollama's /v1/embeddings.\n"
        )
    return """# python cli.py export PROJECT MODEL my-gguf --format gguf
printf 'FROM ./my-gguf/model.gguf\\n' > Modelfile
ollama create my-model -f Modelfile
curl -s 127.0.0.1:11434/api/embed -d '{"model": "my-model", "input": ["a question", "a document"]}'
"""
