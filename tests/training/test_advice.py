"""The advisor: cases as a table, time as arithmetic, and a real look at the tiny project."""

import dataclasses
import json

import numpy as np
import pytest

from search.evaluation.evaluate import evaluate
from search.models.pretrained.add import Choices, add_model
from search.models.registry import choose_generic, models
from search.projects.project import Project, project_to_be
from training import probe
from training.advice import advise as advising
from training.advice.advise import advise, current_advice, quick_recommendation
from training.advice.approaches import _unseen
from training.advice.facts import CorpusFacts, facts_of
from training.advice.recommending import recommend, seconds_of
from training.data.reports import current_report
from training.probe import Speed, speed
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs
from training.train import train

PLAIN = CorpusFacts(
    documents=1_000, passages=1_000, characters=800.0, words=150_000, language="en", pieces_ratio=1.1,
    shredded=0.02, unreadable=0.0, query_characters=60.0, response_characters=800.0, indexed=True,
)  # fmt: skip
HINDI = dataclasses.replace(PLAIN, language="hi", pieces_ratio=3.4, shredded=0.6, unreadable=0.3)
JARGON = dataclasses.replace(PLAIN, pieces_ratio=1.8, shredded=0.3)
SPEED = Speed(
    encoded=40_000, tuned=12_000, adapter_step=0.05, static_step=0.05, words=100_000, query=0.01
)


def best(facts: CorpusFacts, budget: float = 10.0, timed: bool = True) -> list[str]:
    seconds = seconds_of(facts, SPEED) if timed else {}
    return [
        advice.option for advice in recommend(facts, seconds, budget) if advice.option != "auto"
    ]


@pytest.mark.parametrize(
    ("facts", "first", "before"),
    [
        (PLAIN, "mine", ("generic", "fasttext")),
        (dataclasses.replace(PLAIN, pairs=2_000, dev_queries=200), "adapter", ("fine-tune", "generic")),
        (dataclasses.replace(PLAIN, pairs=300, dev_queries=30), "fine-tune", ("adapter", "generic")),
        (dataclasses.replace(PLAIN, pairs=2_000, mined=True), "adapter", ("generic", "fine-tune")),
        (HINDI, "fasttext", ("word2vec", "generic")),
        (HINDI, "fasttext", ("generic", "api")),
        (JARGON, "fasttext", ("generic", "static")),
        (dataclasses.replace(HINDI, pairs=3_000), "adapter", ("generic", "word2vec")),
    ],
)  # fmt: skip
def test_what_fits_comes_first(facts, first, before):
    order = best(facts, timed=False)
    assert order[0] == first
    known = [option for option in before if option in order]
    assert sorted(known, key=order.index) == known


def test_what_takes_longer_than_there_is_time_for_goes_down():
    few = dataclasses.replace(PLAIN, pairs=900, dev_queries=90)
    assert best(few, budget=60.0)[0] == "fine-tune"
    assert best(few, budget=1.0)[0] == "adapter"
    late = next(a for a in recommend(few, seconds_of(few, SPEED), 1.0) if a.option == "fine-tune")
    assert "the budget is 1" in late.reasons[-1]


def test_reasons_name_the_facts():
    reasons = recommend(HINDI)[0].reasons
    assert "Most documents are in Hindi; the generic model is made for English." in reasons
    assert "It cannot read 30% of the words at all." in reasons
    assert "It cuts words into 3.4 times as many pieces as in ordinary English." in reasons
    assert any(
        "2,000 pairs" in r for r in recommend(dataclasses.replace(PLAIN, pairs=2_000))[0].reasons
    )


def test_a_model_of_many_languages_is_named_where_another_one_may_help():
    generic = next(a for a in recommend(HINDI) if a.option == "generic")
    assert "add-model PROJECT multilingual --default" in generic.reasons[-1]
    assert "four times as slowly" in generic.reasons[-1]
    many = dataclasses.replace(HINDI, english=False, many_languages=True)
    generic = next(a for a in recommend(many) if a.option == "generic")
    assert not any("made for English" in r or "add-model" in r for r in generic.reasons)
    assert "no other that is known here reads them better" in generic.reasons[-1]
    reads = dataclasses.replace(many, pieces_ratio=1.3, unreadable=0.0)
    generic = next(a for a in recommend(reads) if a.option == "generic")
    assert not reads.foreign
    assert "1.3 times as many pieces" in generic.reasons[-1]


def test_auto_is_recommended_where_there_are_pairs_mined_ones_too():
    mined = dataclasses.replace(PLAIN, pairs=500, mined=True)
    assert recommend(mined)[0].option == "auto"
    assert recommend(dataclasses.replace(PLAIN, pairs=500))[0].option == "auto"
    assert "auto" not in [advice.option for advice in recommend(PLAIN)]


def test_seconds_are_arithmetic_over_measured_speed():
    facts = dataclasses.replace(PLAIN, pairs=2_560, dev_queries=0)
    found = seconds_of(facts, SPEED)
    assert found["generic"] == 0
    assert found["adapter"] == pytest.approx(2_560 * 60 / 40_000 + 2 * 20 * 10 * 0.05)
    cut = 512 + 60
    assert found["fine-tune"] == pytest.approx(
        2_560 * 3 * cut / 12_000 + 4 * 600_000 / 40_000 + 800_000 / 40_000
    )
    assert found["word2vec"] == pytest.approx(150_000 * 15 / 100_000)
    assert found["fasttext"] == 2 * found["word2vec"]
    fresh = seconds_of(dataclasses.replace(facts, indexed=False), SPEED)
    assert fresh["generic"] == pytest.approx(20.0)
    assert fresh["adapter"] == pytest.approx(found["adapter"] + 20.0)
    mined = seconds_of(dataclasses.replace(facts, mined=True), SPEED)
    assert mined["adapter"] == pytest.approx(found["adapter"] + 2_560 * 800 / 40_000)


