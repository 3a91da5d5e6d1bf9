import json
import re
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from app_help import (  # fmt: skip
    TINY,
    alive,
    gone,
    labels,
    markup,
    open_page,
    plain,
    press,
    press_labelled,
    run,
    shown,
    write_run,
)
from streamlit.testing.v1 import AppTest

from search.insight.word_space import nearest_words
from search.projects import runs
from search.projects.artifacts import Manifest
from search.projects.locks import Owner
from search.projects.project import Project
from search.projects.runs import Status, new_run
from search.projects.sealed import seal
from training.advice.advise import quick_recommendation
from training.data.reports import sources_of
from training.learning_curve import KIND, curve_of
from training.recipes import RECIPES
from training.synthetic.make import SyntheticRequest, current_synthetic_pairs, make_synthetic_pairs
from ui.training.advice import CALLED


def _choose(at: AppTest, recipe: str) -> AppTest:
    at.get("button_group")[0].set_value(recipe)
    return run(at)


def test_one_recipe_is_recommended_where_there_are_pairs(data: Project) -> None:
    at = open_page("train", TINY)
    assert "60 pairs to train on · 8 questions kept aside to steer by" in shown(at)
    assert "Device: cpu, chosen by itself." in shown(at)
    group = at.get("button_group")[0]
    names = [option.content for option in group.proto.options]
    assert [name.removesuffix(" · recommended") for name in names] == [
        info.title for info in RECIPES.values()
    ]
    recommended = [name for name in names if name.endswith(" · recommended")]
    assert recommended == [f"{RECIPES[group.value].title} · recommended"]
    assert group.value == quick_recommendation(data).option
    assert RECIPES[group.value].needs_pairs
    assert RECIPES[group.value].summary in shown(at)
    assert f"Recommended: {CALLED[group.value]}. It learns your task from 60 pairs." in shown(at)
    assert "Train" in labels(at)


