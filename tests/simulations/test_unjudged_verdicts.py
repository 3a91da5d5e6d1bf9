"""Where labels are missing that one side alone finds, a verdict is not settled, or it is the one that all labels give."""

import numpy as np
import pytest

from tests.proofs import ROW
from tests.simulations.resampled import generator
from tests.simulations.unlabelled import SAMPLES, contradicts, draw, pairs

pytestmark = pytest.mark.slow

TITLE = "What becomes of verdicts when 30 % of the relevant labels that only the candidate finds are gone?"
QUERIES = {"esci_sample": 73, "hinglish_top": 300}
LARGE = 0.08


def percent(count, of):
    return f"{100 * count / of:.0f} %" if of else "-"


@pytest.mark.parametrize("name", list(QUERIES))
def test_verdicts_are_settled_by_samples_and_contradict_none(name, whole, record_property):
    rng = generator(name, "unjudged")
    known, evaluations = pairs(name), 300 if whole else 6
    today, wrong, settled, large = 0, dict.fromkeys(SAMPLES, 0), dict.fromkeys(SAMPLES, 0), []
    for _ in range(evaluations):
        drawn = draw(name, known[rng.integers(len(known))], QUERIES[name], rng)
        today += contradicts(drawn.today[0].verdict, drawn.full.verdict)
        for sample in SAMPLES if whole else (0, 40, 160):
            looked = drawn.looked_at(sample)
            # Where a set has no bad label and nothing was graded, "if what nobody labelled is wrong" is what is said.
            settled[sample] += looked.settled is True
            wrong[sample] += looked.settled is True and contradicts(
                looked.verdict, drawn.full.verdict
            )
        if abs(drawn.full.delta) >= LARGE:
            large.append(looked.settled)
    assert max(wrong.values()) <= max(1, 0.05 * evaluations)
    assert np.mean(large or [True]) >= 0.8
    cells = {
        "data set": name,
        "evaluations": str(evaluations),
        "contradicted today": percent(today, evaluations),
        "with samples": percent(max(wrong.values()), evaluations),
    }
    for sample in SAMPLES:
        cells[f"settled, {sample} graded"] = percent(settled[sample], evaluations)
    cells[f"at 160 where the difference is {LARGE} or more"] = percent(sum(large), len(large))
    record_property(ROW, (TITLE, cells))
