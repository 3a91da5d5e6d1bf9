"""What a column of a comparison is called, in the terminal, in addresses and on the pages.

    generic            the ready-made model          MODEL              any other model of the project
    bm25               keyword search                hybrid:MODEL       keyword search and a model, fused
    hybrid:MODEL@0.3   the same, the words weighing .3
    hybrid:MODEL@auto  the same, weighed on the dev queries (see `search.retrieval.fitted`)
    rerank:BASE@NAME   the best of BASE, any of the above, read again by the reranker NAME

A name of a model or reranker holds no colon and no @ (`workspace.check_project_name`), and what stands behind the
last @ of a `rerank:` is the reranker, so each text can be read in one way only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from search.models.cross_encoders import find_reranker, rerankers
from search.models.registry import (
    FAST,
    FULL,
    GENERIC,
    KEYWORD,
    ModelInfo,
    default_models,
    find_model,
    models,
    precision_of,
    to_be_used,
)
from search.projects.errors import Refused
from search.projects.project import Project

_HYBRID = "hybrid:"
_RERANK = "rerank:"
_EVEN = 0.5
_AUTO = "auto"
_FORMS = "MODEL, bm25, hybrid:MODEL, hybrid:MODEL@0.3, hybrid:MODEL@auto or rerank:MODEL@RERANKER"


@dataclass(frozen=True)
class SearchColumn:
    """One way to rank documents: by a model, by keywords, by both, read again by a reranker or not.

    `model` is None for keyword search alone. `weight` is the share of the keywords, 0 to 1: None for a model
    alone. `reranker` is None where nothing is read again. `fitted` says that the dev queries weigh the two, not `weight`.

    >>> column = SearchColumn("mine", 0.3)
    >>> column.name, column.title
    ('hybrid:mine@0.3', 'Keywords + mine, words 30 %')
    >>> parse_column("hybrid:mine@0.3") == column
    True
    """

    model: str | None
    weight: float | None = None
    reranker: str | None = None
    fitted: bool = False

    @property
    def kind(self) -> str:
        """What it is: model, keyword, hybrid or rerank."""
        if self.reranker is not None:
            return "rerank"
        if self.model is None:
            return "keyword"
        return "model" if self.weight is None else "hybrid"

    @property
    def base(self) -> "SearchColumn":
        """The column without its reranker."""
        return replace(self, reranker=None)

    @property
    def uses_words(self) -> bool:
        """Whether keyword search has a part in it."""
        return self.model is None or self.weight is not None

    @property
    def name(self) -> str:
        """The text that names the column, always the same for the same column."""
        if self.reranker is not None:
            return f"{_RERANK}{self.base.name}@{self.reranker}"
        if self.model is None:
            return KEYWORD
        if self.weight is None:
            return self.model
        if self.fitted:
            return f"{_HYBRID}{self.model}@{_AUTO}"
        return f"{_HYBRID}{self.model}" + (f"@{self.weight:g}" if self.weight != _EVEN else "")

    @property
    def title(self) -> str:
        """What people call the column, in a few words."""
        if self.reranker is not None:
            return f"{self.base.title}, reranked by {self.reranker}"
        if self.model is None:
            return "Keyword search"
        model = "Generic" if self.model == GENERIC else self.model
        if self.weight is None:
            return model
        if self.fitted:
            return f"Keywords + {model}, weighed on dev"
        share = f", words {100 * self.weight:.3g} %" if self.weight != _EVEN else ""
        return f"Keywords + {model}{share}"

    @property
    def explanation(self) -> str:
        """What the column does, in one plain sentence."""
        if self.reranker is not None:
            first = self.base.explanation.removesuffix(".")
            return f"{first}; the best of these are then read beside the question by {self.reranker!r}."
        if self.model is None:
            return "Counts the words of the question in each document (BM25); knows no meaning."
        who = "the generic model" if self.model == GENERIC else f"the model {self.model!r}"
        if self.weight is None:
            return f"Compares meanings as {who} sees them."
        if self.fitted:
            return (
                f"Joins what keyword search and {who} find, weighed as served the dev queries best."
            )
        share = "" if self.weight == _EVEN else f"; the words count {100 * self.weight:.3g} %"
        return f"Joins the ranks that keyword search and {who} give{share}."


def parse_column(text: str) -> SearchColumn:
    """The column that a text names; whether its model exists is not looked at.

    :raises Refused: when it has none of the forms.
    """
    if text.startswith(_RERANK):
        base, sign, reranker = text.removeprefix(_RERANK).rpartition("@")
        if not sign or not base or not reranker or base.startswith(_RERANK):
            raise Refused(f"{text!r} is not of the form rerank:MODEL@RERANKER.")
        return replace(parse_column(base), reranker=reranker)
    if text.startswith(_HYBRID):
        model, sign, share = text.removeprefix(_HYBRID).partition("@")
        if not model or ":" in model or model == KEYWORD:
            raise Refused(f"{text!r} names no model to join with keyword search: hybrid:MODEL.")
        if share == _AUTO:
            return SearchColumn(model, _EVEN, fitted=True)
        return SearchColumn(model, _weight(text, share) if sign else _EVEN)
    if not text or ":" in text or "@" in text:
        raise Refused(f"{text!r} names no column. Write {_FORMS}.")
    return SearchColumn(None) if text == KEYWORD else SearchColumn(text)


def column_title(name: str) -> str:
    """A column's name as people read it."""
    return parse_column(name).title


