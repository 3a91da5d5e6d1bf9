"""Auto: which trial stands, what fits into the time, and what is published."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from auto_runs import details_of, run_auto
from sentence_transformers import SentenceTransformer

import training.auto.recipe as making
from indexes.vector_index import normalised
from search.corpus.corpus import current_corpus
from search.evaluation.query_sets.trained_on import TRAINED_ON
from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects.progress import silent
from training.auto import candidates, folds
from training.auto.budgeted_search import BudgetedSearch, TimeBudget, TimeUp
from training.auto.fitting import SAFETY, Fitted, fitted
from training.auto.folds import all_dev_queries, merged, split_into_folds
from training.auto.leaderboard import Leaderboard, Outcome, Trial
from training.auto.member import OTHERS, asked, embedded_by
from training.auto.tunings import TUNINGS
from training.baseline import ReadyMade, Standing
from training.checkpoints import Checkpointer
from training.dev_set import DevSet
from training.export.card import model_card
from training.fine_tune.speed import TrainingSpeed
from training.refit_plan import plan_of
from training.static.recipe import learn_static
from training.static.settings import StaticSettings
from training.train import train
from training.training_data import load_training_data
from training.weight_interpolation import SHRUNKEN

# --- which trial stands ---


@pytest.mark.parametrize(
    ("each", "outcome"),
    [
        ((0.6, 0.7, 0.5, 0.6), Outcome.LEADS),  # +.1 each time: no doubt about it.
        ((0.5, 0.6, 0.4, 0.5), Outcome.NO_BETTER),
        ((1.0, 0.3, 0.2, 0.7), Outcome.WITHIN_NOISE),  # +.05 with a standard error of .18.
        ((0.1, 0.1, 0.1, 0.1), Outcome.NO_BETTER),
    ],
)
def test_a_trial_leads_when_its_gain_is_more_than_its_standard_error(each, outcome):
    leaderboard = Leaderboard([Trial("start", Outcome.LEADS, (0.5, 0.6, 0.4, 0.5), 0.0)])
    assert leaderboard.outcome_of(each) is outcome


def test_one_dev_query_proves_nothing():
    assert (
        Leaderboard([Trial("start", Outcome.LEADS, (0.2,), 0.0)]).outcome_of((0.9,))
        is Outcome.WITHIN_NOISE
    )


def test_the_table_says_what_was_kept_and_why_the_others_were_not():
    leaderboard = Leaderboard(
        [
            Trial("start", Outcome.LEADS, (0.2, 0.4), 1.0),
            Trial("adapter", Outcome.LEADS, (0.4, 0.6), 2.0),
            Trial("fine-tune", Outcome.WITHIN_NOISE, (0.3, 0.8), 60.0),
            Trial("adapter on fine-tune", Outcome.LEADS, (0.7, 0.9), 3.25, {"epochs": 60}),
            Trial("static", Outcome.NO_TIME),
        ]
    )
    assert [(row["name"], row["outcome"]) for row in leaderboard.table()] == [
        ("start", "what all others start from"),
        ("adapter", "overtaken by a later one"),
        ("fine-tune", "better by no more than chance: the simpler one stays"),
        ("adapter on fine-tune", "kept"),
        ("static", "not begun: it would not fit into the time"),
    ]
    assert [row["ndcg@10"] for row in leaderboard.table()] == pytest.approx(
        [0.3, 0.5, 0.55, 0.8, None], nan_ok=True
    )
    assert leaderboard.note == (
        "3 ways to learn were tried. Kept: adapter on fine-tune, 0.800 nDCG@10 on 2 dev queries (the start, 0.300)."
    )
    again = [Trial.from_json(json.loads(json.dumps(asdict(trial)))) for trial in leaderboard.trials]
    assert again == leaderboard.trials


# --- what fits ---


@pytest.mark.parametrize(
    ("pairs", "seconds", "fits"),
    [
        # Four epochs are the most: 40 + 4 * (100 + 25), the dev queries asked as often as costs a quarter.
        (1_000, 1_000, (4, 1_000, 1_000)),
        # .97 * 320 - 40 = 270 s are 2.2 epochs of 125: three of them, each of which sees a part of the pairs.
        (1_000, 320, (3, 721, 1_000)),
        # Four measurements of 10 s are more than .15 of 262: it steers by fewer passages, .5 s each.
        (1_000, 270, (3, 693, 500)),
        (
            1_000,
            150,
            (1, 1_000, 500),
        ),  # 1.15 epochs: two would see less than six tenths of the pairs.
        (10_000, 600, (1, 4_336, 1_000)),  # (.97 * 600 - 40) / .125
        (10_000, 16, (1, 108, 500)),  # (.97 * 16 - 2) / .125
        (10_000, 10, None),
        (20, 20, (4, 20, 500)),  # Fewer than are worth beginning for, but all that there are.
    ],
)
def test_epochs_pairs_and_dev_queries_follow_from_what_was_timed(pairs, seconds, fits):
    speed = TrainingSpeed(pair=0.1, character=0.0001)
    made = fitted(speed, pairs, {1_000: 100_000, 500: 5_000}, 3, seconds)
    if fits is None:
        assert made is None
        return
    assert (made.epochs, made.pairs, made.passages) == fits
    assert made.seconds <= 0.97 * seconds + 1e-6


def test_what_does_not_hear_that_time_is_over_is_ended():
    told = []
    clock = TimeBudget(10.0, spent=10.5)
    clock.watched(lambda *report: told.append(report), "adapter")(1, 2, "epoch 1")
    assert told == [(10.0, 10.0, "adapter: epoch 1", None)]
    with pytest.raises(TimeUp):
        TimeBudget(10.0, spent=11.5).watched(lambda *report: None, "adapter")(1, 2, "epoch 1")


# --- what an adapter on a model learns from ---


def test_what_an_adapter_on_a_tuned_model_learns_from_is_what_that_model_says(tiny, tiny_model):
    material = load_training_data(tiny)
    model = SentenceTransformer(str(tiny_model), device="cpu")
    seen = []

    def told(done, total, message, metrics=None):
        seen.append(message)

    known = asked(model, material.dev, told)
    data, dev = embedded_by(model, material, known, told)
    pairs = material.guarded.pairs
    for got, texts in (
        (data.queries, [p.query for p in pairs]),
        (data.responses, [p.response for p in pairs]),
    ):
        np.testing.assert_allclose(got, normalised(model.encode(texts)), atol=1e-5)
    assert dev.scores_of_vectors(data.dev_queries, data.documents) == known.scores(material.dev)
    answers = {p.response for p in pairs}
    beside = len(answers - set(material.dev.texts))
    assert beside < len(answers), "some answers stand in the pool"
    assert f"encoding {beside} answers" in seen or not beside


# --- from the recipe to a model ---


@pytest.fixture
def averages(monkeypatch):
    """The models that were averaged, in lists."""
    seen = []

    def averaged(models):
        seen.append(list(models))
        return folds.averaged(models)

    monkeypatch.setattr(making, "averaged", averaged)
    return seen


def _by_members(parts, models):
    """What the members score together, each on what it had not seen."""
    each = [
        part.dev.scores_of_vectors(*part.dev.vectors(model))
        for part, model in zip(parts, models, strict=True)
    ]
    return np.mean(merged(parts, each))


def test_the_best_trial_is_published_as_the_leaderboard_says(
    tiny, tiny_model, averages, monkeypatch
):
    """Its score is that of its three members, each on what it had not seen; its model their average."""
    monkeypatch.setattr(candidates, "TUNINGS", TUNINGS[:1])
    told = []

    def hear(done, total, message, metrics=None):
        if metrics and "trial" in metrics:
            told.append((message, metrics["trial ndcg@10"]))

    made = run_auto(tiny, tiny_model, 10, progress=hear)
    details = details_of(tiny, made.name)
    leaderboard = details["leaderboard"]
    names = ["start", "adapter", "fine-tune", "adapter on fine-tune"]
    assert [trial["name"] for trial in leaderboard[:4]] == names
    kept = [trial for trial in leaderboard if trial["outcome"] == "kept"]
    assert len(kept) == 1
    assert details["dev"]["kept"] == kept[0]["name"]
    assert details["dev"]["ndcg@10"] == [leaderboard[0]["ndcg@10"], kept[0]["ndcg@10"]]
    assert kept[0]["ndcg@10"] > leaderboard[0]["ndcg@10"] + 0.05
    steps = plan_of(details)
    assert " on ".join(step.recipe for step in reversed(steps)) == kept[0]["name"].split(",")[0]
    assert all(0 < step.updates <= step.planned for step in steps), "what a refit follows"
    parts = split_into_folds(load_training_data(tiny))
    ((*models,),) = averages
    assert len(models) == len(parts) == details["dev"]["members"] == 3
    assert _by_members(parts, models) == pytest.approx(kept[0]["ndcg@10"], abs=1e-6)
    texts = ["the first text", "gamma delta"]
    encoder = load_encoder(tiny, find_model(tiny, made.name))
    by_hand = folds.averaged(models)
    np.testing.assert_allclose(
        normalised(encoder.encode_query(texts)), normalised(by_hand.encode(texts)), atol=1e-5
    )
    assert details["dev"]["queries"] == len(all_dev_queries(parts).queries) >= 8 + 3 * 8
    assert told == [(trial["name"], trial["ndcg@10"]) for trial in leaderboard]
    assert any(note.startswith("There are 8 dev queries, too few") for note in made.notes)
    assert any("the average of the 3 models" in note for note in made.notes)
    folder = tiny.folder_of(tiny.artifact("models", made.id))
    rows = (folder / TRAINED_ON).read_text(encoding="utf-8").splitlines()
    assert len(rows) == details["pairs"] == 60, "what chose was seen, too"
    card = model_card(tiny, find_model(tiny, made.name))
    assert f"| {kept[0]['name']} | {kept[0]['ndcg@10']:.4f} |" in card


@pytest.mark.slow
@pytest.mark.usefixtures("briefly")
def test_what_else_learns_from_pairs_is_tried_before_a_fine_tuning(
    tiny, tiny_model, monkeypatch, averages
):
    """A static model knows these words no better than the tiny one does, so that it leads once it has learned."""
    monkeypatch.setitem(OTHERS, "static", (StaticSettings, learn_static))
    monkeypatch.setattr(candidates, "pace", lambda *_: TrainingSpeed(pair=10.0, character=0.0001))
    made = run_auto(tiny, tiny_model, 2)
    details = details_of(tiny, made.name)
    names = [trial["name"] for trial in details["leaderboard"]]
    assert names[:4] == ["start", "adapter", "static", "adapter on static"]
    assert names[4].startswith("fine-tune")
    (kept,) = [trial for trial in details["leaderboard"] if trial["outcome"] == "kept"]
    assert "static" in kept["name"]
    assert details["origin"] == "WordLlama's word vectors"
    encoder = load_encoder(tiny, find_model(tiny, made.name))
    (models,) = averages
    parts = split_into_folds(load_training_data(tiny))
    assert _by_members(parts, models) == pytest.approx(kept["ndcg@10"], abs=1e-6)
    score = DevSet.of(current_corpus(tiny)[1], all_dev_queries(parts)).ndcg(encoder)
    assert score == pytest.approx(
        DevSet.of(current_corpus(tiny)[1], all_dev_queries(parts)).ndcg(folds.averaged(models)),
        abs=1e-6,
    )


@pytest.mark.usefixtures("briefly")
def test_it_starts_from_the_best_ready_made_model_and_looks_for_it_once(
    tiny, tmp_path, monkeypatch
):
    train(tiny, "word2vec", "words", {"vector_size": 16, "epochs": 2, "min_count": 1})
    measured = [Standing("words", "Words", 0.5, 8, 40, 1.25, 12.0, True)]
    measured.append(replace(measured[0], name="generic", title="MiniLM", score=0.25))
    asked = []

    def best(project, progress, seconds):
        asked.append(seconds)
        return ReadyMade(find_model(project, "words"), tuple(measured))

    class Stop(Exception):
        pass

    def until_first(done, total, message, metrics=None):
        if metrics and metrics.get("trial") == 0:
            raise Stop

    monkeypatch.setattr(making, "best_ready_made", best)
    kept = Checkpointer(tmp_path / "checkpoints")
    with pytest.raises(Stop):
        train(tiny, "auto", "mine", {"minutes": 5}, until_first, kept)
    made = train(tiny, "auto", "mine", {"minutes": 5}, checkpointer=kept)
    assert asked == [60.0], "a fifth of the minutes, and not again after a break"
    details = details_of(tiny, made.name)
    assert tiny.artifact("models", made.id).made_from["base"] == find_model(tiny, "words").id
    assert [(one["name"], one["milliseconds"]) for one in details["ready_made"]] == [
        ("words", 1.25), ("generic", 1.25),
    ]  # fmt: skip
    said = ReadyMade(find_model(tiny, "words"), tuple(measured)).sentence
    assert said in made.notes
    assert "12 MB" in said


@pytest.mark.parametrize("minutes", [1.0, 10.0])
def test_what_finding_the_start_took_is_gone_from_the_minutes(minutes):
    search = BudgetedSearch(minutes, silent, spent=6.0)
    assert search.clock.left == pytest.approx(60 * minutes - 6, abs=1)


@pytest.mark.usefixtures("briefly")
def test_without_time_for_a_fine_tune_none_is_begun(tiny, tiny_model, monkeypatch):
    monkeypatch.setattr(candidates, "pace", lambda *_: TrainingSpeed(pair=10.0, character=0.0001))
    made = run_auto(tiny, tiny_model, 1)
    outcomes = {
        trial["name"]: trial["outcome"] for trial in details_of(tiny, made.name)["leaderboard"]
    }
    assert outcomes["fine-tune"] == "not begun: it would not fit into the time"
    assert "adapter on fine-tune" not in outcomes
    assert any("of 1 minutes were used; the rest would not help" in note for note in made.notes)
    assert outcomes["adapter"] == "kept"


@pytest.mark.usefixtures("briefly")
def test_a_fine_tune_whose_time_is_over_ends_at_its_best_so_far(tiny, tiny_model, monkeypatch):
    # Over after the first step.
    plan = {"fits": asdict(Fitted(4, 40, 0.0, 500)), "reserve": 1e9, "blend": True}
    monkeypatch.setattr(candidates.Candidates, "_plan", lambda *_: plan)
    made = run_auto(tiny, tiny_model, 1)
    tuned = next(r for r in details_of(tiny, made.name)["leaderboard"] if r["name"] == "fine-tune")
    assert tuned["ndcg@10"] is not None
    assert tuned["settings"]["epochs"] == 4
    assert tuned["settings"]["pairs"] == 40


@pytest.mark.usefixtures("briefly")
def test_where_nothing_is_better_the_start_is_published_as_such(
    tiny, tiny_model, ask_themselves, monkeypatch
):
    """Dev queries that are their own answers: no trial can beat the start."""
    monkeypatch.setattr("training.auto.folds.ENOUGH", 1)
    ask_themselves(tiny)
    made = run_auto(tiny, tiny_model, 1)
    details = details_of(tiny, made.name)
    assert details["is_start"]
    assert details["dev"]["kept"] == "start"
    assert details["leaderboard"][0]["outcome"] == "kept"
    assert any("this model is the untouched start" in note for note in made.notes)
    published = tiny.artifact("models", made.id)
    assert set(published.files) == {"matrix.safetensors", "trained_on.jsonl"}, (
        "no copy of the start"
    )
    texts = ["the first text", "gamma delta"]
    start = SentenceTransformer(str(tiny_model), device="cpu").encode(texts)
    found = load_encoder(tiny, find_model(tiny, made.name)).encode_query(texts)
    np.testing.assert_allclose(found, normalised(start), atol=1e-6)


@pytest.mark.usefixtures("briefly")
def test_an_average_that_is_worse_than_what_it_is_of_is_not_published(
    tiny, tiny_model, monkeypatch
):
    first = []

    def spoiled(models):
        first.append(models[0])
        made = folds.averaged(models)
        torch.manual_seed(0)
        made[-2].linear.weight.data = torch.randn_like(made[-2].linear.weight)
        made[0].load_state_dict(
            {
                n: torch.randn_like(t) if t.is_floating_point() else t
                for n, t in made[0].state_dict().items()
            }
        )
        return made

    monkeypatch.setattr(making, "averaged", spoiled)
    made = run_auto(tiny, tiny_model, 10)
    assert any(
        "no good" in note and "the first of them is published" in note for note in made.notes
    )
    texts = ["the first text", "gamma delta"]
    encoder = load_encoder(tiny, find_model(tiny, made.name))
    np.testing.assert_allclose(
        normalised(encoder.encode_query(texts)), normalised(first[0].encode(texts)), atol=1e-5
    )


@pytest.mark.usefixtures("briefly")
def test_each_member_leaves_time_for_the_next(tiny, tiny_model, monkeypatch):
    """The first of three ends when two thirds of what was planned are left, whatever it still had to learn."""
    plan = {"fits": asdict(Fitted(4, 40, 20.0 * SAFETY, 500)), "reserve": 5.0, "blend": True}
    monkeypatch.setattr(candidates.Candidates, "_plan", lambda *_: plan)
    left = []

    def tune(self, name, settings, fits, ends, told, start):
        for seconds in (100, 44.9, 24.9, 4.9):
            monkeypatch.setattr(TimeBudget, "left", seconds)
            left.append((seconds, ends()))
        monkeypatch.setattr(TimeBudget, "left", 50.0)
        return self.start()

    monkeypatch.setattr(candidates.Member, "tune", tune)
    run_auto(tiny, tiny_model, 1)
    over = [[seconds for seconds, ends in left[n : n + 4] if ends] for n in range(0, 12, 4)]
    assert over == [[44.9, 24.9, 4.9], [24.9, 4.9], [4.9]]


def test_mined_pairs_teach_no_more_than_a_careful_adapter(tiny, tiny_model, monkeypatch):
    monkeypatch.setattr(
        "training.recipes.load_training_data",
        lambda *given: replace(load_training_data(*given), synthetic=True, followed=SHRUNKEN),
    )
    made = run_auto(tiny, tiny_model, 1)
    details = details_of(tiny, made.name)
    assert [trial["name"] for trial in details["leaderboard"]] == ["start", "adapter"]
    kept = details["leaderboard"][1]["settings"]["kept"]
    assert kept == "start" or float(kept.rpartition(" ")[2]) <= 0.2
    assert any("nobody asked these questions" in note for note in made.notes)
    assert plan_of(details) == [], "keyword search taught, too: no refit goes this way again"
