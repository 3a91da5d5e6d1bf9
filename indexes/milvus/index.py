"""Search on a Milvus server; exact scores and exact ties from the vectors that are stored here."""

from collections.abc import Iterator

import numpy as np

from indexes.milvus.server import FIELD, MOST, Server
from indexes.milvus.types import TYPES
from indexes.stored_vectors import StoredIndex, StoredVectors, in_order, no_hits
from indexes.vector_index import IndexFacts, Positions, Vectors

_RANGES = 20  # Each nests the expression two deeper, and a server reads a hundred levels (protobuf's limit).
_SINGLES = 10_000
_MARGIN = 16
_NOISE = 1e-5
_FEW = 4_096
_RESULTS = 1_000_000
_BYTES = 16 * 1024 * 1024


class MilvusIndex(StoredIndex):
    """Candidates come from the server, their scores and their order from the stored vectors.

    An exact type asks for more until the border of the k best is settled, so that it equals brute force. What
    a server cannot be asked for in one go (more than 16,384 vectors, the few positions of a very selective
    filter) is searched here, exactly.

    >>> from indexes.flat import flat_facts
    >>> class Both:  # Stands in for a server.
    ...     search = lambda self, name, queries, *asked: [([0, 1], [0.6, 1.0]) for _ in queries]
    >>> stored = StoredVectors(np.array([[0.6, 0.8], [1, 0]], dtype=np.float32))
    >>> index = MilvusIndex(Both(), "notes", stored, flat_facts(stored, "asked for"))
    >>> index.search(stored.rows[1:], k=2)[0].tolist()
    [[1, 0]]
    """

    def __init__(self, server: Server, name: str, stored: StoredVectors, facts: IndexFacts) -> None:
        """:param name: the alias of the collection: it goes on to work when a rebuilt index takes its place."""
        super().__init__(stored, facts)
        self._server = server
        self._name = name
        self._type = TYPES[facts.type]

    def search(
        self, queries: Vectors, k: int, allowed: Positions | None = None
    ) -> tuple[Positions, Vectors]:
        """See `VectorIndex.search`.

        :raises EngineFailed: when the server does not answer.
        """
        rows = self.stored.checked(queries, k)
        positions, scores = no_hits(len(rows), k)
        among = None if allowed is None else in_order(allowed)
        askers = np.flatnonzero(rows.any(axis=1))
        most = len(self) - self.facts.zeros if among is None else len(among)
        if among is not None and len(among) <= _FEW:
            return self.stored.search(queries, k, among)
        only = "" if among is None else expression(among, len(self))
        fetch = min(most, k * self._type.wider + _MARGIN)
        while len(askers) and fetch:
            if fetch > MOST:
                positions[askers], scores[askers] = self.stored.search(rows[askers], k, among)
                break
            unsettled, lacking = [], []
            found = self._candidates(rows[askers], fetch, only or "")
            for asker, (candidates, rough) in zip(askers, found, strict=True):
                fits = candidates
                if only is None:
                    assert among is not None
                    fits = candidates[np.isin(candidates, among)]
                kept, exact_scores = self.stored.best(rows[asker], fits, k)
                if len(kept) < k and len(candidates) < fetch and not self._type.exact:
                    lacking.append(asker)  # A graph or lists may not lead to all that is allowed.
                    continue
                if fetch < most and not self._settled(k, exact_scores, rough, fetch):
                    unsettled.append(asker)
                    continue
                positions[asker, : len(kept)] = kept
                scores[asker, : len(kept)] = exact_scores
            if lacking:
                positions[lacking], scores[lacking] = self.stored.search(rows[lacking], k, among)
            askers = np.array(unsettled, dtype=np.int64)
            fetch = min(most, fetch * 4)
        return positions, scores

    def _settled(self, k: int, best: Vectors, rough: Vectors, fetch: int) -> bool:
        """Whether nothing that was not fetched can be among the best k."""
        if len(best) < k:
            return False
        if not self._type.exact or len(rough) < fetch:
            return True
        return bool(rough[-1] < best[-1] - _NOISE)

    def _candidates(
        self, queries: Vectors, fetch: int, only: str
    ) -> Iterator[tuple[Positions, Vectors]]:
        """What the server finds for each query, in requests of bounded size."""
        width = self.facts.parameters.get("width")
        parameters = self._type.search_parameters(width, fetch)
        size = max(1, min(_RESULTS // fetch, _BYTES // (4 * self.dimension)))
        for start in range(0, len(queries), size):
            part = queries[start : start + size]
            for found, rough in self._server.search(self._name, part, fetch, parameters, only):
                yield np.array(found, dtype=np.int64), np.array(rough, dtype=np.float32)


def expression(allowed: Positions, count: int) -> str | None:
    """A boolean expression over the positions 0 to count-1 that is true for the allowed ones.

    What is allowed is written out, or else what is not; runs of positions are ranges.

    :param allowed: ascending, none twice.
    :returns: None where it would be too long for a server to read in good time.
    """
    if len(allowed) == count:
        return ""
    parts = _ranges_and_singles(allowed)
    if parts is not None:
        ranges, singles = parts
        written = [f"({FIELD} >= {first} and {FIELD} <= {last})" for first, last in ranges]
        return " or ".join(written + ([f"{FIELD} in {singles}"] if singles else []))
    mask = np.ones(count, dtype=bool)
    mask[allowed] = False
    parts = _ranges_and_singles(np.flatnonzero(mask))
    if parts is None:
        return None
    # Milvus 2.3 knows no "not (...)": each part is turned round by itself.
    ranges, singles = parts
    written = [f"({FIELD} < {first} or {FIELD} > {last})" for first, last in ranges]
    return " and ".join(written + ([f"{FIELD} not in {singles}"] if singles else []))


def _ranges_and_singles(positions: Positions) -> tuple[list[tuple[int, int]], list[int]] | None:
    """Positions as ranges (first, last) and single ones; None where they are too scattered."""
    borders = np.flatnonzero(np.diff(positions) != 1) + 1
    if len(borders) > _SINGLES + _RANGES:
        return None
    runs = sorted(np.split(positions, borders), key=len)
    # The longest runs are ranges; the others are written out.
    cut = max(len(runs) - _RANGES, sum(len(run) < 3 for run in runs))
    singles = sorted(int(p) for run in runs[:cut] for p in run)
    if len(singles) > _SINGLES:
        return None
    return sorted((int(run[0]), int(run[-1])) for run in runs[cut:]), singles
