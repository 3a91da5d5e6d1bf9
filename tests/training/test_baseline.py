"""The opponent: which ready-made model is the best, what is measured beside, and what an evaluation compares with."""

import shutil

import numpy as np
import pytest
from bad_server import bad_server

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.pretrained.at_hand import models_at_hand
from search.models.registry import choose_generic, find_model, models
from search.projects.project import Project, project_to_be
from training import halving
from training.baseline import best_ready_made, contestants, measured_ready_made
from training.data.pair_sets import PairSet
from training.dev_set import DevSet

COMMIT = "c" * 40


@pytest.fixture
def project(import_tiny, tiny_model) -> Project:
    """Generic is a model of random weights."""
    made = project_to_be("Tiny")
    import_tiny(made)
    add_model(made, str(tiny_model), Choices(name="tiny"))
    choose_generic(made, "tiny")
    return made


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """Where the hub's library keeps what it downloaded: empty, with no hub to be asked."""
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", None)
    return cache


def put(cache, name: str, folder) -> None:
    """Lay a model down as the hub's library does."""
    owner, last = name.split("/")
    shutil.copytree(folder, cache / f"models--{owner}--{last}" / "snapshots" / COMMIT)
    (cache / f"models--{owner}--{last}" / "refs").mkdir()
    (cache / f"models--{owner}--{last}" / "refs" / "main").write_text(COMMIT)


def dev_of(project) -> DevSet:
    _, corpus = current_corpus(project)
    return DevSet.of(corpus, PairSet.load(project, project.newest("pairs")).dev)


def test_the_models_of_a_project_are_measured_and_the_best_is_the_second_baseline(project):
    names, how = contestants(project)
    measured = measured_ready_made(project)
    scores = {one.name: one.score for one in measured.standings}
    assert set(scores) == {"generic", "all-MiniLM-L6-v2"}
    for name, score in scores.items():
        encoder = load_encoder(project, find_model(project, name))
        assert score == pytest.approx(dev_of(project).ndcg(encoder), abs=1e-6)
    assert scores["all-MiniLM-L6-v2"] > scores["generic"] + 0.2
    assert measured.info.name == measured.standings[0].name == "all-MiniLM-L6-v2"
    assert measured.standings[0].milliseconds > 0
    assert 80 < measured.standings[0].megabytes < 100
    assert names == ["generic", "all-MiniLM-L6-v2", "bm25"]
    assert how.baselines == 1, "nothing of one's own to be held against two"
    assert "all-MiniLM-L6-v2 is the best of 2 ready-made models here: " in measured.sentence, (
        measured.sentence
    )


def test_a_higher_score_by_chance_is_an_opponent_but_not_a_start(project, monkeypatch):
    monkeypatch.setattr(halving, "surely_better", lambda one, other: False)
    measured = measured_ready_made(project)
    assert (measured.info.name, measured.standings[0].name) == ("generic", "generic")
    assert measured.highest.name == "all-MiniLM-L6-v2"
    assert measured.sentence == (
        f"tiny stays: all-MiniLM-L6-v2 is higher on 8 dev queries ({measured.highest.score:.3f} to "
        f"{measured.score:.3f}), by no more than chance."
    )
    assert contestants(project)[0] == ["generic", "all-MiniLM-L6-v2", "bm25"]


