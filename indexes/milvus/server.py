"""A Milvus server: what is asked of it, and its errors in words. Its token is in no message and no file."""

import logging
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from indexes.vector_index import EngineFailed, Positions, Vectors

FIELD, VECTOR = "id", "vector"
MOST = 16_384
"""So many vectors a search may ask for (Milvus's own limit)."""
_CONNECTING = 10.0
_MOMENT = 0.3
_ANSWERING = 60.0
_FLUSHING = 600.0
_PORT = 19530
_LITE = ".db"
# Vectors and the token go to the server itself, not through a proxy that the environment names for something else.
_DIRECTLY = {"grpc.enable_http_proxy": 0}
_GONE = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
# What a server says of a search that was under way when its collection was dropped.
_DROPPED = ("channel not available", "delegator closed", "collection not found")
_SWAPS = 3


class Server:
    """A connection to a Milvus server, a cluster's proxy, or a Milvus Lite folder (an address ending in .db).

    >>> Server({"uri": "/nowhere/vectors.db"})
    Traceback (most recent call last):
    indexes.vector_index.EngineFailed: There is no folder /nowhere to keep a Milvus Lite database in.
    """

    def __init__(self, connection: Mapping[str, str]) -> None:
        """:param connection: `uri` and, where the server wants one, `token` (user:password or an API key).

        :raises EngineFailed: when it does not answer, or does not let us in.
        """
        from pymilvus import MilvusClient

        for chatty in ("pymilvus", "milvus_lite"):  # They log every error with its traceback.
            logging.getLogger(chatty).setLevel(logging.CRITICAL + 1)
        self.address = connection["uri"]
        for patience in (_MOMENT, 0.0):
            try:
                self._client: Any = MilvusClient(
                    self.address,
                    token=connection.get("token", ""),
                    timeout=_CONNECTING,
                    grpc_options=_DIRECTLY,
                )
                # A connection of this process is used again, and may have died since. Milvus Lite, too,
                # hangs up on one that was idle; the next try finds it back.
                self._client.get_server_version(timeout=_CONNECTING)
                return
            except Exception:  # Whatever the library raises, its text may repeat what it was given.
                if not patience:
                    raise EngineFailed(self._no_entry()) from None
                time.sleep(patience)

    @property
    def lite(self) -> bool:
        """Whether it is Milvus Lite: a library in this process, for trying things out."""
        return self.address.endswith(_LITE)

    def create(self, collection: str, dimension: int) -> None:
        """Make an empty collection of positions and vectors."""
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(FIELD, DataType.INT64, is_primary=True)
        schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dimension)
        self._ask(
            f"make the collection {collection}",
            "create_collection",
            collection,
            schema=schema,
            consistency_level="Strong",
        )

    def insert(self, collection: str, positions: Positions, vectors: Vectors) -> None:
        """Add vectors under their positions."""
        rows = [
            {FIELD: int(p), VECTOR: vector} for p, vector in zip(positions, vectors, strict=True)
        ]
        self._ask("take vectors", "insert", collection, rows)

    def seal(self, collection: str) -> None:
        """Have everything that was inserted written to storage, so that an index can be built of it."""
        self._ask("store the vectors", "flush", collection, timeout=_FLUSHING)

    def begin_index(self, collection: str, kind: str, parameters: Mapping[str, Any]) -> None:
        """Begin to build the index of a collection; `index_state` tells how far it is."""
        wanted = self._client.prepare_index_params()
        given = {"metric_type": "IP", "params": dict(parameters), "index_name": VECTOR}
        wanted.add_index(VECTOR, index_type=kind, **given)
        what = f"build an index of type {kind}"
        self._ask(what, "create_index", collection, wanted, sync=self.lite)

    def index_state(self, collection: str) -> dict[str, Any]:
        """The type of a collection's index and how many rows it covers: Milvus's own words."""
        return dict(self._ask("tell of its index", "describe_index", collection, VECTOR) or {})

    def begin_load(self, collection: str) -> None:
        """Begin to bring a collection into the memory of the query nodes."""
        self._ask("load the collection", "load_collection", collection, _async=not self.lite)

    def loaded(self, collection: str) -> float:
        """Which share of a collection is in memory, 0 to 1."""
        state = self._ask("tell what is loaded", "get_load_state", collection)
        if getattr(state["state"], "name", str(state["state"])) == "Loaded":
            return 1.0
        return min(float(state.get("progress", 0)) / 100, 0.999)

    def count(self, collection: str) -> int:
        """How many vectors a collection holds, by its last state (strong consistency)."""
        counted = {"output_fields": ["count(*)"], "consistency_level": "Strong"}
        rows = self._ask("count its vectors", "query", collection, filter="", **counted)
        return int(rows[0]["count(*)"])

    def search(
        self,
        name: str,
        queries: Vectors,
        limit: int,
        parameters: Mapping[str, Any],
        only: str = "",
    ) -> list[tuple[Sequence[int], Sequence[float]]]:
        """The positions and inner products of the nearest vectors of each query, best first.

        Asked again where the collection behind an alias was dropped while the question was on its way.

        :param name: a collection or an alias.
        :param only: a filter, applied while searching.
        """
        for again in range(_SWAPS + 1):
            try:
                found = self._ask(
                    "search",
                    "search",
                    name,
                    data=list(queries),
                    anns_field=VECTOR,
                    limit=limit,
                    filter=only,
                    output_fields=[FIELD],
                    search_params={"metric_type": "IP", "params": dict(parameters)},
                    consistency_level="Strong",
                )
                break
            except EngineFailed as error:
                if again == _SWAPS or not any(word in str(error) for word in _DROPPED):
                    raise
                time.sleep(_MOMENT)
        return [
            ([int(hit[FIELD]) for hit in hits], [float(hit["distance"]) for hit in hits])
            for hits in found
        ]

    def dimension(self, collection: str) -> int | None:
        """The dimension of a collection's vectors; None where there is no such collection."""
        if not self._ask("tell its collections", "has_collection", collection):
            return None
        known = self._ask("tell of a collection", "describe_collection", collection)
        fields = {field["name"]: field for field in known["fields"]}
        return int(fields[VECTOR]["params"]["dim"]) if VECTOR in fields else 0

    def collections(self) -> list[str]:
        """The names of all collections that we may see."""
        return list(self._ask("tell its collections", "list_collections"))

    def point(self, alias: str, collection: str) -> None:
        """Let an alias name a collection from now on: one step, in which no search finds nothing."""
        points_to = self._names().get(alias)
        if points_to != collection:
            change = "create_alias" if points_to is None else "alter_alias"
            self._ask(f"let {alias} name {collection}", change, collection, alias)

    def drop(self, collection: str) -> None:
        """Remove a collection and the aliases that name it, if it is there."""
        for alias, named in self._names().items():
            if named == collection:
                self._ask(f"drop the alias {alias}", "drop_alias", alias)
        self._ask(f"drop the collection {collection}", "drop_collection", collection)

    def _names(self) -> dict[str, str]:
        """Every alias, and the collection that it names."""
        return {
            alias: collection
            for collection in self.collections()
            for alias in self._ask("tell its aliases", "list_aliases", collection)["aliases"]
        }

    def _ask(self, what: str, method: str, *given: Any, **more: Any) -> Any:
        """Call a method of the client; whatever goes wrong is one sentence.

        :param what: that the server should do, for that sentence.
        """
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            return getattr(self._client, method)(*given, **{"timeout": _ANSWERING, **more})
        except RpcError:  # A deadline that passed comes through as it is.
            raise EngineFailed(self._away()) from None
        except MilvusException as error:
            said = str(error.message).strip()
            away = getattr(error.code, "name", "") in _GONE or any(word in said for word in _GONE)
            if away or "connect" in said:
                raise EngineFailed(self._away()) from None
            reason = said.splitlines()[0][:300].rstrip(".") if said else "it did not say why"
            raise EngineFailed(
                f"The Milvus server at {self.address} could not {what}: {reason}."
            ) from None

    def _away(self) -> str:
        return (
            f"The Milvus server at {self.address} does not answer any more. Start it and try again."
        )

    def _no_entry(self) -> str:
        if self.lite:
            folder = Path(self.address).parent
            if not folder.is_dir():
                return f"There is no folder {folder} to keep a Milvus Lite database in."
            return (
                f"{self.address} cannot be opened with Milvus Lite: it is not installed, or another process has "
                "the database open, and only one may."
            )
        try:
            parts = urlsplit(self.address)
            with socket.create_connection((parts.hostname or "", parts.port or _PORT), timeout=2):
                pass
        except (OSError, ValueError):
            return f"No Milvus server answers at {self.address}. Start it, or correct the address."
        return (
            f"{self.address} answers, but does not let us in: the token is wrong or missing, or it is no "
            "Milvus server."
        )