def test_without_pairs_mining_is_offered_and_recipes_that_need_none(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = open_page("train", TINY)
    assert "Recommended: From documents alone." in shown(at)
    group = at.get("button_group")[0]
    assert [option.content for option in group.proto.options] == [
        info.title for info in RECIPES.values() if not info.needs_pairs
    ]
    press(at, "look-train")
    assert started == [["mine", TINY]]
    at = open_page("train", TINY)
    assert "Mining pairs" in shown(at)


def test_kinds_are_shown_before_anything_is_trained(
    documents_only: Project, started: list[list[str]]
) -> None:
    make_synthetic_pairs(documents_only, SyntheticRequest())
    at = open_page("train", TINY)
    assert "**Titles** · 40 pairs" in shown(at)
    assert "A document’s title, and how its text begins." in shown(at)
    title = current_synthetic_pairs(documents_only)["kinds"][0]["examples"][0]["query"]  # type: ignore[index]
    assert any(f"<td>{title}</td>" in part.proto.body for part in at.get("html"))
    sliders = {slider.key: slider.value for slider in at.slider}
    assert sliders["weight-train-title"] == 1.0
    assert "weight-train-heading" not in sliders, "a kind without pairs has no slider"
    at.slider(key="weight-train-title").set_value(0.5)
    at.checkbox(key="learn-train").set_value(True)
    press(at, "save-train")
    assert started == [["mine", TINY, "--save", "--weight", "title=0.5", "--learn-weights"]]


def test_mined_pairs_are_called_mined(documents_only: Project) -> None:
    make_synthetic_pairs(documents_only, SyntheticRequest(save=True))
    at = open_page("train", TINY)
    assert "pairs made of the documents to train on" in shown(at)
    assert at.get("button_group")[0].value == "auto"


def test_the_way_to_pairs_of_ones_own(documents_only: Project) -> None:
    at = open_page("train", TINY)
    press(at, "pairs-adapter")
    assert at.title[0].value == "What is in your corpus?"
    assert at.file_uploader(key="pairs-Tiny-0")


def test_the_learning_curve_is_drawn_on_request(data: Project, started: list[list[str]]) -> None:
    press(open_page("train", TINY), "curve")
    assert started == [["curve", TINY]]


def test_a_learning_curve_is_shown_with_its_sentence(data: Project) -> None:
    scores = np.linspace(0.4, 0.6, 3)[:, None, None] + np.zeros((3, 3, 20))
    drawn = curve_of([100, 300, 1_000], scores, 0.3)
    sources = {kind: manifest.id for kind, manifest in (
        ("corpus", data.newest("corpora")), ("pairs", data.newest("pairs"))) if manifest}  # fmt: skip
    with data.publish("reports", sources | {"base": "generic"}, report=KIND, curve=drawn.as_json()):
        pass
    at = open_page("train", TINY)
    assert drawn.sentence in shown(at)
    assert len(at.get("vega_lite_chart")) == 1
    assert "Draw it again" in labels(at)


def test_the_approaches_are_measured_on_request(data: Project, started: list[list[str]]) -> None:
    at = open_page("train", TINY)
    at.number_input(key=f"budget-{TINY}").set_value(3)
    press(run(at), "advise")
    assert started == [["advise", TINY, "--budget", "3"]]


def test_the_approaches_are_shown_with_what_was_measured(data: Project) -> None:
    corpus = data.newest("corpora")
    assert corpus is not None
    sources = sources_of(data, corpus, data.newest("pairs"))
    row = {"name": "generic", "title": "generic <b>", "measured": True, "quality": "test 0.500", "score": 0.5,
           "unseen": 0.25, "training": None, "size": 1_000_000, "query_ms": 4.25, "documents": 1_234.5}  # fmt: skip
    later = {
        **row,
        "name": "adapter",
        "title": "Adapter (not made yet)",
        "measured": False,
        "training": 30.0,
    }
    advice = {
        "option": "fine-tune",
        "title": "Fine-tune",
        "score": 90,
        "reasons": ["Because."],
        "seconds": 240.0,
    }
    with data.publish(
        "reports", sources,
        report="advice", budget=10.0, facts={}, recommended=[advice], approaches=[row, later],
    ):  # fmt: skip
        pass
    at = open_page("train", TINY)
    assert "Recommended: Fine-tune. Because." in shown(at)
    assert "4 min" in shown(at)
    assert at.get("button_group")[0].value == "fine-tune"
    tables = " ".join(part.proto.body for part in at.get("html"))
    assert "generic &lt;b&gt;" in tables
    for cell in ("25%", "1.0 MB", "4.2", "1,234", "about 30 s", "about 4.2"):
        assert f"<td>{cell}</td>" in tables


def test_a_model_that_is_its_start_says_so(trained: Project) -> None:
    (newest,) = trained.manifests("models")[-1:]
    path = trained.folder_of(newest) / "manifest.json"
    content = json.loads(path.read_text())
    content["details"]["is_start"] = True
    del content["sha256"]
    path.write_text(seal(json.dumps(content)))
    at = open_page("train", TINY)
    assert list(at.dataframe[0].value["model"]) == ["words-2 · same as its start", "words"]


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_training_with_the_defaults_starts_the_plain_command(
    data: Project, started: list[list[str]], recipe: str
) -> None:
    press_labelled(_choose(open_page("train", TINY), recipe), "Train")
    assert started == [["train", TINY, "--recipe", recipe]]


def test_settings_that_differ_become_part_of_the_command(
    data: Project, started: list[list[str]]
) -> None:
    at = _choose(open_page("train", TINY), "fine-tune")
    at.text_input(key="set-fine-tune-base").set_value("/models/my base")
    at.number_input(key="set-fine-tune-epochs").set_value(7)
    at.number_input(key="set-fine-tune-learning_rate").set_value(2e-5)
    at.number_input(key="set-fine-tune-warmup").set_value(0.2)
    next(box for box in at.text_input if box.label == "Name of the model").set_value(" my model ")
    at = press_labelled(at, "Train")
    assert started == [
        ["train", TINY, "--recipe", "fine-tune", "--name", "my model",
         "--set", "base=/models/my base", "--set", "epochs=7", "--set", "learning_rate=2e-05",
         "--set", "warmup=0.2"]
    ]  # fmt: skip
    assert [c.value for c in at.code] == [
        "python cli.py train Tiny --recipe fine-tune --name 'my model' --set 'base=/models/my base' "
        "--set epochs=7 --set learning_rate=2e-05 --set warmup=0.2"
    ]


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_the_form_shows_every_setting_with_its_default(data: Project, recipe: str) -> None:
    at = _choose(open_page("train", TINY), recipe)
    defaults = RECIPES[recipe].settings()
    widgets = {
        w.key: w.value
        for w in (*at.text_input, *at.number_input, *at.selectbox, *at.toggle)
        if w.key
    }
    for key, field in RECIPES[recipe].settings.model_fields.items():
        default = getattr(defaults, key)
        drawn = ", ".join(map(str, default)) if isinstance(default, tuple) else default
        assert widgets[f"set-{recipe}-{key}"] == drawn
        assert field.description in shown(at)


def test_word_vectors_take_their_own_settings(data: Project, started: list[list[str]]) -> None:
    at = _choose(open_page("train", TINY), "word2vec")
    at.selectbox(key="set-word2vec-pooling").set_value("mean")
    at.number_input(key="set-word2vec-vector_size").set_value(32)
    press_labelled(at, "Train")
    assert started[0][4:] == ["--set", "vector_size=32", "--set", "pooling=mean"]


def test_a_running_training_shows_progress_curve_and_command(data: Project) -> None:
    write_run(
        data,
        ["train", TINY, "--recipe", "fine-tune"],
        events=[
            {"metrics": {"epoch": 0, "dev ndcg@10": 0.4}},
            {"metrics": {"step": 1.0, "loss": 2.5}},
            {"metrics": {"epoch": 1, "dev ndcg@10": 0.6}},
        ],
        state="running",
        message="epoch 2 of 3",
        done=25,
        pace=0.75 / 300,
        total=100,
        started=time.time() - 100,
        updated=time.time(),
        **alive(),
    )
    at = open_page("train", TINY)
    assert "**Training** · epoch 2 of 3" in shown(at)
    assert [p.value for p in at.get("progress")] == [25]
    assert "2 min so far · about 5 min left" in shown(at)
    assert len(at.get("vega_lite_chart")) == 1
    assert re.findall(r"<li( class=.*?)?>(.*?)</li>", markup(at)) == [
        (' class="b-step-done"', "Reading"),
        (' class="b-step-done"', "Score of the start"),
        (' class="b-step-now" aria-current="step"', "Training"),
        ("", "Choosing the best"),
    ]
    assert "python cli.py train Tiny --recipe fine-tune" in shown(at)
    assert "Train" not in labels(at), "a second training would only slow down the first"


def test_a_running_auto_shows_its_leaderboard_as_it_grows(data: Project) -> None:
    trial = {"trial": 0, "trial ndcg@10": 0.4, "trial seconds": 0.1, "trial outcome": 1}
    adapter = {"trial": 1, "trial ndcg@10": 0.5124, "trial seconds": 12.0, "trial outcome": 1}
    tuned = {"trial": 2, "trial seconds": 0.0, "trial outcome": 4}
    write_run(
        data,
        ["train", TINY, "--recipe", "auto"],
        events=[
            {"message": "start", "metrics": trial},
            {"message": "adapter: epoch 1", "metrics": {"epoch": 1, "dev ndcg@10": 0.5}},
            {"message": "adapter", "metrics": adapter},
            {"message": "fine-tune", "metrics": tuned},
        ],
        state="running",
        message="static: epoch 1",
        **alive(),
    )
    at = open_page("train", TINY)
    tables = " ".join(part.proto.body for part in at.get("html"))
    for text in ("adapter", "0.512", "better than all before", "fine-tune",
                 "not begun: it would not fit into the time"):  # fmt: skip
        assert f"<td>{text}</td>" in tables
    assert not at.get("vega_lite_chart"), "the curve is that of the trial that is being tried"


def test_what_auto_tried_stands_with_its_model(trained: Project) -> None:
    (newest,) = trained.manifests("models")[-1:]
    path = trained.folder_of(newest) / "manifest.json"
    content = json.loads(path.read_text())
    content["details"]["leaderboard"] = [
        {"name": "start", "ndcg@10": 0.4, "seconds": 0.2, "outcome": "what all others start from"},
        {"name": "adapter", "ndcg@10": 0.5124, "seconds": 12.0, "outcome": "kept"},
    ]
    del content["sha256"]
    path.write_text(seal(json.dumps(content)))
    for page in ("train", "models"):
        at = open_page(page, TINY)
        tables = " ".join(part.proto.body for part in at.get("html"))
        for cell in ("adapter", "0.512", "12 s", "kept"):
            assert f"<td>{cell}</td>" in tables, page


def test_cancel_stops_the_process_and_says_so(data: Project) -> None:
    running = new_run(data, ["train", TINY, "--recipe", "fine-tune"])
    owner = Owner.take(running.owner_file)
    with owner.handed_over():
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(300)"], pass_fds=[owner.handle]
        )
    try:
        created = psutil.Process(process.pid).create_time()
        running.write(Status(state="running", pid=process.pid, process_started=created))
        at = open_page("train", TINY)
        press(at, f"cancel-{running.id}")
        assert process.poll() is not None
        assert "Training was cancelled after" in at.info[0].value
        assert "Nothing was published." in at.info[0].value
        assert running.status.state == "cancelled"
    finally:
        process.kill()


