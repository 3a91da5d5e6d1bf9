"""What every benchmark begins with: where the data sets are, an empty workspace, and what machine this is."""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from search.models.registry import GENERIC
from search.projects.project import Project, project_to_be
from search.projects.settings import HOME_VARIABLE
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir
from training.samples import SAMPLES, bring_in


def data_sets() -> Path:
    """The folder of the data sets in BEIR layout."""
    return Path(os.environ.get("BESPOKE_DATA", "../shared/data"))


def json_lines(name: str, file: str) -> list[dict[str, Any]]:
    """The rows of a file of a data set."""
    path = data_sets() / name / file
    if not path.is_file():
        sys.exit(f"There is no {path}. Set BESPOKE_DATA to where the data sets are.")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def prepared(name: str, called: str | None = None) -> Project:
    """A project with a data set or sample in it.

    :param called: the project's name, where it is not that of the set.
    """
    project = project_to_be(called or name)
    source = data_sets() / name
    if name in SAMPLES:
        bring_in(project, SAMPLES[name])
        index_model(project, GENERIC)
    elif source.is_dir():
        import_beir(project, source)
    else:
        sys.exit(f"There is no data set {source}. Set BESPOKE_DATA to where the data sets are.")
    return project


@contextmanager
def empty_workspace() -> Iterator[Path]:
    """A temporary folder that is the workspace until the block ends."""
    with tempfile.TemporaryDirectory(prefix="bespoke-bench-") as home:
        os.environ[HOME_VARIABLE] = home
        yield Path(home)


def machine() -> str:
    """The processor, its cores and Python, for the line above a table."""
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def processor() -> str:
    """The processor's name, and how wide it computes."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    able = " with AMX" if any("amx_bf16" in line for line in lines) else ""
    able = able or (" with AVX-512" if any("avx512f" in line for line in lines) else " with AVX2")
    return (names[0] if names else platform.processor()) + able
