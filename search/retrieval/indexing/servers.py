"""Indexes on a server: where it is, what our collections on it are called, and leaving nothing there.

A collection belongs to an index artifact and bears its id. So whatever has our prefix and belongs to no artifact
(finished or being built) is a leftover: of a killed process, or of something deleted while the server was away.
The next build sweeps it up, and so does the next command
that finds a server again which was away when an index on it was deleted (`SERVERS_LEFT`). The prefix is drawn at random for each workspace; a workspace that was copied or
moved draws a new one, so that it never takes another's collections for leftovers.
"""

import hashlib
import json
import re
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from indexes.opening import check, discard, put_in_service
from indexes.vector_index import (
    FAISS,
    MILVUS,
    BrokenIndex,
    EngineFailed,
    IndexDoesNotFit,
    IndexPlan,
    Unsupported,
)
from search.projects.artifacts import Draft, Manifest
from search.projects.errors import BespokeError, Damaged, Failed, Refused
from search.projects.files import write_atomically
from search.projects.graves import SERVERS_LEFT
from search.projects.locks import exclusive, workspace_lock
from search.projects.outgoing import host_and_port, note_contact, refuse_unless_named
from search.projects.project import Project
from search.projects.settings import settings

_OWNER_FILE = ".collections.json"
_MOMENT = 0.3  # Seconds that a server has to take a connection before it counts as away.
_UNFIT = re.compile(r"\W+", re.ASCII)


def connection(project: Project) -> dict[str, str]:
    """What an engine on another machine must know to be reached: `uri` and `token`, where they are known.

    :raises Refused: for a server that the project names and the environment does not, in an app that is open to others.
    """
    known = settings()
    found = {"uri": known.milvus_uri or project.info.milvus_uri, "token": known.milvus_token}
    uri = found["uri"]
    if uri and uri != known.milvus_uri:
        # Anybody who may index can name it, and it would get vectors, the token, or a file anywhere.
        refuse_unless_named(uri, "The Milvus server of this project")
    if uri and not uri.endswith(".db"):
        note_contact(uri, "vectors (Milvus)", project.name)
    return {name: value for name, value in found.items() if value}


def remember_address(project: Project, uri: str) -> None:
    """Keep the address of the project's Milvus server in its settings.

    :raises Refused: for an address that holds a password, or is none.
    """
    if "@" in uri:
        raise Refused(
            "The address of a Milvus server is kept and shown, so it may hold no password. Put that into "
            "the environment: BESPOKE_MILVUS_TOKEN=user:password."
        )
    if not re.fullmatch(r"https?://[^\s/]+(/[!-~]*)?|[^\s\x00-\x1f]+\.db", uri) or len(uri) > 2_000:
        raise Refused(f"{uri!r} is no address of a Milvus server, such as http://localhost:19530.")
    project.change(lambda _: {"milvus_uri": uri})


def reachable(project: Project, plan: IndexPlan, count: int, dimension: int) -> IndexPlan:
    """The plan with what its engine must know, after the engine said that it can do it.

    :param count: how many vectors it will be, of so many dimensions.
    :raises Refused: when it has no index of that type, its address is not known, or it cannot fit into memory.
    :raises Failed: when it does not answer.
    """
    at = {} if plan.engine == FAISS else connection(project)
    memory = settings().index_bytes if plan.memory is None else plan.memory
    full = replace(plan, connection=at, memory=memory)
    with in_words():
        check(full, count, dimension)
    return full


@contextmanager
def built_for(project: Project, plan: IndexPlan, draft: Draft) -> Iterator[IndexPlan]:
    """The plan with the names that an index gets on the server; leftovers of others are swept up first."""
    with in_words():
        if plan.engine == FAISS:
            yield plan
            return
        prefix = _prefix()
        _sweep(plan.connection, prefix)
        names = {"collection": prefix + _fit(draft.id), "alias": _alias(prefix, project, draft)}
        yield replace(plan, connection={**plan.connection, **names})


@contextmanager
def nothing_left(project: Project, details: Mapping[str, Any]) -> Iterator[None]:
    """Publishes happen inside: when one fails after the index was built, the server is tidied, too."""
    try:
        yield
    except BaseException:
        if details.get("engine", FAISS) != FAISS:
            with suppress(EngineFailed, Refused):
                discard(details, connection(project))
        raise


def published(project: Project, manifest: Manifest) -> None:
    """Let searches go to a new index, in one step, and remove those on a server that it takes the place of."""
    if manifest.details["engine"] == FAISS:
        return
    with in_words():
        put_in_service(manifest.details, connection(project))
    older = [m for m in project.manifests("indexes") if m.id < manifest.id]
    same = [m for m in older if m.made_from == manifest.made_from]
    remove_indexes(project, [m for m in same if m.details.get("engine", FAISS) != FAISS])


