"""Auto broken off, killed and cancelled: what it goes on with, and that nothing half-made is left."""

from dataclasses import replace
from types import SimpleNamespace

import killing
import numpy as np
import pytest
from auto_runs import details_of, run_auto

from search.models.load import load_encoder
from search.models.registry import find_model
from search.projects import runs
from search.projects.errors import Cancelled
from search.projects.progress import silent
from search.projects.project import project
from training.auto import candidates
from training.auto.budgeted_search import BudgetedSearch
from training.auto.tunings import TUNINGS
from training.checkpoints import Checkpointer
from training.train import train


class _Stop(Exception):
    pass


@pytest.mark.slow
def test_a_leaderboard_that_was_broken_off_goes_on_without_trying_again(
    tiny, tiny_model, tmp_path, briefly, monkeypatch
):
    """The same trials, scores and model as without the break; nothing that was measured is trained twice."""
    monkeypatch.setattr(candidates, "TUNINGS", [replace(one, epochs=2) for one in TUNINGS])

    def until_fifth(done, total, message, metrics=None):
        if metrics and metrics.get("trial") == 5:
            raise _Stop

    kept = Checkpointer(tmp_path / "checkpoints")
    with pytest.raises(_Stop):
        run_auto(tiny, tiny_model, 5, progress=until_fifth, checkpointer=kept)
    assert tiny.manifests("models") == []
    heard = []
    made = run_auto(tiny, tiny_model, 5, progress=lambda *r: heard.append(r[2]), checkpointer=kept)
    assert not any(message.startswith(("adapter: ", "fine-tune: ")) for message in heard)
    assert not (tmp_path / "checkpoints").exists()
    broken = details_of(tiny, made.name)
    train(tiny, "auto", "whole", {"base": str(tiny_model), "minutes": 5})
    whole = details_of(tiny, "whole")
    assert [(r["name"], r["outcome"]) for r in broken["leaderboard"]] == [
        (r["name"], r["outcome"]) for r in whole["leaderboard"]
    ]
    np.testing.assert_allclose(
        [r["ndcg@10"] for r in broken["leaderboard"]],
        [r["ndcg@10"] for r in whole["leaderboard"]],
        atol=1e-6,
    )


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(("pooling", "kept_trial"), [("sif", "start"), ("mean", "adapter")])
def test_on_word_vectors_it_goes_on_where_it_was_broken_off_too(
    tiny, tmp_path, pooling, kept_trial
):
    vectors = {"vector_size": 16, "epochs": 2, "min_count": 1, "pooling": pooling}
    train(tiny, "word2vec", "words", vectors)
    values = {"base": "words", "minutes": 5}

    def until_first(done, total, message, metrics=None):
        if metrics and metrics.get("trial") == 1:
            raise _Stop

    kept = Checkpointer(tmp_path / "checkpoints")
    with pytest.raises(_Stop):
        train(tiny, "auto", "mine", values, until_first, kept)
    heard = []
    train(tiny, "auto", "mine", values, lambda *told: heard.append(told[2]), kept)
    assert not any(message.startswith("adapter: ") for message in heard)
    train(tiny, "auto", "whole", values)
    broken, whole = details_of(tiny, "mine"), details_of(tiny, "whole")
    assert broken["dev"]["kept"] == whole["dev"]["kept"] == kept_trial
    assert broken["dev"]["ndcg@10"] == pytest.approx(whole["dev"]["ndcg@10"], abs=1e-6)
    texts = ["the first text", "gamma delta"]
    np.testing.assert_allclose(
        *(
            load_encoder(tiny, find_model(tiny, name)).encode_query(texts)
            for name in ("mine", "whole")
        ),
        atol=1e-6,
    )


def test_the_time_of_a_trial_that_was_killed_is_gone(tmp_path, monkeypatch):
    now = 1_000.0
    for module in ("training.auto.budgeted_search", "training.checkpoints"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: now))

    class Killed(BaseException):
        pass

    def learn(told):
        nonlocal now
        for _ in range(4):
            now += 3
            told(1, 2, "learning")
        raise Killed

    search = BudgetedSearch(1, silent, Checkpointer(tmp_path))
    now += 10
    with pytest.raises(Killed):
        search.tried("adapter", 0.0, learn)
    now += 500  # Nobody was at work.
    again = BudgetedSearch(1, silent, Checkpointer(tmp_path))
    assert not again.resumed, "no trial is done"
    assert 10 + 12 - 6 <= again.clock.spent <= 10 + 12
    assert again.clock.left == 60 - again.clock.spent


@pytest.mark.usefixtures("briefly")
def test_cancelled_it_leaves_no_model(tiny, tiny_model):
    def cancel(done, total, message, metrics=None):
        if message.startswith("fine-tune:"):
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        run_auto(tiny, tiny_model, 1, progress=cancel)
    assert tiny.manifests("models") == []
    assert not list(tiny.folder.glob("models/.*"))


@pytest.mark.slow
def test_a_run_that_was_killed_is_resumed(tiny_beir, tiny_model, workspace, run_cli):
    assert run_cli("import", "lab", tiny_beir).returncode == 0
    lab = project("lab")
    run = runs.start(
        lab,
        ["train", "lab", "--recipe", "auto", "--name", "mine", "--set", f"base={tiny_model}", "--set", "minutes=1"],
    )  # fmt: skip
    killing.until(
        lambda: any(e["metrics"].get("trial") == 2 for e in run.events()), "no second trial", 120
    )
    killing.kill(run)
    assert lab.manifests("models") == []
    killing.resume(run, 200)
    trials = [e for e in run.events() if "trial" in e["metrics"]]
    assert [e["metrics"]["trial"] for e in trials] == list(range(len(trials)))
    assert trials[1]["message"] == "adapter"
    assert [trial["name"] for trial in details_of(lab, "mine")["leaderboard"]] == [
        e["message"] for e in trials
    ]
