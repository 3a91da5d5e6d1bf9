"""Wins and losses one press from Compare, by slice; and the verdict to hand over, on Evaluate."""

import numpy as np
import pytest
from app_help import TINY, labels, open_page, press, run, shown

from search.evaluation.changes import Change, changes
from search.evaluation.evaluation import Evaluation, load_evaluation
from search.evaluation.slices import tested
from search.evaluation.slices.define import Slice
from search.insight.verdict_page.content import MeasuredPair
from search.insight.verdict_page.files import written
from search.projects.project import Project
from ui.handing_over import _made

PAIR = ("generic", "words-2")


@pytest.fixture
def sliced(evaluated: Project, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """The evaluation, with a part of its few questions."""
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    result = load_evaluation(evaluated, manifest)
    monkeypatch.setattr(tested, "LEAST_QUERIES", 5)
    monkeypatch.setattr(tested, "LEAST_GROUPS", 3)
    part = Slice("odd", "odd questions", np.arange(len(result.queries)) % 2 == 1)
    result = result.in_slices([part])
    with evaluated.publish("evaluations", manifest.made_from) as draft:
        result.save(draft, manifest.details["fingerprints"])
    return result


def _listed(found: list[Change]) -> list[str]:
    return [change.text for change in found]


def test_wins_and_losses_by_part_one_press_from_asking(sliced: Evaluation) -> None:
    at = open_page("compare", TINY, model=list(PAIR))
    found = changes(sliced, *PAIR)
    assert found, "the two models differ somewhere"
    drawn = [label for label in labels(at) if "→" in label]
    assert [label.split(" · ")[0] for label in drawn] == _listed(found)[:12]
    at.selectbox(key="changed-slice").select("odd")
    run(at)
    odd = changes(sliced, *PAIR, "odd")
    drawn = [label for label in labels(at) if "→" in label]
    assert [label.split(" · ")[0] for label in drawn] == _listed(odd)[:12]
    assert 0 < len(odd) < len(found)
    press(at, "changed-0")
    assert at.text_input[0].value == odd[0].text


def test_columns_that_were_not_measured_together_say_what_to_do(trained: Project) -> None:
    at = open_page("compare", TINY, model=["words", "words-2"])
    assert "Choose two columns that were measured against each other" in shown(at)
    assert not [label for label in labels(at) if "→" in label]


def test_the_verdict_is_handed_over_as_the_command_writes_it(evaluated: Project) -> None:
    at = open_page("evaluate", TINY)
    offered = {one.proto.label for one in at.get("download_button")}
    assert {"Download the page", "Download the JSON"} <= offered
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    measured = MeasuredPair.of(evaluated, manifest, "words-2", "generic")
    for suffix in (".html", ".json"):
        for with_text in (True, False):
            made = _made(evaluated, manifest, measured.test, suffix, with_text)
            assert made.decode() == written(measured, suffix, with_text)
