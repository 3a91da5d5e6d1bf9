"""From a project's documents to mined pairs: looked at, weighed, and saved, with dev queries held out by groups of documents."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from training.synthetic.kinds import GENERATED, chosen_kinds
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
            saved = {"id": self.pairs.id} | {key: facts[key] for key in ("pairs", "dev_queries")}
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
    _check_weights(wanted.weights)
    if wanted.save:
        _refuse_to_displace(project, wanted.replace)
    weights, notes = dict(wanted.weights), list[str]()
    synthetic = draw_pairs(corpus, wanted.kinds, wanted.most, Stage(progress, 0.0, 0.3))
    if wanted.generator is not None:
        kind, note = generated(
            project, corpus, wanted.generator, wanted.most, Stage(progress, 0.3, 0.6)
        )
        synthetic = replace(synthetic, kinds=[*synthetic.kinds, kind])
        notes.append(note)
    if wanted.learn_weights:
        learned = learned_weights(project, synthetic, Stage(progress, 0.6, 0.95))
        notes += learned.notes
        weights = {**learned.weights, **weights}
    made = SyntheticResult(synthetic, weights, notes)
    sources = {"corpus": manifest.id, "report": KIND}
    with project.publish("reports", sources, report=KIND, synthetic=made.as_json()):
        pass
    if not wanted.save:
        return made
    last = Stage(progress, 0.95, 1.0)
    return replace(made, pairs=_save(project, manifest, corpus, made, last))


def current_synthetic_pairs(project: Project) -> dict[str, Any] | None:
    """What the newest corpus was seen to give when it was mined last, as `mine --json` prints it; or None."""
    corpus = project.newest("corpora")
    if corpus is None:
        return None
    report = project.newest_where("reports", {"report": KIND}, corpus=corpus.id)
    return dict(report.details["synthetic"]) if report is not None else None


def _check_weights(weights: Mapping[str, float]) -> None:
    chosen_kinds(name for name in weights if name != GENERATED.name)
    for name, weight in weights.items():
        if not 0 <= weight <= 1:
            raise Refused(f"The weight of {name!r} is {weight:g}; it must be from 0 to 1.")


def _refuse_to_displace(project: Project, replace: bool) -> None:
    """Mined pairs take the place of mined ones only.

    :raises Refused: where the project has pairs that people wrote, unless they may be replaced.
    """
    earlier = project.newest("pairs")
    if earlier is not None and earlier.details.get(ORIGIN) != MINED and not replace:
        raise Refused(
            f"The project {project.name!r} has {earlier.details['pairs']:,} pairs that people wrote. Mined ones "
            "would take their place, and teach less. To do it all the same: --replace."
        )


def _save(
    project: Project, manifest: Manifest, corpus: Corpus, made: SyntheticResult, progress: Progress
) -> Manifest:
    """Make mined pairs the newest pairs of a project; a tenth (at most 300) becomes dev queries.

    :raises Refused: where too few pairs were mined.
    """
    pairs = made.synthetic.pairs(made.weights)
    progress(0, 1, f"splitting {len(pairs):,} pairs without leaks")
    documents = {p.document for p in pairs if p.document is not None}
    split = split_pairs(pairs, hold_test=False, texts=texts_of(corpus, documents))
    if not split.dev.queries:
        raise Refused("No mined pair could be held out to steer by: mine more kinds of pairs.")
    used = Counter(pair.mined for pair in split.train)
    kinds = {
        found.kind.name: {
            "count": found.count,
            "weight": made.weights.get(found.kind.name, 1.0),
            "pairs": used[found.kind.name],
        }
        for found in made.synthetic.kinds
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