def chosen_columns(project: Project, names: Sequence[str] = ()) -> list[SearchColumn]:
    """The columns of these names, each once. No names: generic and the newest custom model, until there is one keyword search.

    :raises Refused: for a form that does not exist, or a model or reranker that the project does not have, naming
        those that it has.
    """
    if not names:
        usual = [SearchColumn(info.name) for info in default_models(project)]
        return usual if len(usual) > 1 else [*usual, SearchColumn(None)]
    columns = list(dict.fromkeys(map(parse_column, names)))
    for column in columns:
        if column.model is not None:
            find_model(project, column.model)
        if column.reranker is not None:
            find_reranker(project, column.reranker)
    return columns


def columns_to_use(project: Project) -> tuple[list[str], str | None]:
    """The names of generic and the newest custom model, for whoever searches and does not measure.

    :returns: a model that was trained once more on everything in the place of the one it came from, and a sentence that says
        so; None where there is none.
    """
    infos = default_models(project)
    used = [to_be_used(project, info) for info in infos]
    if used == infos:
        return [info.name for info in infos], None
    return [info.name for info in used], (
        f"{used[-1].name} is {infos[-1].name} trained once more on everything, so it answers in its place (--model "
        f"{infos[-1].name} asks that one)."
    )


def known_columns(project: Project) -> list[SearchColumn]:
    """Every column that a person may choose from, weights left even: models, keywords, both, and reranked.

    Both weighed on the dev queries, where there are pairs, with which these come.
    """
    names = [info.name for info in models(project)]
    plain = [SearchColumn(name) for name in names]
    both = [SearchColumn(name, _EVEN) for name in names]
    if project.folders("pairs"):
        both += [replace(column, fitted=True) for column in both]
    bases = [*plain, SearchColumn(None), *both]
    again = [replace(base, reranker=r.name) for r in rerankers(project) for base in bases]
    return [*bases, *again]


def models_in(project: Project, columns: Sequence[SearchColumn]) -> list[ModelInfo]:
    """The models that have a part in any of the columns, each once.

    :raises Refused: for one that the project does not have.
    """
    names = dict.fromkeys(column.model for column in columns if column.model is not None)
    return [find_model(project, name) for name in names]


def _weight(text: str, share: str) -> float:
    try:
        weight = float(share)
    except ValueError:
        weight = -1.0
    if not 0.0 <= weight <= 1.0:  # False for NaN, too.
        raise Refused(
            f"The weight in {text!r} must be a number from 0 to 1, such as @0.3, or @auto."
        )
    return float(f"{weight + 0.0:g}")  # As it is printed, so that equal names are equal columns.


def check_one_precision(project: Project, columns: Sequence[SearchColumn]) -> None:
    """Refuse columns of two classes of precision: what eight bits lose would be taken for what a model lost.

    :raises Refused: naming one of each.
    """
    by_class: dict[str, str] = {}
    for column in columns:
        if column.model is not None:
            by_class.setdefault(
                precision_of(project, find_model(project, column.model)), column.name
            )
    if len(by_class) > 1:
        raise Refused(
            f"{by_class[FAST]!r} is encoded in eight bits and {by_class[FULL]!r} in full precision, so a difference could be "
            f"either's. Name columns of one class, or measure the model in full: python cli.py full {project.name} MODEL."
        )
