"""The curve against one that is known, its words, and a real one over the tiny data."""

import json

import numpy as np
import pytest

from search.projects.errors import Refused
from search.projects.project import Project, project_to_be
from training.data.reports import current_report, make_report
from training.learning_curve import Curve, at, current_curve, curve_of, fit, learning_curve

SIZES = [100, 300, 1_000]


def known(alpha: float, c: float = 0.8) -> list[float]:
    return [1 - c * size**-alpha for size in SIZES]


def scores_around(
    means: list[float], noise: float, seeds: int = 3, queries: int = 200
) -> np.ndarray:
    rng = np.random.default_rng(5)
    drawn = rng.normal(0, noise, (len(means), seeds, queries))
    drawn -= drawn.mean(axis=(1, 2), keepdims=True)
    return np.asarray(means)[:, None, None] + drawn


def test_a_known_power_law_is_found_again():
    c, alpha = fit(SIZES, known(0.2))
    assert (c, alpha) == (pytest.approx(0.8), pytest.approx(0.2))
    assert at((c, alpha), 2_000) == pytest.approx(1 - 0.8 * 2_000**-0.2)


def test_the_gain_of_a_known_curve_with_its_uncertainty():
    curve = curve_of(SIZES, scores_around(known(0.2), 0.05), 0.3)
    expected = 0.8 * (1_000**-0.2 - 2_000**-0.2)
    assert curve.gain == pytest.approx(expected)
    low, high = curve.ci95
    assert low < expected < high
    assert high - low < 0.02
    assert curve.means == pytest.approx(known(0.2))
    assert curve.sentence.startswith(
        f"More pairs would help: 1,000 more should bring about {expected:+.3f}"
    )
    noisy = curve_of(SIZES, scores_around(known(0.2), 0.6), 0.3)
    assert noisy.ci95[1] - noisy.ci95[0] > 3 * (high - low)
    assert noisy.sentence.startswith("It cannot be told yet")


def test_a_flat_curve_says_that_more_pairs_change_little():
    curve = curve_of(SIZES, scores_around([0.7, 0.7, 0.7], 0.02), 0.6)
    assert curve.gain == pytest.approx(0, abs=1e-9)
    assert curve.sentence.startswith("More pairs of the same kind would change little")
    perfect = curve_of(SIZES, np.ones((3, 3, 20)), 1.0)
    assert perfect.gain == pytest.approx(0, abs=1e-6)


def test_a_curve_survives_json():
    curve = curve_of(SIZES, scores_around(known(0.1), 0.1), 0.2)
    again = Curve.from_json(json.loads(json.dumps(curve.as_json())))
    assert again == curve
    assert curve.as_json()["ci95"] == list(curve.ci95)


@pytest.fixture
def project(import_tiny) -> Project:
    made = project_to_be("Tiny")
    import_tiny(made)
    return made


def test_a_real_curve_is_kept_and_is_no_other_report(project, tiny_model):
    values = {"base": str(tiny_model), "epochs": 2, "learning_rate": 1e-2}
    assert current_curve(project) is None
    manifest = learning_curve(project, "adapter", values)
    curve = current_curve(project)
    assert curve is not None
    assert curve.sizes == [6, 18, 60]
    assert curve.queries == 8
    assert all(
        0 <= low <= mean <= high <= 1
        for low, mean, high in zip(curve.low, curve.means, curve.high, strict=True)
    )
    assert all(
        mean >= curve.start - 1e-9 for mean in curve.means
    )  # The best state is kept: never below the start.
    assert manifest.made_from["base"] == str(tiny_model)
    again = learning_curve(project, "adapter", values)
    assert again.details["curve"] == manifest.details["curve"]
    assert current_report(project) is None
    assert make_report(project).id == current_report(project).id  # type: ignore[union-attr]
    assert current_curve(project) == curve


def test_what_cannot_be_drawn_is_refused(project):
    with pytest.raises(Refused, match="fine-tune would take too long"):
        learning_curve(project, "fine-tune")
    with pytest.raises(Refused, match="There is no recipe 'nope'"):
        learning_curve(project, "nope")


@pytest.mark.slow
def test_the_terminal_draws_it(project, tiny_model, call_cli):
    done = call_cli("curve", "Tiny", "--set", f"base={tiny_model}", "--set", "epochs=1", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["sizes"] == [6, 18, 60]
    assert len(told["ci95"]) == 2
    assert "1,000 more" in told["sentence"]