def test_a_cancelled_training(data: Project) -> None:
    write_run(data, ["train", TINY, "--recipe", "fine-tune"], state="cancelled",
              started=1_000.0, updated=1_030.0)  # fmt: skip
    at = open_page("train", TINY)
    assert [i.value for i in at.info] == [
        "Training was cancelled after 30 s. Nothing was published."
    ]
    assert "Train" in labels(at)
    assert "See the proof" not in labels(at)


def test_a_failed_training_says_why_and_shows_what_it_printed(data: Project) -> None:
    failed = write_run(
        data, ["train", TINY, "--recipe", "fine-tune"], state="failed", error="RuntimeError: no <b>"
    )
    (failed.folder / "log").write_text("line one\nCUDA says no\n")
    at = open_page("train", TINY)
    assert [e.value for e in at.error] == ["Training did not finish: RuntimeError: no \\<b\\>"]
    assert "CUDA says no" in shown(at)
    assert "Train" in labels(at)


def test_a_refused_training_does_not_show_a_log(data: Project) -> None:
    refused = write_run(
        data, ["train", TINY, "--recipe", "x"], state="refused", error="The name 'a' is taken."
    )
    (refused.folder / "log").write_text("The name 'a' is taken.")
    at = open_page("train", TINY)
    assert [e.value for e in at.error] == ["Training did not finish: The name 'a' is taken."]
    assert "What it printed" not in [e.label for e in at.expander]


