"""How many threads FAISS takes for a search."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def threads_for(queries: int) -> Iterator[None]:
    """No more threads than there are queries.

    FAISS parts its work by queries, so a second thread has nothing to do for a single one; but it is waited for,
    and on a busy machine that took a hundred times as long as the search (20,000 vectors: .4 and 50 ms). The
    number belongs to the calling thread, so searches at the same time do not hinder each other.
    """
    import faiss

    library: Any = faiss
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(max(1, min(before, queries)))
    try:
        yield
    finally:
        library.omp_set_num_threads(before)
