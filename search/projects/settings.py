"""The only reader of environment variables, and the home of every limit."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from search.projects.errors import Refused


@dataclass(frozen=True)
class Limits:
    """Bounds that are checked while reading, so that no input can exhaust the machine."""

    upload_bytes: int = 4 * 1024 * 1024 * 1024
    line_bytes: int = 8 * 1024 * 1024
    text_characters: int = 1_000_000
    prose_characters: int = 20_000_000
    prose_bytes: int = 64 * 1024 * 1024
    pages: int = 20_000
    id_characters: int = 512
    query_characters: int = 10_000
    filter_characters: int = 10_000
    columns: int = 1_000
    zip_entries: int = 10_000
    folder_files: int = 100_000
    zip_ratio: int = 200
    listed_refusals: int = 1_000
    preview_rows: int = 50_000
    preview_files: int = 500
    min_documents: int = 2
    min_pairs: int = 8
    max_hits: int = 1_000
    remembered_queries: int = 256
    query_terms: int = 256
    json_bytes: int = 256 * 1024 * 1024
    spreadsheet_rest_bytes: int = 256 * 1024 * 1024
    endpoint_tokens: int = 2_000_000
    explanation_tokens: int = 30_000
    prompt_characters: int = 4_000
    served_bytes: int = 8 * 1024 * 1024
    served_texts: int = 2_048
    served_waiting: int = 16_384
    served_requests: int = 512


@dataclass(frozen=True)
class AppSettings:
    """What the environment decides.

    `home` is the workspace folder (BESPOKE_HOME), `run_folder` the folder of the run that this process
    works for (BESPOKE_RUN, set by whoever started the process), `device` overrides the choice of cuda,
    mps or cpu (BESPOKE_DEVICE), `backend` the choice of what computes on a CPU (BESPOKE_BACKEND: auto, torch
    or openvino), `index_bytes` is what an index may keep in memory (BESPOKE_INDEX_MEMORY_GB; what is free now by
    default), `store_bytes` is what the embedding store may hold (BESPOKE_EMBEDDINGS_GB, 10 by
    default; 0 keeps nothing), and `max_tokens` what a command may send to a server that embeds
    (BESPOKE_MAX_TOKENS; None for each model's own cap).

    `milvus_uri` and `milvus_token` are where a Milvus server is and what lets us in (BESPOKE_MILVUS_URI,
    BESPOKE_MILVUS_TOKEN: user:password or an API key). `ray_address` is the Ray cluster that encodes
    (RAY_ADDRESS). `servers` are those that may be asked wherever they are, each as host:port (BESPOKE_SERVERS).
    `chat_url`, `chat_model` and `chat_key` are the chat server that pages propose for writing questions, its model, and the
    variable of its key (BESPOKE_CHAT_URL, BESPOKE_CHAT_MODEL; BESPOKE_KEY_CHAT where that is set).
    `beyond_loopback` says that others than this machine's own people reach the app (BESPOKE_BEYOND_LOOPBACK, set
    by the app for the runs that it starts). `listens` is who can reach the app where it listens on every address of its container
    (BESPOKE_LISTENS: loopback says that the port is published on 127.0.0.1 alone), `proxy_user_header` the header in
    which a reverse proxy on this machine names who asks (BESPOKE_PROXY_USER_HEADER), `people` who may sign in
    (BESPOKE_PEOPLE: addresses and @domains, comma-separated; everybody by default), and `person` for whom a run
    works (BESPOKE_PERSON, set by the page that started it). `serve_key` is what programs must send that ask `serve`
    (BESPOKE_SERVE_KEY; none by default). `trainings` is how many trainings of a workspace go on at
    once (BESPOKE_TRAININGS; 1 by default, others wait). `rank`, `local_rank` and `world` say which of several training processes this is (RANK,
    LOCAL_RANK, WORLD_SIZE, set by torchrun).
    """

    home: Path
    run_folder: Path | None
    device: str | None
    backend: str
    store_bytes: int
    index_bytes: int
    max_tokens: int | None = None
    milvus_uri: str = ""
    milvus_token: str = field(default="", repr=False)
    ray_address: str = ""
    servers: frozenset[str] = frozenset()
    chat_url: str = ""
    chat_model: str = ""
    chat_key: str = ""
    beyond_loopback: bool = False
    listens: str = ""
    proxy_user_header: str = ""
    people: tuple[str, ...] = ()
    person: str = ""
    serve_key: str = field(default="", repr=False)
    trainings: int = 1
    rank: int = 0
    local_rank: int = 0
    world: int = 1


LIMITS = Limits()
HOME_VARIABLE = "BESPOKE_HOME"
RUN_VARIABLE = "BESPOKE_RUN"
DEVICE_VARIABLE = "BESPOKE_DEVICE"
BACKEND_VARIABLE = "BESPOKE_BACKEND"
STORE_VARIABLE = "BESPOKE_EMBEDDINGS_GB"
INDEX_VARIABLE = "BESPOKE_INDEX_MEMORY_GB"
TOKENS_VARIABLE = "BESPOKE_MAX_TOKENS"
SERVERS_VARIABLE = "BESPOKE_SERVERS"
BEYOND_VARIABLE = "BESPOKE_BEYOND_LOOPBACK"
KEYS_VARIABLE = "BESPOKE_KEYS"
KEY_PREFIX = "BESPOKE_KEY_"
OPENAI_KEY = "OPENAI_API_KEY"
CHAT_URL_VARIABLE, CHAT_MODEL_VARIABLE = "BESPOKE_CHAT_URL", "BESPOKE_CHAT_MODEL"
_CHAT_KEY = KEY_PREFIX + "CHAT"
LISTENS_VARIABLE = "BESPOKE_LISTENS"
PROXY_VARIABLE = "BESPOKE_PROXY_USER_HEADER"
PEOPLE_VARIABLE = "BESPOKE_PEOPLE"
PERSON_VARIABLE = "BESPOKE_PERSON"
TRAININGS_VARIABLE = "BESPOKE_TRAININGS"
SERVE_KEY_VARIABLE = "BESPOKE_SERVE_KEY"
LOOPBACK = "loopback"
_MOST_TRAININGS = 64
_KEY_CHARACTERS = 16
BACKENDS = ("auto", "torch", "openvino")


def settings() -> AppSettings:
    """Read the environment afresh, so that a test or a child process may move the workspace."""
    run_folder = os.environ.get(RUN_VARIABLE)
    return AppSettings(
        home=Path(os.environ.get(HOME_VARIABLE) or "workspace").absolute(),
        run_folder=Path(run_folder) if run_folder else None,
        device=os.environ.get(DEVICE_VARIABLE) or None,
        backend=_backend(os.environ.get(BACKEND_VARIABLE) or BACKENDS[0]),
        store_bytes=_bytes_of(STORE_VARIABLE, os.environ.get(STORE_VARIABLE) or "10"),
        index_bytes=_index_bytes(os.environ.get(INDEX_VARIABLE)),
        max_tokens=_tokens(os.environ.get(TOKENS_VARIABLE)),
        milvus_uri=os.environ.get("BESPOKE_MILVUS_URI", ""),
        milvus_token=os.environ.get("BESPOKE_MILVUS_TOKEN", ""),
        ray_address=os.environ.get("RAY_ADDRESS", ""),
        servers=_servers(os.environ.get(SERVERS_VARIABLE, "")),
        chat_url=os.environ.get(CHAT_URL_VARIABLE, ""),
        chat_model=os.environ.get(CHAT_MODEL_VARIABLE, ""),
        chat_key=_CHAT_KEY if os.environ.get(_CHAT_KEY) else "",
        beyond_loopback=bool(os.environ.get(BEYOND_VARIABLE)),
        listens=_listens(os.environ.get(LISTENS_VARIABLE, "")),
        proxy_user_header=_header(os.environ.get(PROXY_VARIABLE, "")),
        people=_people(os.environ.get(PEOPLE_VARIABLE, "")),
        person=os.environ.get(PERSON_VARIABLE, ""),
        serve_key=_serve_key(os.environ.get(SERVE_KEY_VARIABLE, "")),
        trainings=_trainings(os.environ.get(TRAININGS_VARIABLE) or "1"),
        rank=_number("RANK", 0),
        local_rank=_number("LOCAL_RANK", 0),
        world=_number("WORLD_SIZE", 1),
    )


def secret(variable: str) -> str | None:
    """A key out of the environment, by the name of its variable; it is kept nowhere else.

    :raises Refused: for a variable that nobody said holds a key for servers: any other may be somebody else's secret.
    """
    declared = {name.strip() for name in os.environ.get(KEYS_VARIABLE, "").split(",")}
    if not (variable == OPENAI_KEY or variable.startswith(KEY_PREFIX) or variable in declared):
        raise Refused(
            f"That environment variable holds no key for servers: those that may be sent are {OPENAI_KEY}, all that begin "
            f"with {KEY_PREFIX}, and what {KEYS_VARIABLE} names where Bespoke is started."
        )
    return os.environ.get(variable) or None


def _backend(name: str) -> str:
    if name not in BACKENDS:
        raise Refused(f"{BACKEND_VARIABLE} is {name!r}; it must be one of {', '.join(BACKENDS)}.")
    return name


def _servers(named: str) -> frozenset[str]:
    """Servers as host:port, in small letters."""
    found = frozenset(server.strip().lower() for server in named.split(",") if server.strip())
    for server in found:
        host, sign, port = server.rpartition(":")
        if not (sign and host and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
            raise Refused(f"{SERVERS_VARIABLE} names {server!r}; each server must be host:port.")
    return found


def _listens(words: str) -> str:
    if words not in ("", LOOPBACK):
        raise Refused(
            f"{LISTENS_VARIABLE} is {words!r}; it must be {LOOPBACK}, or not be set: it says that this container's "
            "port is published on 127.0.0.1 alone."
        )
    return words


_OF_BROWSERS = frozenset(
    ("host", "origin", "cookie", "referer", "user-agent", "accept", "accept-language", "from")
)


def _header(name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z0-9-]{1,80}", name):
        raise Refused(
            f"{PROXY_VARIABLE} is {name!r}; it must name a header, such as X-Forwarded-Email."
        )
    if name.lower() in _OF_BROWSERS:
        raise Refused(
            f"{PROXY_VARIABLE} is {name!r}, which browsers write themselves: it must name a header that the proxy alone writes."
        )
    return name.lower()


def _people(words: str) -> tuple[str, ...]:
    listed = tuple(word.strip() for word in words.split(",") if word.strip())
    if wrong := [word for word in listed if not re.fullmatch(r"[^\s@]*@[^\s@]+", word)]:
        raise Refused(
            f"{PEOPLE_VARIABLE} names {wrong[0]!r}; it must hold addresses and @domains, with commas between."
        )
    return listed


def _tokens(number: str | None) -> int | None:
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise Refused(f"{TOKENS_VARIABLE} is {number!r}; it must be a whole number of tokens.")
    return int(number)


def _trainings(number: str) -> int:
    if not (number.isascii() and number.isdigit() and 0 < int(number) <= _MOST_TRAININGS):
        raise Refused(
            f"{TRAININGS_VARIABLE} is {number!r}; it must be a whole number from 1 to {_MOST_TRAININGS}."
        )
    return int(number)


def _serve_key(key: str) -> str:
    if key and not (
        len(key) >= _KEY_CHARACTERS and key.isascii() and key.isprintable() and " " not in key
    ):
        raise Refused(
            f"{SERVE_KEY_VARIABLE} holds no key that would hold: it must be at least {_KEY_CHARACTERS} plain letters, digits "
            "and signs without a space, such as openssl rand -hex 16 prints."
        )
    return key


def _index_bytes(gigabytes: str | None) -> int:
    return _bytes_of(INDEX_VARIABLE, gigabytes) if gigabytes else psutil.virtual_memory().available


def _bytes_of(variable: str, gigabytes: str) -> int:
    try:
        size = float(gigabytes)
    except ValueError:
        size = -1.0
    if not 0 <= size < float("inf"):
        raise Refused(f"{variable} is {gigabytes!r}; it must be a number of gigabytes.")
    return int(size * 1e9)


def _number(variable: str, otherwise: int) -> int:
    value = os.environ.get(variable, "")
    return int(value) if value.isdecimal() else otherwise


def send_no_usage_statistics() -> None:
    """Ray tells its makers how it is used, unless its environment says not to: nothing here calls home."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"


def reached_from_elsewhere() -> None:
    """Note, for this process and the runs that it starts, that others than this machine's people reach the app."""
    os.environ[BEYOND_VARIABLE] = "1"


def child_environment(run_folder: Path, person: str = "") -> dict[str, str]:
    """The environment of a run's process: this one's, plus the workspace, and the run and person it works for."""
    return {
        **os.environ,
        HOME_VARIABLE: str(settings().home),
        RUN_VARIABLE: str(run_folder),
        PERSON_VARIABLE: person,
        "PYTHONUNBUFFERED": "1",
    }


_READERS_NEED = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
)


def reader_environment() -> dict[str, str]:
    """The environment of a process that parses what people bring: no key and no address is in it."""
    wanted = {
        name: value
        for name, value in os.environ.items()
        if name in _READERS_NEED or name.startswith("LC_")
    }
    return {**wanted, "OMP_NUM_THREADS": "1"}
