"""What the test queries can show before anything is trained: measured, by a quick adapter, or roughly."""

import json

import numpy as np
import pytest

from search.evaluation.evaluate import evaluate
from search.evaluation.statistics.groups import QueryGroups
from search.evaluation.statistics.power import Power, Spread
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import index_model
from training.advice import power
from training.advice.advise import advise
from training.advice.power import adapter_spread, expected_power, known_power
from training.data.intake import import_beir
from training.train import train


@pytest.fixture
def project(tiny_beir, tiny_model) -> Project:
    made = project_to_be("Tiny")
    import_beir(made, tiny_beir)
    add_model(made, str(tiny_model), Choices(name="tiny"))
    choose_generic(made, "tiny")
    return made


def test_from_rough_to_measured(project, monkeypatch):
    """Without an index roughly; then by a quick adapter, which advice keeps; then by what was measured."""
    monkeypatch.setattr(power, "_LEAST_GROUPS", 10)
    rough = known_power(project)
    assert (rough.basis, rough.spread) == ("rough", Spread(0.2, 1.0))
    assert expected_power(project) == rough
    index_model(project, "generic")
    quick = expected_power(project)
    assert quick.basis == "adapter"
    assert 0 < quick.spread.deviation < 0.6
    assert quick == expected_power(project), "the same each time"
    assert known_power(project) == rough, "nobody asked"
    details = advise(project).details["power"]
    assert Power.from_json(details) == quick == known_power(project)
    assert details["sentence"].endswith("(by the spread of a quick adapter on the training pairs).")
    json.dumps(details, allow_nan=False)
    train(project, "adapter", "mine", {"epochs": 2})
    result = evaluate(project, ["generic", "mine"])
    measured = known_power(project)
    assert measured.basis == "measured"
    assert measured.spread == Spread.of(result.differences("generic", "mine"), result.groups)
    assert measured.queries == len(result.queries)


def test_too_few_pairs_stay_rough(project):
    index_model(project, "generic")
    for manifest in project.manifests("pairs"):
        project.remove(manifest)
    assert adapter_spread(project) is None
    for manifest in project.manifests("queries"):
        project.remove(manifest)
    assert known_power(project) is None


def test_each_query_is_measured_by_who_did_not_see_it(project, monkeypatch):
    """Both halves of the training queries are held out once, and no group is on both sides."""
    monkeypatch.setattr(power, "_LEAST_GROUPS", 10)
    index_model(project, "generic")
    seen = []

    class Watched(power.Learner):
        def __init__(self, data, settings, kind):
            seen.append({tuple(row) for row in np.round(data.queries, 5).tolist()})
            super().__init__(data, settings, kind)

    monkeypatch.setattr(power, "Learner", Watched)
    adapter_spread(project)
    first, second = seen
    assert first
    assert second
    assert not first & second


def test_a_rough_figure_takes_queries_of_a_group_for_one():
    groups = QueryGroups(np.repeat(np.arange(40), 3))
    assert Power.on(groups, None, "rough").detectable() == pytest.approx(
        Power.on(QueryGroups.single(40), Spread(0.2), "measured").detectable()
    )
