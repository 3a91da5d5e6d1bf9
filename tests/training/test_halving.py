"""Halving on made-up models whose quality and speed are known, against measuring all of them on everything."""

import numpy as np
import pytest

from search.evaluation.query_sets.query_set import QuerySet
from search.models.registry import ModelInfo
from search.projects.errors import Refused
from training.dev_set import DevSet
from training.halving import Entrant, halve, part_of, surely_better

QUERIES, OTHERS = 120, 900


@pytest.fixture(scope="module")
def dev() -> DevSet:
    """Query i is answered by document i; 900 others answer nothing."""
    names = [f"q{number:03}" for number in range(QUERIES)]
    ids = [f"d{number:03}" for number in range(QUERIES + OTHERS)]
    queries = QuerySet(
        {name: f"query {number}" for number, name in enumerate(names)},
        {name: {ids[number]: 1} for number, name in enumerate(names)},
    )
    return DevSet(queries, list(range(len(ids))), ids, [f"text {i}" for i in range(len(ids))])


class Noisy:
    """Both sides of a pair have one direction, with noise of a given size; it counts the documents that it encodes."""

    def __init__(self, noise: float) -> None:
        self.noise, self.encoded = noise, []

    def _vectors(self, texts, seed):
        made = []
        for text in texts:
            number = int(text.split()[1]) if " " in text and text.split()[1].isdigit() else 0
            own = np.random.default_rng([number]).normal(size=24)
            made.append(own + self.noise * np.random.default_rng([seed, number]).normal(size=24))
        return np.array(made, dtype=np.float32)

    def encode_query(self, inputs):
        return self._vectors(inputs, 1)

    def encode_document(self, inputs):
        self.encoded += inputs
        return self._vectors(inputs, 2)


def entrant(noise: float, pace: float = 1e-9) -> tuple[Entrant, Noisy]:
    model = Noisy(noise)
    name = f"noise{round(100 * noise)}"
    info = ModelInfo(name, name, "generic", None, 24, f"f{name}p{round(pace)}", "2026", name)
    return Entrant(name, lambda: (info, model), pace=pace), model


def test_the_part_of_a_larger_share_holds_that_of_a_smaller_one(dev):
    small, large = part_of(dev, 0.5), part_of(dev, 0.75)
    assert len(small.query_set.queries) == 60
    assert len(small.texts) == 60 + 450
    assert set(small.query_set.queries) < set(large.query_set.queries)
    assert set(small.ids) < set(large.ids)
    for query in small.query_set.queries:
        assert set(small.query_set.relevant(query)) <= set(small.ids)
    assert [dev.ids.index(one) for one in small.ids] == small.positions
    least = part_of(dev, 0.0)
    assert (len(least.query_set.queries), len(least.texts)) == (40, 40 + 200)
    assert part_of(dev, 1.0) == dev


def test_the_best_of_five_is_the_best_of_measuring_all_on_everything(dev):
    models = [entrant(noise) for noise in (1.4, 1.8, 1.0, 1.6, 2.0)]
    everything = [dev.ndcg(model) for _, model in models]
    assert np.argmax(everything) == 2
    for _, model in models:
        model.encoded.clear()
    first, *others = [one for one, _ in models]
    best = halve(first, others, dev)
    assert best.name == "noise100"
    assert best.score == pytest.approx(everything[2])
    assert first.score == pytest.approx(everything[0]), "the first is measured to the end"
    spent = [len(model.encoded) for _, model in models]
    assert spent == [len(set(model.encoded)) for _, model in models], "nothing twice"
    assert spent[2] == len(dev.texts)
    assert spent[4] < len(dev.texts) / 2, "the worst saw a part"


def test_a_gain_within_chance_leaves_the_first(dev):
    first, _ = entrant(1.4)
    same, _ = entrant(1.401)
    assert halve(first, [same], dev) is first
    gains = np.array([same.each[q] - first.each[q] for q in sorted(first.each)])
    assert (gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains))) is np.False_
    one, other = Entrant("a", None, {"q": 1.0}), Entrant("b", None, {"q": 0.0})
    assert not surely_better(one, other), "one query tells nothing"


def test_what_is_too_slow_is_left_out_and_says_so(dev):
    first, _ = entrant(1.4)
    slow, model = entrant(0.5, pace=60.0)
    good, _ = entrant(1.0)
    best = halve(first, [slow, good], dev, seconds=30.0)
    assert best is good
    assert slow.score is None
    assert slow.why_not == "too slow here for the time that there is"
    assert model.encoded == []


def test_little_time_measures_fewer_documents(dev):
    first, _ = entrant(1.4)
    # A character takes 10 ms: a part of 240 texts of 8 characters about 20 s, all of them 80.
    good, model = entrant(0.5, pace=0.01)
    assert halve(first, [good], dev, seconds=50.0) is good
    assert 240 <= len(model.encoded) < len(dev.texts)
    assert good.passages == first.passages == len(model.encoded)


def test_what_cannot_be_opened_says_why(dev):
    def away():
        raise Refused("The folder is gone.")

    first, _ = entrant(1.4)
    gone = Entrant("gone", away)
    assert halve(first, [gone], dev) is first
    assert gone.why_not == "The folder is gone."
    assert first.score is not None
