"""What a model wants to be told before a query and before a document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from search.projects.errors import Refused
from search.projects.settings import LIMITS

Role = Literal["query", "document"]
_NAMES: dict[Role, tuple[str, ...]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}
_SEARCH = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"


@dataclass(frozen=True)
class Prompts:
    """Text put before each query and each document; empty for none. `source` says who knew it.

    >>> prompts_of({}, ("intfloat/e5-small-v2",))
    Prompts(query='query: ', document='passage: ', source='E5 models')
    """

    query: str = ""
    document: str = ""
    source: str = "none"


# From the models' own cards on the Hugging Face hub: families whose older checkpoints do not carry
# their prompts in config_sentence_transformers.json. The first that fits counts.
_FAMILIES: tuple[tuple[str, Prompts], ...] = (
    (r"e5[-_].*instruct", Prompts(_TASK + "Query: ", "", "E5 models with instructions")),
    (r"(multilingual-)?e5-(small|base|large)", Prompts("query: ", "passage: ", "E5 models")),
    (r"bge-(small|base|large)-en", Prompts(_SEARCH, "", "English BGE models")),
    (
        r"bge-(small|base|large)-zh",
        Prompts("为这个句子生成表示以用于检索相关文章：", "", "Chinese BGE models"),
    ),
    (r"mdbr-leaf-ir", Prompts(_SEARCH, "", "LEAF models for retrieval")),
    (r"mxbai-embed", Prompts(_SEARCH, "", "mxbai-embed models")),
    (r"uae-large", Prompts(_SEARCH, "", "UAE models")),
    (r"arctic-embed-.*v2", Prompts("query: ", "", "Arctic-embed 2 models")),
    (r"arctic-embed", Prompts(_SEARCH, "", "Arctic-embed models")),
    (
        r"nomic-embed-text",
        Prompts("search_query: ", "search_document: ", "nomic-embed-text models"),
    ),
)


def named_prompt(
    prompts: Mapping[str, str | None], role: Role, default: str | None = None
) -> str | None:
    """The prompt that sentence-transformers (6.2) puts before a text of a role; None for none.

    The first name of the role that is there counts, though its prompt be empty; the default only where none is.

    :param prompts: by name, as a model has them.
    :param default: the name of the default prompt.
    """
    name = next((name for name in _NAMES[role] if name in prompts), default)
    return None if name is None else prompts.get(name) or None


def meant_prompt(prompts: Mapping[str, str | None], role: Role) -> str:
    """The prompt that a model's settings mean for a role: the first name of the role with a text; "" for none.

    sentence-transformers (6.2) gives every model an empty "document" and saves it, which hides the "passage" that the model
    was trained with. What is adopted here is put under the names that it looks for first.
    """
    return next((text for name in _NAMES[role] if (text := prompts.get(name))), "")


def other_prompts(prompts: Mapping[str, str | None]) -> dict[str, str]:
    """The prompts under names that say neither query nor document, by name: nothing uses them of its own accord."""
    known = {name for names in _NAMES.values() for name in names}
    return {name: text for name, text in prompts.items() if text and name not in known}


def prompt_of(model: Any, role: Role) -> str | None:
    """The prompt that a SentenceTransformer puts before a text of a role: in training, encoding and serving alike."""
    return named_prompt(model.prompts, role, model.default_prompt_name)


def prompts_of(
    own: Mapping[str, str | None],
    names: tuple[str, ...],
    query: str | None = None,
    document: str | None = None,
) -> Prompts:
    """The prompts of a model: what the person gave, else what the model's own settings say, else what is
    known of its family by its name.

    :param own: the prompts of config_sentence_transformers.json.
    :param names: what the model is called (its reference, the name in its config).
    :param query: the person's choice; None leaves it to the model, "" means none.
    :raises Refused: for a prompt of more characters than any model wants: it would go before each text.
    """
    for text in (query, document, *own.values()):
        if len(text or "") > LIMITS.prompt_characters:
            raise Refused(
                f"A text before each query or document has at most {LIMITS.prompt_characters:,} characters; "
                f"this one has {len(text or ''):,}."
            )
    known = _own(own) or _family(names)
    if query is None and document is None:
        return known
    return Prompts(
        known.query if query is None else query,
        known.document if document is None else document,
        "you",
    )


def _own(prompts: Mapping[str, str | None]) -> Prompts | None:
    query, document = meant_prompt(prompts, "query"), meant_prompt(prompts, "document")
    return Prompts(query, document, "the model's own settings") if query or document else None


def _family(names: tuple[str, ...]) -> Prompts:
    for name in names:
        last = name.rstrip("/").rsplit("/", maxsplit=1)[-1].lower()
        for pattern, prompts in _FAMILIES:
            if re.search(rf"(?:^|[-_.]){pattern}", last):
                return prompts
    return Prompts()