def test_one_that_lies_in_the_hub_cache_and_wins_is_added_without_asking_a_hub(
    project, hub_cache, tiny_model, monkeypatch
):
    from training import baseline

    good = hub_cache.parent / "good"
    shutil.copytree(tiny_model, good)
    settings = good / "config_sentence_transformers.json"
    settings.write_text('{"prompts": {"query": "q: ", "document": "d: "}}')
    put(hub_cache, "somebody/good", good)
    put(hub_cache, "somebody/no-embeddings", hub_cache.parent / "good" / "1_Pooling")
    # The files are a model's; its answers here are perfect.
    opened = baseline.not_yet_added

    def perfect(reference, commit):
        info, encoder = opened(reference, commit)
        return (
            (info, Perfect(dev_of(project), info.dimension))
            if commit == COMMIT
            else (info, encoder)
        )

    monkeypatch.setattr(baseline, "not_yet_added", perfect)
    monkeypatch.setattr(baseline, "models", lambda _: models(project)[:1])
    at_hand = models_at_hand(project)
    assert [one.reference for one in at_hand] == ["wordllama", "somebody/good"]
    assert at_hand[1][1:] == (COMMIT, (good / "model.safetensors").stat().st_size)
    monkeypatch.setattr(baseline, "models_at_hand", lambda _: at_hand[1:])
    best = best_ready_made(project)
    assert {one.name for one in best.standings} == {"generic", "somebody/good"}
    assert best.standings[0].name == "somebody/good"
    assert (best.info.name, best.info.kind, best.info.reference) == (
        "good",
        "generic",
        "somebody/good",
    )
    assert best.notes[0] == "somebody/good is a model of the project now, 'good'."
    assert any("“q: ”" in note for note in best.notes)
    manifest = project.artifact("models", best.info.id)
    assert manifest.details["commit"] == COMMIT
    assert manifest.details["prompts"]["query"] == "q: "
    assert find_model(project, "good").fingerprint == opened("somebody/good", COMMIT)[0].fingerprint


def test_one_that_is_in_the_project_under_another_name_is_measured_once(
    project, hub_cache, tiny_model
):
    put(hub_cache, "somebody/copy", tiny_model)
    rows = measured_ready_made(project, at_hand=models_at_hand(project)[1:]).standings
    assert {row.name: row.why_not for row in rows} == {
        "generic": "",
        "all-MiniLM-L6-v2": "",
        "somebody/copy": "it is 'generic' of this project",
    }


class Perfect:
    """Each document of the dev pool has a direction of its own, and a query that of its answer."""

    def __init__(self, dev: DevSet, width: int) -> None:
        self.rows = {text: row for row, text in enumerate(dev.texts)}
        answers = {q: next(iter(dev.query_set.relevant(q))) for q in dev.query_set.queries}
        self.rows |= {dev.query_set.queries[q]: dev.ids.index(d) for q, d in answers.items()}
        self.basis = np.random.default_rng(7).normal(size=(len(dev.texts) + 1, width))

    def encode_query(self, inputs):
        return self.basis[[self.rows.get(text, -1) for text in inputs]].astype(np.float32)

    encode_document = encode_query


def test_a_server_is_measured_only_where_all_of_it_is_paid_for(project):
    with bad_server() as server:
        add_model(
            project, "paid", Choices(name="paid", server={"base_url": server.url, "model": "paid"})
        )
        asked = len(server.texts)
        row = next(o for o in measured_ready_made(project).standings if o.name == "paid")
        assert row.score is None
        assert row.figures == (
            "not measured: a server computes it, and what it has not read yet would be paid for."
        )
        assert len(server.texts) == asked, "nothing was sent"
        encoder = load_encoder(project, find_model(project, "paid"))
        dev = dev_of(project)
        encoder.encode_query(dev.queries)
        encoder.encode_document(dev.texts)
        asked = len(server.texts)
        row = next(o for o in measured_ready_made(project).standings if o.name == "paid")
        assert row.score == pytest.approx(dev.ndcg(encoder), abs=1e-6)
        assert row.milliseconds is None
        assert len(server.texts) == asked


def test_without_dev_queries_generic_stays(tiny_model, tmp_path, hub_cache):
    made = project_to_be("Bare")
    rows = [f"The tenant of house {number} pays the rent." for number in range(5)]
    (tmp_path / "a.csv").write_text("\n".join(["text", *rows]))
    made.create()
    add_documents(made, [tmp_path / "a.csv"])
    best = best_ready_made(made)
    assert (best.info.name, best.score) == ("generic", None)
    assert "dev queries" in best.standings[0].figures
    assert contestants(made)[0] == ["generic", "bm25"]
