"""Mined pairs become the pairs of a project, with dev queries held out by groups of documents."""

from collections import Counter
from collections.abc import Mapping

from search.corpus.corpus import Corpus
from search.evaluation.leakage import MINED, ORIGIN, check_leaks, texts_of
from search.evaluation.query_set import QuerySet
from search.projects.artifacts import Manifest
from search.projects.errors import Refused
from search.projects.progress import Progress, silent
from search.projects.project import Project
from training.data.pair_sets import SEED, PairSet, split_pairs
from training.synthetic.draw import SyntheticPairs
from training.synthetic.kinds import GENERATED, KINDS


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
    mining: SyntheticPairs,
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
    pairs = mining.pairs(chosen)
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
        for found in mining.kinds
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
