"""How long a query takes in a column, asked by itself as people ask: what a gain costs is part of a verdict."""

import time
from collections.abc import Sequence
from statistics import median

from search.retrieval.retriever import EncodingTime, Retriever

_ASKED = 8
_SECONDS = 2.0  # After so many seconds of asking, no further query is timed.
_HITS = 10


def milliseconds_a_query(retriever: Retriever, texts: Sequence[str]) -> float:
    """The median over up to eight queries, spread evenly: encoding and search, ten hits.

    A vector that was made before counts with the time that it took then.
    """
    step = max(len(texts) // _ASKED, 1)
    spent: list[float] = []
    for text in texts[::step][:_ASKED]:
        timing = EncodingTime()
        started = time.perf_counter()
        retriever.rank([text], _HITS, timing=timing)
        spent.append(time.perf_counter() - started - timing.encode_here + timing.encode)
        if sum(spent) > _SECONDS:
            break
    return round(1000 * median(spent), 2)
