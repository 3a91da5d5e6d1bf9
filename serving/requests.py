"""What can be asked, and what is answered: OpenAI's shapes, Cohere's and Jina's for rerankers, and our own for searches."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from search.models.prompts import Role
from search.projects.settings import LIMITS

Name = Annotated[str, StringConstraints(max_length=LIMITS.id_characters)]
Text = Annotated[str, StringConstraints(max_length=LIMITS.text_characters)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=LIMITS.served_texts)]
InputType = Literal["query", "search_query", "document", "passage", "search_document"]
_NO_TOKENS = (
    "must be a text or a list of texts, not of tokens: what made them is another model's tokenizer. In LangChain: "
    "OpenAIEmbeddings(check_embedding_ctx_length=False)"
)
_MODEL = "A model of the project, see /v1/models; none for what answers now."


class _Request(BaseModel):
    """A body. Fields that are not known are passed over, as OpenAI's own server does: clients send some."""

    model_config = ConfigDict(hide_input_in_errors=True)


class EmbeddingsRequest(_Request):
    """Texts to embed.

    Which side of a search they are is said by `input_type`, or behind the name of the model: `mine:query`,
    `mine:document`. Where neither says so they are documents.
    """

    model: Name = Field("", description=_MODEL)
    input: Text | Texts = Field(description="One text, or a list of texts.")
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(
        None, ge=1, description="Only the first so many numbers, brought to length 1 again."
    )
    input_type: InputType | None = Field(
        None, description="Which side of a search the texts are; documents, where nothing says so."
    )

    @field_validator("input", mode="before")
    @classmethod
    def _no_tokens(cls, value: Any) -> Any:
        first = value[0] if isinstance(value, list) and value else ""
        if isinstance(first, int | list):
            raise ValueError(_NO_TOKENS)
        return value

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [self.input] if isinstance(self.input, str) else self.input

    @property
    def asked(self) -> tuple[str, Role]:
        """The name of the model, and the side that is meant."""
        name, sign, side = self.model.rpartition(":")
        if sign and side in ("query", "document"):
            return name, "query" if side == "query" else "document"
        is_query = self.input_type in ("query", "search_query")
        return self.model, "query" if is_query else "document"


class SearchRequest(_Request):
    """A question to the documents of the project."""

    model: Name | list[Name] = Field(
        "",
        description="What ranks: a model's name, bm25, hybrid:MODEL, rerank:MODEL@RERANKER, or several.",
    )
    query: str
    k: int = Field(10, ge=1, le=LIMITS.max_hits)
    filter: list[str] = Field([], max_length=100, description="type=case,statute or year>=2015")
    by_tier: bool = Field(False, description="Better source tiers first.")
    relevance: bool = Field(
        False,
        description="How probable it is that each hit answers, where that was fitted (a search in the terminal does it).",
    )


class RerankRequest(_Request):
    """Documents to put in order for a question, by a reranker of the project or by a model's vectors."""

    model: Name = Field("", description="A reranker or model of the project.")
    query: Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.query_characters)]
    documents: Annotated[
        list[Text | dict[str, Any]], Field(min_length=1, max_length=LIMITS.served_texts)
    ]
    top_n: int | None = Field(None, ge=1, description="Only the best so many.")
    return_documents: bool = False

    @field_validator("documents", mode="after")
    @classmethod
    def _with_texts(cls, value: list[Text | dict[str, Any]]) -> list[Text | dict[str, Any]]:
        for document in value:
            if isinstance(document, dict) and not isinstance(document.get("text"), str):
                raise ValueError("must be texts, or objects with a field text")
        return value

    @property
    def texts(self) -> list[str]:
        """The texts of the documents, in order."""
        return [d if isinstance(d, str) else str(d["text"]) for d in self.documents]


class Usage(BaseModel):
    """What was read, in tokens of the model."""

    prompt_tokens: int
    total_tokens: int


class Embedding(BaseModel):
    """One vector; in base64 as 32-bit floats, little-endian."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingsAnswer(BaseModel):
    """Vectors in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: Usage
