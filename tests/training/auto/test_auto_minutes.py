"""What auto does with its minutes, by a clock that a script moves: nothing here takes real time."""

from types import SimpleNamespace

import numpy as np
import pytest

from search.evaluation.query_sets.query_set import QuerySet
from search.projects.progress import silent
from training.auto import candidates
from training.auto.budgeted_search import BudgetedSearch, TrialResult
from training.auto.candidates import Candidates
from training.auto.fitting import steered_by
from training.auto.recipe import _enough
from training.auto.settings import AutoSettings
from training.auto.tunings import TUNINGS
from training.dev_set import DevSet
from training.fine_tune.speed import TrainingSpeed, characters
from training.result import Request

QUERIES, PASSAGES = 60, 600
BETTER = {"fine-tune": 0.1}


class Clock:
    """Seconds that pass when something is said to take them."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


class Scripted:
    """A member that takes as long as real ones do, and learns what the script says.

    :param gains: by the name of a trial, what it is better than the start.
    """

    def __init__(self, clock, speed, pairs, length, gains):
        self._clock, self._speed, self._length, self._gains = clock, speed, length, gains
        names = [f"q{number:03}" for number in range(QUERIES)]
        ids = [f"d{number}" for number in range(PASSAGES)]
        asked = QuerySet({q: q for q in names}, {q: {ids[n]: 1} for n, q in enumerate(names)})
        dev = DevSet(asked, list(range(PASSAGES)), ids, ["x" * length] * PASSAGES)
        self.material = SimpleNamespace(
            dev=dev, guarded=SimpleNamespace(pairs=["a pair"] * pairs), synthetic=False
        )
        self.data = SimpleNamespace(queries=np.zeros((pairs, 4)))
        self.character_seconds = {}
        self.learned = []

    def _result(self, name, rate=0.0):
        score = 0.5 + self._gains.get(name, 0.0)
        return TrialResult([name], [score] * QUERIES, {"kept": name, "learning_rate": rate})

    def start(self):
        return self._result("start")

    def adapter(self, epochs, told):
        self._clock.now += 5
        return self._result("adapter")

    def on(self, below, model, origin, pairs, epochs, told):
        self._clock.now += 5 + pairs * self._length * self._speed.character
        return self._result(f"adapter on {below}")

    def tune(self, name, settings, fits, ends, told, start):
        self.learned.append((name, fits, settings, start))
        pool = characters(steered_by(self.material.dev, fits.passages).texts)
        measure = pool * self._speed.character
        pair = (1.6 if settings.hard_negatives else 1.0) * self._speed.pair
        # As fine-tuning does: the start, up to eight times an epoch where that costs a quarter of it, three blends.
        looks = max(1, min(8, int(0.25 * fits.pairs * pair / measure)))
        self._clock.now += (1 + 3 * settings.blend) * measure
        for number in range(fits.seen):
            self._clock.now += pair
            if ends():
                break
            if number % (fits.pairs // looks) == 0:
                self._clock.now += measure
        self._clock.now += PASSAGES * self._length * self._speed.character
        return self._result(name, settings.learning_rate)

    def beside_the_pool(self):
        return len(self.material.guarded.pairs) * self._length

    def pool_unread(self, below):
        return 0


@pytest.fixture
def tried(monkeypatch, one_thread):
    """Runs auto over scripted members: (search, members)."""

    def run(minutes, pair, character, pairs, length, gains=None, members=1):
        clock, speed = Clock(), TrainingSpeed(pair, character)
        monkeypatch.setattr("training.auto.budgeted_search.time", clock)
        monkeypatch.setattr(candidates, "adapter_step", lambda size: 1e-6)
        monkeypatch.setattr(candidates, "load_trainable_base", lambda *given: None)
        monkeypatch.setattr(candidates, "pace", lambda *given: speed)
        better = BETTER if gains is None else gains
        learners = [Scripted(clock, speed, pairs, length, better) for _ in range(members)]
        search = BudgetedSearch(minutes, silent)
        request = Request(None, "mine", "auto", AutoSettings(minutes=minutes))
        monkeypatch.setattr(
            "training.auto.candidates.merged", lambda parts, each: np.mean(each, axis=0).tolist()
        )
        Candidates(request, learners, search).search()
        return search, learners

    return run


@pytest.mark.parametrize(
    ("minutes", "pair", "character", "pairs", "length", "members"),
    [
        (
            12,
            0.2,
            6e-5,
            1_300,
            1_000,
            1,
        ),  # Long questions, long answers: it said that it would not fit.
        (3, 0.2, 6e-5, 1_300, 1_000, 1),
        (10, 0.15, 4e-5, 170, 650, 3),  # A few contract clauses.
        (10, 0.3, 8e-5, 9_000, 1_200, 1),
    ],
)
def test_the_minutes_are_used(tried, minutes, pair, character, pairs, length, members):
    search, (first, *_) = tried(minutes, pair, character, pairs, length, members=members)
    assert 0.8 * search.clock.budget <= search.clock.spent <= 1.02 * search.clock.budget
    said = _enough(search, first.material)
    assert bool(said) == (search.clock.spent < 0.9 * search.clock.budget)
    names = [trial.name for trial in search.leaderboard.trials]
    assert len(set(names)) == len(names)
    kinds = {
        (s.learning_rate, s.batch_size, s.hard_negatives, start is None)
        for _, _, s, start in first.learned
    }
    assert len(kinds) == len(first.learned) >= 1, "none is another one's repetition"


def test_where_little_fits_it_begins_without_what_comes_after(tried):
    """Some pairs are learned from on a slow machine, without a look at blends, rather than none."""
    search, (only,) = tried(6, 0.8, 4e-4, 170, 650)
    ((name, fits, settings, _),) = only.learned
    assert (name, fits.epochs, fits.passages, settings.blend) == ("fine-tune", 1, 125, False)
    assert 64 <= fits.pairs < 170
    assert search.clock.spent <= search.clock.budget


def test_what_ends_early_says_why(tried):
    search, (only,) = tried(60, 0.01, 1e-6, 300, 200)
    assert search.clock.spent < 0.5 * search.clock.budget
    (said,) = _enough(search, only.material)
    assert said.endswith(
        "the rest would not help: every way to learn that it knows was tried, and the same again would bring the same."
    )
    assert [name for name, *_ in only.learned] == [tuning.title for tuning in TUNINGS]


def test_learning_goes_on_from_the_better_one_with_half_its_rate(tried):
    _, (only,) = tried(
        60, 0.01, 1e-6, 300, 200, {"fine-tune": 0.1, "fine-tune, smaller steps": 0.2}
    )
    tuned = {name: (settings, start) for name, _, settings, start in only.learned}
    settings, (model, _) = tuned["fine-tune, gone on with hard negatives"]
    assert model == "fine-tune, smaller steps"
    assert settings.learning_rate == pytest.approx(2.5e-5)
    assert settings.hard_negatives == 1
    assert tuned["fine-tune, larger batches"][0].learning_rate == pytest.approx(7.5e-5)


def test_where_nothing_was_learned_there_is_nothing_to_go_on_from(tried):
    _, (only,) = tried(60, 0.01, 1e-6, 300, 200, {})
    assert [name for name, *_ in only.learned] == ["fine-tune", "fine-tune, smaller steps"]


def test_half_a_training_is_not_begun_beside_a_whole_one(tried):
    """What is left is worth more to the model that is there."""
    search, (only,) = tried(6, 0.1, 2e-5, 800, 600)
    outcomes = {trial.name: trial.outcome.name for trial in search.leaderboard.trials}
    seen = {name: fits.seen for name, fits, *_ in only.learned}
    assert (
        outcomes["fine-tune, smaller steps"] == outcomes["fine-tune, larger batches"] == "NO_TIME"
    )
    assert 0 < seen["fine-tune, gone on with hard negatives"] < seen["fine-tune"]


def test_it_steers_by_fewer_questions_where_their_answers_alone_are_too_many():
    names = [f"q{number:03}" for number in range(100)]
    ids = [f"d{number // 8}" for number in range(8 * 100)] + [f"e{n}" for n in range(300)]
    asked = QuerySet({q: q for q in names}, {q: {f"d{n}": 1} for n, q in enumerate(names)})
    dev = DevSet(asked, list(range(len(ids))), ids, ["text"] * len(ids))
    part = steered_by(dev, 500)
    chosen = part.query_set.queries
    assert len(chosen) == int(100 * 250 / 800)
    assert len(part.ids) == 500
    assert {f"d{int(query[1:])}" for query in chosen} <= set(part.ids)
    assert steered_by(dev, 2_000).query_set.queries == asked.queries