def test_an_interrupted_training(data: Project) -> None:
    write_run(data, ["train", TINY, "--recipe", "fine-tune"], state="running", **gone())
    at = open_page("train", TINY)
    assert "Its process ended without a word" in at.error[0].value
    assert "Start it again." in at.error[0].value
    assert "Train" in labels(at)


def test_a_damaged_status_is_a_message(data: Project) -> None:
    damaged = write_run(data, ["train", TINY, "--recipe", "fine-tune"], state="done")
    (damaged.folder / "status.json").write_text("{")
    at = open_page("train", TINY)
    assert "is missing or damaged" in at.error[0].value


def test_a_line_cut_short_in_the_events_leaves_the_page_standing(data: Project) -> None:
    events = [{"metrics": {"epoch": 0, "dev ndcg@10": 0.5}}]
    ran = write_run(data, ["train", TINY, "--recipe", "fine-tune"], events, state="done")
    with (ran.folder / "events.jsonl").open("a") as stream:
        stream.write('{"time": 1, "metr')
    at = open_page("train", TINY)
    assert len(at.get("vega_lite_chart")) == 1
    assert "Train" in labels(press(at, "train-more"))


def test_a_training_that_is_done_leads_to_the_proof(trained: Project) -> None:
    write_run(trained, ["train", TINY, "--recipe", "word2vec"], state="done",
              started=10.0, updated=22.0, notes=["One note."])  # fmt: skip
    at = open_page("train", TINY)
    assert [s.value for s in at.success] == ["Training finished in 12 s."]
    assert [i.value for i in at.info] == ["One note."]
    assert {"See the proof", "Compare searches"} <= set(labels(at))


