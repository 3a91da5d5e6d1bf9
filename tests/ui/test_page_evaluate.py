import json
import re
import shutil

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
    unescaped,
    write_run,
)

from search.evaluation.evaluate import evaluate
from search.evaluation.evaluation import load_evaluation
from search.evaluation.ledger.looks import Look, Looks
from search.evaluation.ledger.protocol import protocol_of
from search.evaluation.ledger.sealing import Manner, seal_queries
from search.evaluation.rankings.metrics import METRICS
from search.models.registry import FAST, default_models
from search.projects.artifacts import now
from search.projects.project import Project
from search.projects.sealed import seal
from ui.evaluating import in_full


def test_without_a_query_set_nothing_can_be_proved(no_query_set: Project) -> None:
    at = open_page("evaluate", TINY)
    assert "0 of about 30 questions have a right answer" in shown(at)
    assert "20 more, and there is a first figure" in shown(at)
    press(at, "to-queries")
    assert at.title[0].value == "Which questions should it answer?"


def test_without_a_custom_model_training_is_the_next_step(
    data: Project, started: list[list[str]]
) -> None:
    at = open_page("evaluate", TINY)
    assert "No custom model yet" in shown(at)
    assert labels(at)[0] == "Train a model"
    assert not started


def test_a_model_that_was_never_measured_is_measured_at_once(
    trained: Project, started: list[list[str]]
) -> None:
    at = open_page("evaluate", TINY)
    assert started == [["evaluate", TINY]], "against the usual opponents"
    assert "**Measuring on held-out queries** · starting" in shown(at)
    run(at)
    assert len(started) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({"state": "failed", "error": "The disk is full."}, "The disk is full."),
        ({"state": "cancelled"}, "Measuring on held-out queries was cancelled"),
        ({"state": "running", **gone()}, "Its process ended without a word"),
    ],
)
def test_a_measurement_that_did_not_end_well_is_not_started_again_by_itself(
    trained: Project, started: list[list[str]], status: dict[str, object], says: str
) -> None:
    write_run(trained, ["evaluate", TINY], **status)
    at = open_page("evaluate", TINY)
    assert says in shown(at)
    assert not started
    assert "Nothing was measured yet" in shown(at)
    press(at, "measure")
    assert started[0][:2] == ["evaluate", TINY]


def test_a_measurement_on_its_way(trained: Project) -> None:
    write_run(trained, ["evaluate", TINY], state="running", message="searching", **alive())
    at = open_page("evaluate", TINY)
    assert "**Measuring on held-out queries** · searching" in shown(at)


def test_the_verdict_is_one_sentence_with_its_evidence(
    evaluated: Project, started: list[list[str]]
) -> None:
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    test = next(t for t in manifest.details["comparisons"] if t["candidate"] == "words-2")
    at = open_page("evaluate", TINY)
    assert not started
    verdicts = re.findall(r'b-verdict".*?<div class="b-say">(.*?)</div>', markup(at))
    assert len(verdicts) == 1
    relation = {
        "better": "Yes. “words-2” is better than generic.",
        "worse": "No. “words-2” is worse than generic.",
    }
    expected = relation.get(test["verdict"], "No clear difference between “words-2” and generic.")
    assert verdicts == [expected]
    low, high = test["ci95_simultaneous"]
    gain = manifest.details["gain"]
    said = plain(markup(at))
    assert (
        f"{test['delta']:+.3f} nDCG@10 ({gain['relative']:+.0%}) on 20 held-out queries; with 95% certainty between "
        f"{low:+.3f} and {high:+.3f}."
    ) in said
    assert "counting all 2 candidates that were measured on these queries" in said
    assert "The right document is among the first three for" in said
    assert said.startswith("New questions on the documents that are here")


def test_the_table_shows_every_metric_of_every_model(evaluated: Project) -> None:
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    rows = [
        plain(row) for row in re.findall(r"<tr>(.*?)</tr>", markup(open_page("evaluate", TINY)))
    ]
    titles = {"generic": "Generic all-MiniLM-L6-v2", "bm25": "Keyword search"}
    for model, means in manifest.details["models"].items():
        figures = " ".join(f"{means[metric]:.3f}" for metric in METRICS)
        assert f"{titles.get(model, model)} {figures}" in rows


def test_wins_ties_and_losses_are_counted(evaluated: Project) -> None:
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    text = plain(markup(open_page("evaluate", TINY)))
    for test in manifest.details["comparisons"]:
        expected = f"{test['wins']} queries better, {test['ties']} the same, {test['losses']} worse"
        assert expected in text


