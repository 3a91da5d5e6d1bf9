"""From a project's documents to mined pairs: looked at, weighed, and saved, with dev queries held out by groups of documents."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from search.corpus.corpus import Corpus, current_corpus
from search.evaluation.leakage import MINED, ORIGIN, check_leaks, texts_of
from search.evaluation.query_set import QuerySet
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project
from training.data.pair_sets import SEED, PairSet, split_pairs
from training.synthetic.draw import PAIRS, SyntheticPairs, draw_pairs
from training.synthetic.generated import generated
from training.synthetic.kinds import GENERATED, KINDS
from training.synthetic.weights import learned_weights

KIND = "synthetic-pairs"


@dataclass(frozen=True)
class SyntheticRequest:
    """What is asked for.

    :param kinds: names of kinds; none means those that are on by default.
    :param weights: the share of a kind's pairs to use, set by hand.
    :param learn_weights: whether the weights of the others are learned.
    :param generator: a T5 model that writes questions, by folder or hub id.
    :param save: whether the pairs become the project's.
    :param replace: whether they may displace pairs that people wrote.
    """

    kinds: tuple[str, ...] = ()
    most: int = PAIRS
    weights: Mapping[str, float] = field(default_factory=dict)
    learn_weights: bool = False
    generator: str | None = None
    save: bool = False
    replace: bool = False


@dataclass(frozen=True)
class SyntheticResult:
    """What was mined; `pairs` is the artifact, where it was saved."""

    synthetic: SyntheticPairs
    weights: dict[str, float]
    notes: list[str]
    pairs: Manifest | None = None

    def as_json(self) -> dict[str, Any]:
        """The shape that `mine --json` prints."""
        saved = None
        if self.pairs is not None:
            facts = self.pairs.details
            saved = {
                "id": self.pairs.id,
                "pairs": facts["pairs"],
                "dev_queries": facts["dev_queries"],
            }
        told = self.synthetic.as_json()
        for kind in told["kinds"]:
            kind["weight"] = self.weights.get(kind["kind"], 1.0)
        return {**told, "notes": self.notes, "saved": saved}


def make_synthetic_pairs(
    project: Project, wanted: SyntheticRequest, progress: Progress = silent
) -> SyntheticResult:
    """Mine the newest corpus of a project.

    :raises Refused: without documents, for an unknown kind or weight, and where pairs that people wrote would be
        displaced.
    """
    manifest, corpus = current_corpus(project)
    weights = checked_weights(wanted.weights)
    if wanted.save:
        refuse_to_displace(project, wanted.replace)
    notes: list[str] = []
    synthetic = draw_pairs(corpus, wanted.kinds, wanted.most, Stage(progress, 0.0, 0.3))
    if wanted.generator is not None:
        kind, note = generated(
            project, corpus, wanted.generator, wanted.most, Stage(progress, 0.3, 0.6)
        )
        synthetic = SyntheticPairs(
            synthetic.documents, synthetic.looked_at, [*synthetic.kinds, kind]
        )
        notes.append(note)
    if wanted.learn_weights:
        learned = learned_weights(project, synthetic, Stage(progress, 0.6, 0.95))
        notes += learned.notes
        weights = {**learned.weights, **weights}
    _keep(project, manifest, SyntheticResult(synthetic, weights, notes))
    if not wanted.save:
        return SyntheticResult(synthetic, weights, notes)
    last = Stage(progress, 0.95, 1.0)
    saved = save_synthetic_pairs(
        project, manifest, corpus, synthetic, weights, wanted.replace, last
    )
    return SyntheticResult(synthetic, weights, notes, saved)


def current_synthetic_pairs(project: Project) -> dict[str, Any] | None:
    """What the newest corpus was seen to give when it was mined last, as `mine --json` prints it; or None."""
    corpus = project.newest("corpora")
    if corpus is None:
        return None
    report = project.newest_where("reports", {"report": KIND}, corpus=corpus.id)
    return dict(report.details["synthetic"]) if report is not None else None


def _keep(project: Project, corpus: Manifest, made: SyntheticResult) -> None:
    """Keep what was seen as a report, for the page."""
    sources = {"corpus": corpus.id, "report": KIND}
    with project.publish("reports", sources, report=KIND, synthetic=made.as_json()):
        pass


def checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of kinds.

    :raises Refused: for an unknown kind, or a weight that is no share.
    """
    for name, weight in weights.items():
        if name not in {**KINDS, GENERATED.name: GENERATED}:
            raise Refused(
                f"There is no kind of mined pair {name!r}. The kinds: {', '.join(KINDS)}."
            )
        if not 0 <= weight <= 1:
            raise Refused(f"The weight of {name!r} is {weight:g}; it must be from 0 to 1.")
    return dict(weights)


def refuse_to_displace(project: Project, replace: bool) -> None:
    """Mined pairs take the place of mined ones only.

    :raises Refused: where the project has pairs that people wrote, unless they may be replaced.
    """
    earlier = project.newest("pairs")
    if earlier is not None and earlier.details.get(ORIGIN) != MINED and not replace:
        raise Refused(
            f"The project {project.name!r} has {earlier.details['pairs']:,} pairs that people wrote. Mined ones "
            "would take their place, and teach less. To do it all the same: --replace."
        )


def save_synthetic_pairs(
    project: Project,
    manifest: Manifest,
    corpus: Corpus,
    synthetic: SyntheticPairs,
    weights: Mapping[str, float] | None = None,
    replace: bool = False,
    progress: Progress = silent,
) -> Manifest:
    """Make mined pairs the newest pairs of a project; a tenth (at most 300) becomes dev queries.

    :param manifest: the corpus that was mined.
    :param weights: the share of each kind's pairs to take, 1 where none is given.
    :param replace: whether pairs that people wrote may be displaced.
    :raises Refused: where they may not, or too few pairs were mined.
    """
    refuse_to_displace(project, replace)
    chosen = checked_weights(weights or {})
    pairs = synthetic.pairs(chosen)
    progress(0, 1, f"splitting {len(pairs):,} pairs without leaks")
    documents = {p.document for p in pairs if p.document is not None}
    split = split_pairs(pairs, hold_test=False, texts=texts_of(corpus, documents))
    if not split.dev.queries:
        raise Refused("No mined pair could be held out to steer by: mine more kinds of pairs.")
    used = Counter(pair.mined for pair in split.train)
    kinds = {
        found.kind.name: {
            "count": found.count,
            "weight": chosen.get(found.kind.name, 1.0),
            "pairs": used[found.kind.name],
        }
        for found in synthetic.kinds
    }
    details = {"source": MINED, "split": split.digest, "seed": SEED, "file": {}, "kinds": kinds}
    with project.publish("pairs", {"corpus": manifest.id}, **{**details, ORIGIN: MINED}) as draft:
        PairSet(split.train, split.dev).save(draft)
        queries = project.newest("queries")
        if queries is not None:
            held = QuerySet.load(project, queries)
            draft.details["leaks"] = check_leaks(split.train, held, corpus).as_json(queries.id)
    progress(1, 1, f"{len(split.train):,} pairs to train on")
    return project.artifact("pairs", draft.id)
