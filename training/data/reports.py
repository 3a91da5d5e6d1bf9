"""The report on a project's data: its corpus and its pairs, looked at once and kept."""

from search.corpus.corpus import current_corpus
from search.corpus.report.corpus_report import build_report
from search.models.registry import generic_info
from search.models.tokenizers import reader_of
from search.projects.artifacts import Manifest
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from search.text.sampling import evenly_spaced
from training.data.pair_sets import PairSet
from training.data.pairs_report import build_pairs_report

SAMPLE = 20_000
_PAIRS = 20_000


def make_report(project: Project, progress: Progress = silent) -> Manifest:
    """Look at the newest corpus and pairs, and keep what was seen as an artifact.

    Of a corpus of more than 20,000 documents so many are looked at, spread evenly; of more than 20,000 pairs
    the first ones.

    :returns: its details hold "corpus" and, where there are pairs, "pairs": plain JSON.
    :raises Refused: when there are no documents yet.
    """
    manifest, corpus = current_corpus(project)
    pairs = project.newest("pairs")
    info = generic_info(project)
    reader = reader_of(project, info)
    made_from = sources_of(project, manifest, pairs)
    share = 0.6 if pairs is not None else 1.0
    documents = corpus.documents_at(evenly_spaced(len(corpus), SAMPLE))
    stage = Stage(progress, 0.0, share)
    seen = build_report(documents, len(corpus), corpus.passages, stage, reader or info.title)
    details = {"corpus": seen.as_json()}
    if pairs is not None:
        given = PairSet.load(project, pairs).pairs[:_PAIRS]
        progress(share, 1, f"looking at {len(given):,} pairs")
        details["pairs"] = build_pairs_report(given, len(corpus), reader=reader).as_json()
    with project.publish("reports", made_from, **details) as draft:
        pass
    progress(1, 1, "the report is ready")
    return project.artifact("reports", draft.id)


def current_report(
    project: Project, kind: str | None = None, of_generic: bool = True
) -> Manifest | None:
    """The newest report on the newest corpus and pairs, or None when there is none yet.

    :param kind: what a report says of itself under "report"; the report on the data says nothing.
    :param of_generic: whether it speaks of the generic model, so that it is none of another one's.
    """
    corpus = project.newest("corpora")
    if corpus is None:
        return None
    wanted = {"pairs": None} | sources_of(project, corpus, project.newest("pairs"))
    if not of_generic:
        del wanted["generic"]
    return project.newest_where("reports", {"report": kind}, **wanted)


def sources_of(project: Project, corpus: Manifest, pairs: Manifest | None) -> dict[str, str]:
    """What a report on a corpus and, where there are some, its pairs is made from: the generic model, too."""
    known = {"corpus": corpus.id, "generic": generic_info(project).id}
    return known | ({"pairs": pairs.id} if pairs else {})