def remove_indexes(project: Project, manifests: Sequence[Manifest]) -> None:
    """Delete artifacts; of the indexes among them, what is on a server too."""
    project.remove(*manifests)
    leave_servers(project, manifests)


def leave_servers(project: Project, manifests: Sequence[Manifest]) -> list[str]:
    """Remove what indexes have on a server. Where it is away, its address is noted: see `sweep_left`.

    :returns: the collections that are there still.
    """
    left = []
    for manifest in manifests:
        if manifest.kind != "indexes" or manifest.details.get("engine") != MILVUS:
            continue
        parameters = manifest.details.get("parameters", {})
        try:
            discard(manifest.details, connection(project))
        except (EngineFailed, BrokenIndex, BespokeError):
            if uri := str(parameters.get("server", "")):
                _note_left(add=uri)
            left.append(str(parameters.get("collection", manifest.id)))
    return left


def left_on_servers() -> list[str]:
    """The addresses of servers that did not answer when an index on them was deleted."""
    try:
        noted = json.loads((settings().home / SERVERS_LEFT).read_bytes())
        return sorted(str(uri) for uri in noted)
    except (OSError, ValueError, TypeError):
        return []


def sweep_left(uri: str) -> None:
    """Remove what was deleted while a server was away.

    :raises Failed: when it is away still.
    :raises Refused: when it may not be asked.
    """
    known = settings()
    if uri != known.milvus_uri:
        refuse_unless_named(uri, "The Milvus server")
    if not uri.endswith(".db"):
        note_contact(uri, "vectors (Milvus)")
    with in_words():
        _sweep({"uri": uri, "token": known.milvus_token}, _prefix())


def sweep_what_answers() -> None:
    """Remove what was deleted while servers were away from those that are there again; no other is waited for."""
    for uri in left_on_servers():
        with suppress(BespokeError, OSError):
            if _listens(uri):
                sweep_left(uri)


def _listens(uri: str) -> bool:
    if uri.endswith(".db"):
        return True
    host, port = host_and_port(uri).rsplit(":", 1)
    with suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), _MOMENT):
        return True
    return False


def _note_left(add: str = "", remove: str = "") -> None:
    home = settings().home
    with exclusive(workspace_lock(home, "servers"), "the list of servers"):
        before = set(left_on_servers())
        after = {*before, add} - {remove, ""}
        if not after:
            (home / SERVERS_LEFT).unlink(missing_ok=True)
        elif after != before:
            write_atomically(home / SERVERS_LEFT, json.dumps(sorted(after)))


def sweep_servers(project: Project) -> None:
    """Remove what this workspace left on a project's server and belongs to no index any more.

    :raises Failed: when the server does not answer.
    """
    at = connection(project)
    if at:
        with in_words():
            _sweep(at, _prefix())


@contextmanager
def in_words() -> Iterator[None]:
    """What an engine says of a failure is a sentence for a person already."""
    try:
        yield
    except Unsupported as error:
        raise Refused(str(error)) from None
    except IndexDoesNotFit as error:
        raise Refused(
            f"The index does not fit: {error}. Choose a smaller type (--type ivf-rabitq is the smallest), "
            "or allow it more: BESPOKE_INDEX_MEMORY_GB."
        ) from None
    except EngineFailed as error:
        raise Failed(str(error)) from None
    except BrokenIndex as error:
        if error.folder is None:
            raise
        raise Damaged(f"{error}.", error.folder) from None


def _sweep(at: Mapping[str, str], prefix: str) -> None:
    from indexes.milvus.lifecycle import sweep

    home = settings().home
    folders = (folder.name for folder in home.glob("*/indexes/*"))
    existing = {_fit(name.removeprefix(".").split(".")[0]) for name in folders}
    sweep(at, prefix, existing.__contains__)
    if at["uri"] in left_on_servers():
        _note_left(remove=at["uri"])


def _alias(prefix: str, project: Project, draft: Draft) -> str:
    """The same for each index of a corpus as a model sees it; readable for whoever looks at the server."""
    made = json.dumps([str(project.folder), draft.made_from], sort_keys=True)
    return f"{prefix}{_fit(project.name)[:60]}_{hashlib.sha256(made.encode()).hexdigest()[:16]}"


def _fit(text: str) -> str:
    """A text as a part of a collection's name: Milvus allows ASCII letters, digits and _ ."""
    return _UNFIT.sub("_", text)


def _prefix() -> str:
    """What the names of this workspace's collections begin with."""
    path = settings().home / _OWNER_FILE
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["home"] == str(settings().home):
            return f"bespoke_{_fit(known['owner'])}_"
    owner = secrets.token_hex(6)
    write_atomically(path, json.dumps({"owner": owner, "home": str(settings().home)}))
    return f"bespoke_{owner}_"
