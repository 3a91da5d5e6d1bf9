"""From a project's documents to mined pairs: looked at, weighed, and saved, with dev queries held out by groups of documents.

Weights are learned by leaving each kind out once and asking the dev queries of the others. Every kind helps its own
queries, which says nothing: they are made like what was trained on. A kind that makes the queries of the others harder to
find teaches a habit of its own, and is left out. An adapter learns in seconds from vectors that are computed once, so it
stands for the other recipes here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair, query_id
from search.evaluation.query_sets.leakage import (
    DEV_KIND,
    MINED,
    ORIGIN,
    WRITTEN,
    Guarded,
    check_leaks,
    texts_of,
)
from search.evaluation.query_sets.query_set import QuerySet
from search.evaluation.query_sets.questions import NEW_DOCUMENTS
from search.evaluation.statistics.significance import paired_test
from search.models.load import load_encoder
from search.models.registry import GENERIC, find_model
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, Stage, silent
from search.projects.project import Project, on_newest
from training.adapter.fit import measure_of, train_adapter
from training.adapter.settings import AdapterSettings
from training.data.pair_sets import SEED, PairSet, split_pairs
from training.dev_set import DevSet
from training.embeddings import Embedded, document_vectors, embedded
from training.synthetic.beside import has_own_pairs, save_beside
from training.synthetic.chat.written import ChatRequest, written
from training.synthetic.draw import PAIRS, SyntheticPairs, draw_pairs
from training.synthetic.generated import generated
from training.synthetic.kinds import GENERATED, chosen_kinds
from training.training_data import TrainingData
from training.weight_interpolation import SHRUNKEN, between_matrices

KIND = "synthetic-pairs"
_WEIGHING = 500  # Pairs of a kind, for learning its weight.
_LEAST = 20
_WRITTEN_HELD = 0.23  # Beside the tenth that is held out of all.
_SETTINGS = AdapterSettings(epochs=5, negatives="corpus")


@dataclass(frozen=True)
class SyntheticRequest:
    """What is asked for.

    :param kinds: names of kinds; none means those that are on by default.
    :param weights: the share of a kind's pairs to use, set by hand.
    :param learn_weights: whether the weights of the others are learned.
    :param generator: a T5 model that writes questions, by folder or hub id.
    :param chat: a chat server that writes questions: where no kind is named, they are all that is made.
    :param save: whether the pairs become the project's.
    :param replace: whether they may displace pairs that people wrote.
    """

    kinds: tuple[str, ...] = ()
    most: int = PAIRS
    weights: Mapping[str, float] = field(default_factory=dict)
    learn_weights: bool = False
    generator: str | None = None
    chat: ChatRequest | None = None
    save: bool = False
    replace: bool = False


@dataclass(frozen=True)
class SyntheticResult:
    """What was mined; `pairs` is the artifact, where it was saved, `written` what is known of questions that a server wrote."""

    synthetic: SyntheticPairs
    weights: dict[str, float]
    notes: list[str]
    pairs: Manifest | None = None
    written: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The shape that `mine --json` prints."""
        saved = None
        if self.pairs is not None:
            facts = self.pairs.details
            saved = {"id": self.pairs.id} | {key: facts[key] for key in ("pairs", "dev_queries")}
        told = self.synthetic.as_json()
        for kind in told["kinds"]:
            kind["weight"] = self.weights.get(kind["kind"], 1.0)
        more = {} if self.written is None else {WRITTEN: self.written}
        return {**told, **more, "notes": self.notes, "saved": saved}


def make_synthetic_pairs(
    project: Project, wanted: SyntheticRequest, progress: Progress = silent
) -> SyntheticResult:
    """Mine the newest corpus of a project.

    :raises Refused: without documents, for an unknown kind or weight, and where pairs that people wrote would be
        displaced.
    """
    manifest, corpus = current_corpus(project)
    _check_weights(wanted.weights)
    beside = wanted.chat is not None and not wanted.replace and has_own_pairs(project)
    if wanted.save and not beside:
        _refuse_to_displace(project, wanted.replace)
    weights, notes = dict(wanted.weights), list[str]()
    about: dict[str, Any] | None = None
    # A server takes longer than all else.
    drawn, wrote = (0.3, 0.6) if wanted.chat is None else (0.02, 0.9)
    if wanted.chat is not None and not wanted.kinds:
        synthetic = SyntheticPairs(len(corpus), len(corpus), [])
    else:
        synthetic = draw_pairs(corpus, wanted.kinds, wanted.most, Stage(progress, 0.0, drawn))
    if wanted.generator is not None:
        kind, note = generated(
            project, corpus, wanted.generator, wanted.most, Stage(progress, drawn, wrote)
        )
        synthetic = replace(synthetic, kinds=[*synthetic.kinds, kind])
        notes.append(note)
    if wanted.chat is not None:
        came = written(project, corpus, wanted.chat, Stage(progress, drawn, wrote))
        synthetic = replace(synthetic, kinds=[*synthetic.kinds, came.kind])
        notes, about = [*notes, *came.notes], came.facts
    if wanted.learn_weights:
        learned = learned_weights(project, synthetic, Stage(progress, wrote, 0.95))
        notes += learned.notes
        weights = {**learned.weights, **weights}
    made = SyntheticResult(synthetic, weights, notes, written=about)
    sources = {"corpus": manifest.id, "report": KIND}
    with project.publish("reports", sources, report=KIND, synthetic=made.as_json()):
        pass
    if not wanted.save:
        return made
    last = Stage(progress, 0.95, 1.0)
    if beside:
        joining = synthetic.pairs(weights)
        facts = {"kinds": _kinds(made, joining), WRITTEN: about}
        return replace(made, pairs=save_beside(project, joining, facts, last))
    return replace(made, pairs=_save(project, wanted, made, last))


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