@pytest.fixture
def project(import_tiny, tiny_model, tmp_path, monkeypatch) -> Project:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-hub"))
    made = project_to_be("Tiny")
    import_tiny(made)
    add_model(made, str(tiny_model), Choices(name="tiny"))
    choose_generic(made, "tiny")
    return made


def test_facts_are_counted(project):
    facts = facts_of(project)
    assert (facts.documents, facts.passages, facts.pairs, facts.dev_queries) == (40, 40, 60, 8)
    assert facts.language == "en"
    assert not facts.mined
    assert not facts.indexed
    assert 100 < facts.characters < 250
    assert 20 < facts.query_characters < 60
    for manifest in project.manifests("pairs"):
        project.remove(manifest)
    assert facts_of(project).pairs == 0
    make_synthetic_pairs(project, SyntheticRequest(save=True))
    assert facts_of(project).mined


def test_speed_is_measured_once_for_a_machine(project, monkeypatch):
    from search.models.load import load_encoder
    from search.models.registry import generic_info

    info = generic_info(project)
    encoder = load_encoder(project, info)
    before = {n: p.detach().clone() for n, p in encoder.named_parameters()}
    found = speed(encoder, info)
    assert all(value > 0 for value in dataclasses.asdict(found).values())
    for name, tensor in encoder.named_parameters():
        np.testing.assert_array_equal(tensor.detach().numpy(), before[name].numpy())
        assert tensor.grad is None
    monkeypatch.setattr(probe, "measured", lambda *_: pytest.fail("measured twice"))
    assert speed(encoder, info) == found


def test_an_advice_is_kept_with_its_table(project):
    train(project, "word2vec", "words", {"epochs": 2, "min_count": 1})
    evaluate(project, ["generic", "words"])
    assert current_advice(project) is None
    assert quick_recommendation(project).option in ("auto", "fine-tune")
    made = advise(project)
    kept = current_advice(project)
    assert kept == made.details
    assert quick_recommendation(project).option == kept["recommended"][0]["option"]
    rows = {row["name"]: row for row in kept["approaches"]}
    assert rows["generic"]["measured"]
    assert rows["words"]["measured"]
    assert rows["words"]["quality"].startswith("test ")
    assert rows["words"]["training"] == project.manifests("models")[-1].details["seconds"]
    assert rows["words"]["documents"] > 0
    assert not rows["adapter"]["measured"]
    assert rows["adapter"]["quality"].startswith("expected: ")
    assert rows["adapter"]["training"] > 0
    assert "word2vec" not in rows
    ready = kept["ready_made"]
    titles = [row["title"] for row in ready["standings"]]
    assert titles[0] in ("all-MiniLM-L6-v2", "wordllama") and set(titles) == {
        "all-MiniLM-L6-v2", "wordllama", "tiny",
    }  # fmt: skip
    assert ready["sentence"].startswith(f"{titles[0]} is the best of 3 ready-made models here: ")
    generic = next(row for row in kept["recommended"] if row["option"] == "generic")
    assert f"{titles[0]} does better on your dev queries (" in generic["reasons"][-1]
    assert generic["reasons"][-1].endswith(
        ("default-model Tiny all-MiniLM-L6-v2.", "add-model Tiny wordllama --default.")
    )
    assert [model.name for model in models(project)][:2] == ["generic", "all-MiniLM-L6-v2"]
    assert len(project.manifests("models")) == 2, "nothing is added"
    (note,) = ready["notes"]
    assert note.startswith("A hub has 6 more that are worth measuring: Snowflake/snowflake-arctic-")
    assert note.endswith(
        "To download 608 MB and measure them too: python cli.py advise Tiny --download."
    )
    assert current_report(project) is None
    for manifest in project.manifests("pairs"):
        project.remove(manifest)
    assert current_advice(project) is None


def test_unseen_words_are_those_without_a_vector(project):
    from search.models.load import load_encoder
    from search.models.registry import find_model

    train(project, "word2vec", "words", {"epochs": 1, "min_count": 1})
    encoder = load_encoder(project, find_model(project, "words"))
    assert _unseen(encoder, ["kidney xyzzy", "Frost plugh"], None) == 0.5


@pytest.mark.slow
def test_the_terminal_advises(project, call_cli):
    done = call_cli("advise", "Tiny", "--budget", "5", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["budget"] == 5
    assert told["facts"]["pairs"] == 60
    assert {"option", "title", "score", "reasons", "seconds"} == set(told["recommended"][0])
    scores = [advice["score"] for advice in told["recommended"]]
    assert scores == sorted(scores, reverse=True)
    words = call_cli("advise", "Tiny").out
    assert words.startswith("1. ")
    assert "generic (tiny): dev 0." in words


@pytest.mark.parametrize(
    ("able", "seconds", "offered"),
    [("AVX-512 VNNI", 121.0, True), ("AVX-512 VNNI", 120.0, False), (None, 9_000.0, False)],
)
def test_the_fast_class_is_offered_where_it_saves_minutes(
    monkeypatch, workspace, able, seconds, offered
):
    monkeypatch.setattr(advising, "products_of_whole_numbers", lambda: able)
    made = project_to_be("slow")
    made.create()
    said = advising._faster(made, models(made)[0], {"generic": seconds})
    assert (said is not None) == offered
    if said is not None:
        assert "about 2 minutes" in said and "cli.py fast slow --default" in said
