"""Groups of documents that a model sees as alike: found, named by their typical terms, held against metadata."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexes.vector_index import Vectors

Labels = NDArray[np.int64]
_SIZES = (3, 4, 5, 6, 8, 10)
_JUDGED_ON = 1_000
_TERMS = 3
_MANY = 20


def clustered(vectors: Vectors) -> Labels:
    """The group of each vector: k-means, with the number of groups (3 to 10) whose silhouette is best.

    Rousseeuw 1987, "Silhouettes", on a sample of a thousand. Groups are numbered by size, the largest is 0. Fewer
    than six vectors are one group.

    :param vectors: shape (n, d), of length 1.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    rows = np.asarray(vectors, dtype=np.float32)
    distinct = len(np.unique(rows, axis=0))
    tried: list[tuple[float, Labels]] = []
    for size in _SIZES:
        if 2 * size > distinct:
            break
        labels = KMeans(size, n_init=2, random_state=0).fit_predict(rows)
        if len(np.unique(labels)) > 1:
            sample = min(_JUDGED_ON, len(rows))
            score = float(silhouette_score(rows, labels, sample_size=sample, random_state=0))
            tried.append((score, labels))
    if not tried:
        return np.zeros(len(rows), dtype=np.int64)
    _, best = max(tried, key=lambda one: one[0])
    order = [label for label, _ in Counter(best.tolist()).most_common()]
    renamed = {label: place for place, label in enumerate(order)}
    return np.array([renamed[label] for label in best.tolist()], dtype=np.int64)


def typical_terms(
    words: Sequence[Sequence[str]], labels: Labels, count: int = _TERMS
) -> list[list[str]]:
    """The terms most typical of each group, best first.

    Class-based TF-IDF (Grootendorst 2022, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure"):
    the root of a term's frequency in the group (its option for frequent words), times log(1 + A / f) with A the
    mean number of words in a group and f the term's frequency in all groups. Where there are documents enough a
    term must stand in two of them, and in no more than a third.

    :param words: the words of each document worth naming a group by.
    :param labels: the group of each document, 0 to the number of groups - 1.
    """
    groups: list[Counter[str]] = [Counter() for _ in range(int(labels.max()) + 1)]
    spread: Counter[str] = Counter()
    for document, label in zip(words, labels.tolist(), strict=True):
        groups[label].update(document)
        spread.update(set(document))
    least, most = (2, len(words) / 3) if len(words) > _MANY else (1, len(words))
    total = sum(groups, Counter())
    mean = sum(total.values()) / len(groups)
    named = []
    for group in groups:
        weights = {
            term: math.sqrt(number) * math.log1p(mean / total[term])
            for term, number in group.items()
            if least <= spread[term] <= most
        }
        named.append(sorted(weights, key=lambda term: (-weights[term], term))[:count])
    return named


def matches(
    labels: Mapping[str, Labels], columns: Mapping[str, Sequence[str | None]]
) -> dict[str, dict[str, float]]:
    """How well the groups of each model match each column of metadata: 0 is chance, 1 the same groups.

    Adjusted mutual information (Vinh, Epps and Bailey 2010, "Information Theoretic Measures for Clusterings
    Comparison"); documents without a value are left out.

    :param labels: a model's name to its groups.
    :param columns: a column's name to the value of each document, None where it has none.
    :returns: a column's name to the figure of each model.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    found = {}
    for column, values in columns.items():
        places = [place for place, value in enumerate(values) if value is not None]
        given = [values[place] for place in places]
        found[column] = {
            model: float(adjusted_mutual_info_score(given, groups[places].tolist()))
            for model, groups in labels.items()
        }
    return found


def match_sentence(column: str, figures: Mapping[str, float], titles: Mapping[str, str]) -> str:
    """In one plain sentence how well the groups of models match a column.

    :param figures: a model's name to its adjusted mutual information; the first is what others are compared with.
    :param titles: what people call each model.
    """
    (first, before), *others = figures.items()
    told = f"“{column}”"
    scale = "0 would be chance, 1 the very same groups"
    if not others:
        return f"The groups of {titles[first]} match {told} by {before:.2f} ({scale})."
    second, after = others[-1]
    if abs(after - before) < 0.02:
        return (
            f"The groups of {titles[first]} and {titles[second]} match {told} about equally: {before:.2f} and "
            f"{after:.2f} ({scale})."
        )
    better, worse = (second, first) if after > before else (first, second)
    return (
        f"The groups of {titles[better]} match {told} better than those of {titles[worse]}: "
        f"{figures[better]:.2f} against {figures[worse]:.2f} ({scale})."
    )
