"""What is expected of a training: gains as the benchmarks print them, and minutes by how fast this machine is."""

import re
from pathlib import Path

import pytest

from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from training.advice.expectations import expected_gain, expected_minutes
from training.advice.facts import facts_of
from training.advice.recommending import seconds_of
from training.data.intake import import_beir
from training.probe import ORDINARY

BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_MANY = {"hinglish_top", "medical sample", "medquad_small"}
"""The sets with a thousand pairs or more."""


def _rows(heading: str) -> list[list[str]]:
    """The table that stands under a heading."""
    part = BENCHMARKS.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1]
    lines = [line for line in part.split("\n## ", 1)[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("many", [False, True])
def test_gains_are_the_least_and_most_that_the_benchmarks_print(many: bool) -> None:
    name, adapter = "", []
    for row in _rows("Every recipe"):
        name = row[0].split(":")[0] or name
        if row[1] == "adapter" and (name in _MANY) is many:
            adapter.append(float(row[6 + 1].split()[0]))
    auto = [
        round(float(row[3]) - float(row[1]), 3)
        for row in _rows("Ten minutes of auto")
        if re.fullmatch(r"0\.\d+", row[3]) and (row[0].split(":")[0] in _MANY) is many
    ]
    pairs = 1_000 if many else 999
    assert len(adapter) >= 3 and len(auto) >= 3
    assert expected_gain("adapter", pairs, mined=False) == (min(adapter), max(adapter))
    assert expected_gain("auto", pairs, mined=False) == (min(auto), max(auto))


def test_from_documents_alone_the_most_is_what_the_benchmarks_print() -> None:
    said = BENCHMARKS.read_text(encoding="utf-8").split("as the adapter recipe trains it:", 1)[1]
    gains = [float(gain) for gain in re.findall(r"\(\+(\.\d+)", said.split("\n\n", 1)[0])]
    assert len(gains) == 6
    assert expected_gain("adapter", 500, mined=True) == (0.0, max(gains))
    assert expected_gain("adapter", 0, mined=False) == (0.0, max(gains))
    assert expected_gain("auto", 500, mined=True) is None
    assert expected_gain("static", 500, mined=False) is None


def test_minutes_are_those_of_an_ordinary_machine_until_this_one_is_known(
    workspace: Path, tiny_beir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project: Project = project_to_be("Tiny")
    import_beir(project, tiny_beir)
    facts = facts_of(project)
    said = expected_minutes(project)
    assert (said.basis, said.seconds) == ("ordinary", seconds_of(facts, ORDINARY))
    index = index_model(project, "generic")
    assert expected_minutes(project).basis == "ordinary", "so few words tell nothing of a speed"
    monkeypatch.setattr("training.advice.expectations._LEAST_ENCODED", 1)
    said = expected_minutes(project)
    here = facts.characters * index.details["vectors"] / index.details["seconds"]
    alone = seconds_of(facts, ORDINARY)["word2vec"]
    assert said.basis == "indexed"
    assert said.seconds["word2vec"] == pytest.approx(alone * ORDINARY.encoded / here)