@on_newest
def _save(
    project: Project, wanted: SyntheticRequest, made: SyntheticResult, progress: Progress
) -> Manifest:
    """Make mined pairs the newest pairs of a project; a tenth (at most 300) becomes dev queries.

    :raises Refused: where too few pairs were mined.
    """
    _refuse_to_displace(project, wanted.replace)  # Somebody may have added some meanwhile.
    manifest, corpus = current_corpus(project)
    pairs = made.synthetic.pairs(made.weights)
    progress(0, 1, f"splitting {len(pairs):,} pairs without leaks")
    documents = {p.document for p in pairs if p.document is not None}
    # What nobody asked is chosen by documents that it does not learn from: see `training.weight_interpolation`.
    texts = texts_of(corpus, documents)
    # Far fewer are written than mined, and what they teach must show on those that are held out: a third of them.
    more = _WRITTEN_HELD if made.written is not None else 0.0
    split = split_pairs(pairs, more > 0, texts=texts, test_share=more, question=NEW_DOCUMENTS)
    dev = split.dev | split.test
    if not dev.queries:
        raise Refused("No mined pair could be held out to steer by: mine more kinds of pairs.")
    details = {"source": MINED, "split": split.digest, "seed": SEED, "file": {}}
    details |= {"kinds": _kinds(made, split.train), DEV_KIND: GENERATED.name}
    details |= {} if made.written is None else {WRITTEN: made.written}
    with project.publish("pairs", {"corpus": manifest.id}, **{**details, ORIGIN: MINED}) as draft:
        PairSet(split.train, dev).save(draft)
        queries = project.newest("queries")
        if queries is not None:
            held = QuerySet.load(project, queries)
            draft.details["leaks"] = check_leaks(split.train, held, corpus).as_json(queries.id)
    progress(1, 1, f"{len(split.train):,} pairs to train on")
    return project.artifact("pairs", draft.id)


def _kinds(made: SyntheticResult, used: Sequence[Pair]) -> dict[str, Any]:
    """What a manifest says of each kind.

    :param used: the pairs that are learned from.
    """
    counts = Counter(pair.mined for pair in used)
    return {
        found.kind.name: {
            "count": found.count,
            "weight": made.weights.get(found.kind.name, 1.0),
            "pairs": counts[found.kind.name],
        }
        for found in made.synthetic.kinds
    }


@dataclass(frozen=True)
class LearnedWeights:
    """The weight of each kind (0 or 1), and in words what was left out and why."""

    weights: dict[str, float]
    notes: list[str]


def learned_weights(
    project: Project, synthetic: SyntheticPairs, progress: Progress = silent
) -> LearnedWeights:
    """Weights of the kinds of mined pairs, learned on a part of their pairs with the generic model.

    :raises Refused: where the kinds give too few pairs to hold some out.
    """
    manifest, corpus = current_corpus(project)
    pairs = [pair for found in synthetic.kinds for pair in found.pairs[:_WEIGHING]]
    documents = {p.document for p in pairs if p.document is not None}
    # What nobody asked is chosen by documents that it does not learn from: see `training.weight_interpolation`.
    texts = texts_of(corpus, documents)
    split = split_pairs(pairs, hold_test=False, texts=texts, question=NEW_DOCUMENTS)
    dev = DevSet.of(corpus, split.dev)
    material = TrainingData(manifest, corpus, Guarded(split.train, 0, 0), dev, {}, True)
    info = find_model(project, GENERIC)
    base = load_encoder(project, info)
    vectors, _ = document_vectors(project, GENERIC, base, material, Stage(progress, 0.0, 0.3))
    data = embedded(base, info, material, vectors, Stage(progress, 0.3, 0.7))
    kind_of = {query_id(pair.query): pair.mined for pair in pairs}
    asked = [kind_of[query] for query in sorted(dev.query_set.queries)]
    kinds = sorted({pair.mined for pair in split.train})
    everything = _scores(data, dev)
    weights, notes = dict.fromkeys(kinds, 1.0), []
    for number, kind in enumerate(kinds):
        progress(0.7 + 0.3 * number / len(kinds), 1, f"training without {kind}")
        positions = [n for n, pair in enumerate(split.train) if pair.mined != kind]
        others = [n for n, of in enumerate(asked) if of != kind]
        if len(positions) < _LEAST or len(others) < _LEAST:
            continue
        without = _scores(data.only(positions), dev)
        test = paired_test(kind, "without", everything[others].tolist(), without[others].tolist())
        if test.verdict == "better":
            weights[kind] = 0.0
            notes.append(
                f"{kind}: left out. Without it, {len(others):,} dev queries of the other kinds are found better "
                f"({test.delta:+.3f} nDCG@10, p = {test.p_value:.3f})."
            )
    if not notes:
        notes.append("No kind of mined pair makes the others harder to find: all are used.")
    return LearnedWeights(weights, notes)


def _scores(data: Embedded, dev: DevSet) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """nDCG@10 of each dev query after a short training, as far as mined pairs are followed."""
    found = train_adapter(data, dev, _SETTINGS, silent)
    matrix = between_matrices(found.matrix, SHRUNKEN / max(found.blend, SHRUNKEN))
    return np.asarray(measure_of(data, dev, _SETTINGS.side)(matrix))