def _done(project: Project, **details: object) -> Manifest:
    """A training that is done, of a model whose manifest says these."""
    (manifest,) = project.manifests("models")[-1:]
    path = project.folder_of(manifest) / "manifest.json"
    content = json.loads(path.read_text())
    content["details"].update(details)
    del content["sha256"]
    path.write_text(seal(json.dumps(content)))
    write_run(project, ["train", TINY, "--recipe", "adapter"], state="done", started=10.0,
              updated=22.0, result={"model": "words-2", "id": manifest.id}, notes=["One note."])  # fmt: skip
    return manifest


def test_what_came_of_a_training_is_its_gain_first_and_then_one_button(trained: Project) -> None:
    _done(trained, recipe="adapter", pairs=60, dev={"queries": 16, "ndcg@10": [0.6873, 0.7585]},
          general={"questions": 100, "start": 0.9, "ndcg@10": 0.86})  # fmt: skip
    at = open_page("train", TINY)
    assert "dev .687 → .758 +0.071 nDCG@10 on the 16 questions kept aside" in shown(at)
    assert "One note." in shown(at) and "to-blend" not in [b.key for b in at.button]
    assert "Train" not in labels(at) and "Train quick" not in labels(at)
    at = press(at, "train-more")
    assert {"Train", "Train quick", "Train best"} <= set(labels(at))
    assert "to-evaluate" not in [b.key for b in at.button]


def test_forgetting_of_more_than_a_twentieth_leads_to_a_blend(trained: Project) -> None:
    _done(trained, recipe="adapter", pairs=60, dev={"queries": 16, "ndcg@10": [0.6, 0.7]},
          general={"questions": 100, "start": 0.9, "ndcg@10": 0.849})  # fmt: skip
    at = open_page("train", TINY)
    assert "It forgot some of what its start knew: 0.90 before, 0.85 now" in shown(at)
    assert press(at, "to-blend").title[0].value == "What can you take away?"


def test_a_start_that_nothing_beat_is_called_that_and_words_have_no_start(trained: Project) -> None:
    manifest = _done(trained)
    at = open_page("train", TINY)
    score = f"{manifest.details['dev']['ndcg@10'][-1]:.3f}".replace("0.", ".", 1)
    assert f"dev {score} nDCG@10 on the" in shown(at) and "It learned from nothing" in shown(at)
    _done(trained, is_start=True)
    assert "Nothing was better than its start" in shown(open_page("train", TINY))