def test_gains_are_the_queries_that_moved_most_and_lead_to_compare(evaluated: Project) -> None:
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    result = load_evaluation(evaluated, manifest)
    moved = result.differences("generic", "words-2")
    gains = sorted((i for i in range(20) if moved[i] > 0), key=lambda i: -moved[i])[:6]
    assert gains, "the tiny data must hold a query that the custom model answers better"
    at = open_page("evaluate", TINY)
    shown_gains = [b for b in at.button if b.key in {f"q-{i}" for i in gains}]
    assert [b.label for b in shown_gains] == [result.texts[i] for i in gains]
    rank = result.first_relevant["generic"][gains[0]]
    assert "Rank of the right answer: generic → “words-2”" in shown(at)
    assert f"{rank} → 1" in shown(at)
    press(at, f"q-{gains[0]}")
    assert at.title[0].value == "Which side understood the question?"
    assert at.query_params == {"project": TINY, "q": result.texts[gains[0]]}
    assert at.text_input[0].value == result.texts[gains[0]]


def test_all_questions_are_there_to_be_filtered(evaluated: Project) -> None:
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    result = load_evaluation(evaluated, manifest)
    moved = result.differences("generic", "words-2")
    at = open_page("evaluate", TINY)
    every = next(t.value for t in at.dataframe if "question" in t.value.columns)
    assert sorted(every["question"]) == sorted(result.texts)
    (kind,) = [group for group in at.get("button_group") if group.key == "all-kind-page"]
    kind.set_value("gains")
    run(at)
    gains = next(t.value for t in at.dataframe if "question" in t.value.columns)
    assert sorted(gains["question"]) == sorted(result.texts[i] for i in range(20) if moved[i] > 0)
    press(at, "show-changed")
    assert len([t for t in at.dataframe if "question" in t.value.columns]) == 2, (
        "the dialog is open"
    )


