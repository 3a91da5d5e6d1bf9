"""What the types of an index are called in Milvus, and what they are built and searched with.

Milvus runs FAISS, hnswlib and DiskANN inside, so the parameters are the same numbers with the same meaning:
https://milvus.io/docs/index.md.
"""

from dataclasses import dataclass
from typing import Any

from indexes.vector_index import AUTO, FLAT

HNSW = "hnsw"
_EXACT_UP_TO = 20_000
_LARGEST_LISTS = 65_536
_POINTS_A_LIST = 39  # Fewer a list, and k-means cannot place it well (FAISS warns of it).
_SMALLEST_PQ = 256
_WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
LITE_TYPES = ("flat", "hnsw", "ivf", "ivf-sq8")


@dataclass(frozen=True)
class MilvusType:
    """One type of index.

    :param milvus: its name in Milvus.
    :param width_parameter: the parameter of a search that buys recall with time; None where a search is exact.
    :param wider: how many times as many candidates as are wanted are ranked again by exact scores.
    :param bytes_a_component: what one component of a vector takes in the query nodes' memory.

    >>> TYPES["ivf"].search_parameters(16, fetch=100), TYPES["hnsw"].search_parameters(16, fetch=100)
    ({'nprobe': 16}, {'ef': 100})
    """

    milvus: str
    width_parameter: str | None = None
    wider: int = 1
    bytes_a_component: float = 4.0

    @property
    def exact(self) -> bool:
        """Whether a search finds exactly the nearest."""
        return self.width_parameter is None

    def search_parameters(self, width: int | None, fetch: int) -> dict[str, int]:
        """The parameters of a search for `fetch` vectors."""
        if self.width_parameter is None or width is None:
            return {}
        # HNSW and DiskANN keep a list of so many candidates: it must hold those that are wanted.
        return {
            self.width_parameter: width if self.width_parameter == "nprobe" else max(width, fetch)
        }

    def widths(self, built_with: dict[str, Any]) -> list[int]:
        """The widths worth trying, the cheapest first; the last is the most there is, or the most we pay for."""
        most = built_with.get("nlist", _WIDTHS[-1])
        tried = [width for width in _WIDTHS if width < most]
        return (
            [*tried, min(most, _WIDTHS[-1])]
            if self.width_parameter == "nprobe"
            else tried or [most]
        )


TYPES = {
    FLAT: MilvusType("FLAT"),
    HNSW: MilvusType("HNSW", "ef"),
    "ivf": MilvusType("IVF_FLAT", "nprobe"),
    "ivf-sq8": MilvusType("IVF_SQ8", "nprobe", wider=2, bytes_a_component=1.0),
    "ivf-pq": MilvusType("IVF_PQ", "nprobe", wider=10, bytes_a_component=0.25),
    "diskann": MilvusType("DISKANN", "search_list", wider=2, bytes_a_component=0.25),
}


def chosen(asked: str, count: int) -> tuple[str, str]:
    """The type that is built for a wish, and one sentence why.

    :param asked: a type, or `auto`.
    :param count: how many vectors there are.
    """
    if asked != AUTO:
        return asked, "It was asked for."
    if count <= _EXACT_UP_TO:
        return FLAT, f"Up to {_EXACT_UP_TO:,} vectors, exact search is fast enough."
    return HNSW, f"Above {_EXACT_UP_TO:,} vectors, a graph answers faster than exact search."


def built_with(kind: str, count: int, dimension: int) -> dict[str, Any]:
    """The parameters that an index is built with.

    :param count: how many vectors it will hold.
    """
    if kind == HNSW:
        return {"M": 32, "efConstruction": 200}
    if not kind.startswith("ivf"):
        return {}
    # FAISS's rule of thumb is 4 to 16 times the square root of the count.
    lists = max(1, min(int(4 * count**0.5), count // _POINTS_A_LIST, _LARGEST_LISTS))
    if kind != "ivf-pq":
        return {"nlist": lists}
    return {"nlist": lists, "m": _parts(dimension), "nbits": 8}


def smallest(kind: str) -> int:
    """How many vectors a type needs at least."""
    return _SMALLEST_PQ if kind == "ivf-pq" else 0


def _parts(dimension: int) -> int:
    """Into how many parts a vector is cut for product quantisation: four components each, where that divides."""
    return next(parts for parts in range(max(1, dimension // 4), 0, -1) if dimension % parts == 0)