def test_three_ways_with_what_each_takes_needs_and_brings(
    data: Project, started: list[list[str]]
) -> None:
    at = open_page("train", TINY)
    cards = [plain(part.value) for part in at.get("html") if "b-way" in part.value]
    quick, best, alone = cards
    assert "usually +.00 to +.04 nDCG@10" in quick and "Needs pairs: 60 are here." in quick
    assert "Best recommended about 10 min" in best and "usually +.00 to +.07" in best
    assert "You have pairs of your own" in alone and at.button(key="go-mine").disabled
    assert "Times are those of an ordinary machine" in shown(at)
    press(at, "go-adapter")
    assert started == [["train", TINY, "--recipe", "adapter"]]


def test_from_documents_alone_the_training_follows_the_pairs(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = open_page("train", TINY)
    assert "Needs pairs: none are here yet." in shown(at)
    at = press(at, "go-mine")
    assert started == [["mine", TINY, "--save"]]
    (mining,) = runs.runs(documents_only)
    mining.write(mining.read().ended("done"))
    run(at)
    assert started[1:] == [["train", TINY, "--recipe", "adapter"]]


def test_pairs_that_could_not_be_made_are_not_trained_on(
    documents_only: Project, started: list[list[str]]
) -> None:
    at = press(open_page("train", TINY), "go-mine")
    (mining,) = runs.runs(documents_only)
    mining.write(mining.read().ended("refused", error="Too few."))
    assert "Too few." in shown(run(at))
    assert len(started) == 1


def test_the_recipe_that_was_chosen_survives_a_reload(data: Project) -> None:
    at = _choose(open_page("train", TINY), "static")
    assert at.query_params["recipe"] in ("static", ["static"])
    at = open_page("train", TINY, recipe="static")
    assert at.get("button_group")[0].value == "static"
    (expert,) = [part for part in at.expander if part.label.startswith("Expert")]
    assert expert.proto.expanded
    assert open_page("train", TINY, recipe="nonsense").get("button_group")[0].value == "auto"


def test_the_table_of_custom_models(trained: Project) -> None:
    at = open_page("train", TINY)
    frame = at.dataframe[0].value
    assert list(frame["model"]) == ["words-2", "words"]
    assert list(frame["recipe"]) == ["Word2Vec", "Word2Vec"]
    assert list(frame["trained on"]) == ["documents alone"] * 2
    scores = [m.details["dev"]["ndcg@10"][-1] for m in reversed(trained.manifests("models"))]
    assert list(frame["dev nDCG@10 after"]) == [f"{score:.3f}" for score in scores]


def test_nearest_words(trained: Project) -> None:
    at = open_page("train", TINY)
    at.text_input(key="words-word").set_value("Kidney")
    run(at)
    near = at.dataframe[1].value
    assert list(near.columns) == ["nearest word", "cosine"]
    expected = nearest_words(trained, "words-2", "Kidney").words
    assert list(near["nearest word"]) == [word for word, _ in expected]


@pytest.mark.parametrize("word", ["xyzzy", "🤕", "two words", "<b>"])
def test_an_unknown_word_is_a_message(trained: Project, word: str) -> None:
    at = open_page("train", TINY)
    at.text_input(key="words-word").set_value(word)
    run(at)
    assert len(at.warning) == 1


def test_a_damaged_model_is_a_message_under_words(trained: Project) -> None:
    for path in trained.folder.glob("models/*/word_vectors.safetensors"):
        path.write_bytes(b"no")
    at = open_page("train", TINY)
    at.text_input(key="words-word").set_value("kidney")
    run(at)
    assert "is damaged" in at.warning[0].value


def test_a_training_that_waits_for_its_turn_says_for_what_and_can_be_cancelled(
    data: Project,
) -> None:
    sentence = "waiting for its turn: the training of 'first' is not over"
    waits = write_run(data, ["train", TINY, "--recipe", "adapter"], state="waiting",
                      message=sentence, **alive())  # fmt: skip
    at = open_page("train", TINY)
    assert any(sentence in part.value for part in at.markdown)
    assert any("waits, so it cannot be said how long" in part.value for part in at.caption)
    assert at.button(key=f"cancel-{waits.id}").label == "Cancel"