def test_a_model_that_is_its_start_and_keyword_search_are_said_in_the_verdict(
    evaluated: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    ranks = load_evaluation(evaluated, manifest).first_relevant["bm25"]
    count = sum(rank is not None and rank <= 3 for rank in ranks)
    monkeypatch.setattr("ui.widgets.same_as_start", lambda project: {"words-2"})
    said = plain(markup(open_page("evaluate", TINY)))
    assert f"Keyword search, free of training, has it there for {count} of 20." in said
    assert "The model is the same as its start" in said


def test_a_query_with_markdown_in_it_is_shown_as_it_is(evaluated: Project) -> None:
    """Dollars would become a formula, brackets a link."""
    manifest = evaluated.newest("evaluations")
    assert manifest is not None
    result = load_evaluation(evaluated, manifest)
    moved = result.differences("generic", "words-2")
    place = int(moved.argmax())
    folder = evaluated.folder_of(manifest)
    path = folder / "per_query.json"
    content = json.loads(path.read_text())
    content["texts"][place] = "is $5 [more](http://evil) than $4?"
    path.write_text(json.dumps(content))
    record = json.loads((folder / "manifest.json").read_text())
    from search.projects.files import sha256_of

    record["files"]["per_query.json"] = {"size": path.stat().st_size, "sha256": sha256_of(path)}
    del record["sha256"]
    (folder / "manifest.json").write_text(seal(json.dumps(record)))
    at = open_page("evaluate", TINY)
    label = at.button(key=f"q-{place}").label
    assert unescaped(label) == content["texts"][place]


def test_a_newer_model_makes_the_evaluation_stale(
    evaluated: Project, started: list[list[str]]
) -> None:
    from training.train import train

    train(evaluated, "word2vec", "words-3", {"epochs": 1})
    open_page("evaluate", TINY)
    assert started == [["evaluate", TINY]]


def test_a_measurement_of_chosen_models_stays_and_is_not_replaced(
    evaluated: Project, started: list[list[str]]
) -> None:
    evaluate(evaluated, ["words", "words-2"])
    at = open_page("evaluate", TINY)
    assert started == []
    assert "words-2" in shown(at)
    assert "“words-2”" in markup(at)
    assert "Generic</td>" not in markup(at), "the table is of the two that were chosen"


def test_other_models_can_be_measured(evaluated: Project, started: list[list[str]]) -> None:
    at = open_page("evaluate", TINY)
    at.multiselect[0].set_value(["words", "words-2"])
    run(at)
    press_labelled(at, "Measure")
    assert started == [["evaluate", TINY, "--model", "words", "--model", "words-2"]]


def test_keywords_and_a_model_together_can_be_measured(
    evaluated: Project, started: list[list[str]]
) -> None:
    at = open_page("evaluate", TINY)
    assert "Keywords + words-2" in at.multiselect[0].options
    at.multiselect[0].set_value(["generic", "words-2", "hybrid:words-2"])
    run(at)
    press_labelled(at, "Measure")
    assert started[-1][-2:] == ["--model", "hybrid:words-2"]
    evaluate(evaluated, ["generic", "words-2", "hybrid:words-2"])
    shutil.rmtree(evaluated.folder / "runs")
    at = open_page("evaluate", TINY)
    assert "Keywords + words-2" in markup(at), "by its name in words"
    assert "hybrid:" not in plain(markup(at))
    assert "“words-2”" in markup(at).split("b-why")[0], "the verdict is on the model"


def test_a_damaged_evaluation_is_a_message(evaluated: Project) -> None:
    (path,) = evaluated.folder.glob("evaluations/*/per_query.json")
    path.write_text("{}")
    at = open_page("evaluate", TINY)
    assert "is damaged" in at.error[0].value
    at = open_page("compare", TINY, q="x", model=["words", "words-2"])
    assert "is damaged" in shown(at)


def test_what_a_model_forgot_stands_beside_what_it_gained(evaluated: Project) -> None:
    manifest = next(m for m in evaluated.manifests("models") if m.details["name"] == "words-2")
    path = evaluated.folder_of(manifest) / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["sha256"]
    content["details"]["general"] = {"questions": 100, "start": 0.91, "ndcg@10": 0.85}
    content["details"]["dev"] = {"kept": "epoch 2"}
    path.write_text(seal(json.dumps(content)), encoding="utf-8")
    assert "scores 0.850 nDCG@10, its start 0.910: it forgot some" in shown(
        open_page("evaluate", TINY)
    )
    content["details"]["dev"] = {"kept": "start"}
    path.write_text(seal(json.dumps(content)), encoding="utf-8")
    assert "general questions" not in shown(open_page("evaluate", TINY))


def test_what_was_looked_at_what_decides_and_what_is_sealed_is_said(evaluated: Project) -> None:
    said = shown(open_page("evaluate", TINY))
    assert "2 candidates were ever measured on these queries: words, words-2." in said
    assert "No part of the query set is sealed." in said
    assert re.search(
        r"nDCG@10 decides, .* Fixed on 20\d\d-\d\d-\d\d, by the first evaluation", said
    )
    assert "Before anything is measured" not in [
        e.label for e in open_page("evaluate", TINY).expander
    ]
    queries = evaluated.newest("queries")
    assert queries is not None
    names = ("generic", "later")
    look = Look(time=now(), baseline="a", candidate="b", names=names, p_value=0.5)
    Looks.open(evaluated, queries).record(evaluated, [look])
    said = shown(open_page("evaluate", TINY))
    assert "Since this verdict was given, later was measured, too." in said


def test_before_anything_is_measured_it_can_be_chosen_and_sealed(
    data: Project, started: list[list[str]]
) -> None:
    at = open_page("evaluate", TINY)
    at.number_input(key="protocol-margin").set_value(0.05)
    run(at)
    press(at, "protocol-use")
    assert protocol_of(data).margin == 0.05
    press(at, "seal")
    assert started == [["queries", TINY, "--seal", "0.3"]]


def test_what_is_sealed_is_opened_once_for_one_model_that_was_chosen_before(
    trained: Project, started: list[list[str]]
) -> None:
    seal_queries(trained, 0.7, [])
    evaluate(trained, ["generic", "words", "words-2"])
    at = open_page("evaluate", TINY)
    (box,) = [e for e in at.expander if e.label.startswith("Open the sealed part: 14 queries")]
    assert "14 queries of the query set are sealed since 20" in box.markdown[0].value
    (choice,) = box.selectbox
    assert choice.value == "words-2", "the newest"
    assert not {"Keyword search (BM25)", "generic", "bm25"} & set(choice.options)
    assert box.button(key="unseal").disabled
    box.checkbox(key="unseal-sure").check()
    run(at)
    press(at, "unseal")
    assert started[-1] == ["evaluate", TINY, "--open-seal", "--model", "words-2"]
    shutil.rmtree(trained.folder / "runs")
    evaluate(trained, ["generic", "words-2"], how=Manner(open_seal=True))
    at = open_page("evaluate", TINY)
    assert not [e for e in at.expander if e.label.startswith("Open the sealed part")]
    assert "These figures are of the sealed part" in shown(at)


def test_a_verdict_in_eight_bits_is_measured_again_in_full_by_one_button(
    evaluated: Project, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "measure-in-full" not in [button.key for button in open_page("evaluate", TINY).button]
    monkeypatch.setattr(in_full, "precision_of", lambda project, info: FAST)
    at = open_page("evaluate", TINY)
    press(at, "measure-in-full")
    assert started == [["full", TINY, default_models(evaluated)[-1].name]]
