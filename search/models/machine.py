"""The machine that everything runs on: what it is, what is free, what computes, and whether configured servers can be reached."""

import os
import platform
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import psutil

from search.models.sentence_transformer import best_device
from search.projects.errors import Refused, in_words
from search.projects.files import size_in_words
from search.projects.outgoing import addresses_of, host_and_port, note_contact
from search.projects.project import Project
from search.projects.room import free_bytes, memory_bytes
from search.projects.settings import BACKEND_VARIABLE, DEVICE_VARIABLE, HOME_VARIABLE, settings

_LIST = Path(__file__).resolve().parents[2] / "requirements.txt"
_PIN = re.compile(r"^([\w.-]+)==([\w.]+)(?!.*\bextra\b)")
_SHOWN = ("torch", "sentence-transformers", "transformers", "openvino", "faiss-cpu", "streamlit")
_LITTLE_MEMORY, _LITTLE_DISK = 2e9, 3e9
_PATIENCE = 3.0
_ASKED = "whether it can be reached"


@dataclass(frozen=True)
class Reached:
    """A server, what it is for, and in words why it cannot be reached ("" where it can).

    >>> Reached("localhost:19530", "Milvus", "Connection refused").sentence
    'Milvus at localhost:19530 cannot be reached: Connection refused. Start it, or look at its address and the way there.'
    """

    host: str
    what: str
    problem: str = ""

    @property
    def sentence(self) -> str:
        """In words, with what to do."""
        if not self.problem:
            return f"{self.what} at {self.host} can be reached."
        return (
            f"{self.what} at {self.host} cannot be reached: {self.problem}. Start it, or look at its address and the way "
            "there."
        )


@dataclass(frozen=True)
class MachineReport:
    """What this machine is; bytes of memory and disk are what is free now.

    >>> MachineReport("A CPU, 2 cores", {"python": "3.11"}, 4 * 10**9, 5 * 10**9, "/work", "cpu", [], ["Do this."]).sentences[0]
    'A CPU, 2 cores. Memory: 4.0 GB free. Disk: 5.0 GB free for the workspace (/work).'
    """

    machine: str
    versions: dict[str, str]
    memory: int
    disk: int
    home: str
    device: str
    servers: list[Reached]
    to_do: list[str]

    @property
    def sentences(self) -> list[str]:
        """In words, what to do last."""
        memory, disk = size_in_words(self.memory), size_in_words(self.disk)
        known = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return [
            f"{self.machine}. Memory: {memory} free. Disk: {disk} free for the workspace ({self.home}).",
            f"Models are computed on: {self.device}. {known}.",
            *(server.sentence for server in self.servers),
            *self.to_do,
        ]

    def as_json(self) -> dict[str, Any]:
        """In plain JSON types."""
        return asdict(self)


def machine_report(projects: Iterable[Project], hub: bool = False) -> MachineReport:
    """Look at the machine, and at the servers that the environment and the projects name: a connection each, and no word.

    :param hub: also whether the model hub can be reached, which is not asked otherwise.
    """
    home = settings().home
    memory, disk, device = memory_bytes(), free_bytes(home), best_device()
    servers = [_reach(url, what) for url, what in _servers(projects, hub).items()]
    to_do = [*_about_room(memory, disk), *_about_device(device), *_about_versions()]
    if not hub:
        to_do.append("The model hub was not asked, and nothing needs it; --hub asks it.")
    shown = {name: _version(name) or "missing" for name in _SHOWN}
    versions = {"python": platform.python_version(), **shown}
    return MachineReport(_machine(), versions, memory, disk, str(home), device, servers, to_do)


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}"
    total = size_in_words(psutil.virtual_memory().total)
    return f"{system}, {os.cpu_count()} cores, {total} of memory"


def _about_room(memory: int, disk: int) -> Iterator[str]:
    if memory < _LITTLE_MEMORY:
        yield (
            f"Only {size_in_words(memory)} of memory is free, and fine-tuning wants more: end what else runs, or train an "
            "adapter."
        )
    if disk < _LITTLE_DISK:
        yield (
            f"Only {size_in_words(disk)} is free on the disk of the workspace: make room, or move the workspace and name it "
            f"in {HOME_VARIABLE}."
        )


def _about_device(device: str) -> Iterator[str]:
    """What to do where the environment names a device that is not here."""
    import torch

    known = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    kind = device.split(":", maxsplit=1)[0]
    if not known.get(kind, kind == "cpu"):
        yield f"{DEVICE_VARIABLE} says {device}, which torch does not find here: leave it unset, or set it to cpu."
    if kind == "cpu" and settings().backend == "torch":
        yield f"{BACKEND_VARIABLE} is torch: auto also tries OpenVINO, which is faster on most CPUs."


def _about_versions() -> Iterator[str]:
    """Which packages are not those that Bespoke is tried with."""
    wrong = [
        f"{name} {installed or 'is missing'} ({wanted})"
        for name, wanted in _pins().items()
        if (installed := _version(name).partition("+")[0]) != wanted
    ]
    if wrong:
        yield (
            f"Not as pinned, pinned in brackets: {', '.join(wrong)}. Install again: make app, or pip install bespoke into an "
            "environment of its own."
        )


def _pins() -> dict[str, str]:
    """What is needed, in which version: by the list of a checkout, or by what pip wrote down."""
    try:
        lines = (
            _LIST.read_text(encoding="utf-8").splitlines()
            if _LIST.is_file()
            else requires("bespoke") or []
        )
    except PackageNotFoundError:
        lines = []
    return {pin[1]: pin[2] for line in lines if (pin := _PIN.match(line))}


def _version(name: str) -> str:
    """The version of a package, behind a + what it was built for; "" where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _servers(projects: Iterable[Project], hub: bool) -> dict[str, str]:
    """The addresses that somebody configured, each once, and what each is for."""
    known = settings()
    named = {known.chat_url: "The chat server", known.milvus_uri: "Milvus"}
    if known.ray_address:
        scheme = "" if "://" in known.ray_address else "ray://"
        named[scheme + known.ray_address] = "Ray"
    for project in projects:
        named.setdefault(project.info.milvus_uri, f"Milvus of {project.name}")
        for manifest in project.manifests("models"):
            url = manifest.details.get("settings", {}).get("base_url", "")
            named.setdefault(url, f"{manifest.details['name']} of {project.name}")
    if hub:
        from huggingface_hub import constants

        named[constants.ENDPOINT] = "The model hub"
    # A Milvus in a file has no address, nor has Ray's `auto`.
    return {url: what for url, what in named.items() if "://" in url and url != "ray://auto"}


def _reach(url: str, what: str) -> Reached:
    """Whether something listens at an address. It is connected to, and nothing is sent."""
    host = url
    try:
        host = host_and_port(url)
        port = int(host.rpartition(":")[2])
        address = addresses_of(url)[0]
        note_contact(url, _ASKED, address=address)
        with socket.create_connection((address, port), timeout=_PATIENCE):
            return Reached(host, what)
    except Refused as error:
        return Reached(host, what, str(error).rstrip("."))
    except OSError as error:
        return Reached(host, what, in_words(error))
    except ValueError:
        return Reached(host, what, "that is no address")
