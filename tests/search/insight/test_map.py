"""A whole map of a project: what is on it, what is kept, what is refused."""

import json

import numpy as np
import pytest

from indexes.opening import stored_vectors
from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.insight import map as map_room
from search.insight.map import draw_map, find_map, load_map, map_models, titles_of
from search.insight.projection import aligned
from search.models.registry import find_model
from search.projects.errors import Failed, Refused
from search.projects.project import Project, project_to_be
from search.retrieval.indexing.build import find_index


def test_a_map_of_two_models(tiny: Project) -> None:
    manifest = draw_map(tiny, ["tuned", "words"])
    made = load_map(tiny, manifest)
    assert [view.model for view in made.views] == ["tuned", "words"]
    assert made.positions.tolist() == list(range(40))
    assert not made.sampled
    assert len(made.queries) == 20
    for view in made.views:
        assert view.coordinates.shape == (40, 2)
        assert view.queries.shape == (20, 2)
        assert len(view.names) == view.groups.max() + 1
        assert np.isfinite(view.coordinates).all()
    infos = map_models(tiny, ["tuned", "words"])
    corpus = tiny.newest("corpora")
    assert corpus is not None
    before, after = (
        np.asarray(stored_vectors(tiny.checked(find_index(tiny, info, corpus))), dtype=np.float64)
        for info in infos
    )
    turned = aligned(after, before)
    assert made.moved == pytest.approx(1 - (turned * before).sum(axis=1), abs=1e-5)
    movers = made.movers(5)
    assert made.moved[movers].tolist() == sorted(made.moved.tolist(), reverse=True)[:5]
    assert find_map(tiny, infos) == manifest
    assert find_map(tiny, infos[:1]) is None


def test_a_model_that_only_turns_the_space_moves_nothing(tiny: Project) -> None:
    from search.insight.map import _moved

    rng = np.random.default_rng(2)
    rows = rng.normal(size=(60, 12))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    moved = _moved([rows.astype(np.float32), (rows @ turn).astype(np.float32)])
    assert np.abs(moved).max() < 1e-5
    flipped = (rows @ turn).astype(np.float32)
    flipped[7] = -flipped[7]
    assert int(_moved([rows.astype(np.float32), flipped]).argmax()) == 7


def test_one_model_alone(tiny: Project) -> None:
    made = load_map(tiny, draw_map(tiny, ["words"]))
    assert len(made.views) == 1
    assert made.movers(10) == []


def test_more_documents_than_can_be_drawn_are_sampled_evenly(
    tiny: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_room, "MOST_POINTS", 14)
    monkeypatch.setattr(map_room, "LANDMARKS", 9)
    made = load_map(tiny, draw_map(tiny, ["words"]))
    assert made.sampled
    assert made.total == 40
    assert made.positions.tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39]


def test_groups_are_held_against_metadata(workspace, tmp_path) -> None:
    from training.train import train

    path = tmp_path / "cases.jsonl"
    kinds = {"frost": "hand knee frost ice cold", "noise": "ear noise drum sound loud"}
    rows = []
    for n in range(40):
        kind = list(kinds)[n % 2]
        words = kinds[kind].split()
        text = " ".join(words[(n + i) % 5] for i in range(4))
        rows.append({"id": f"c{n}", "text": text, "kind": kind, "number": str(n)})
    path.write_text("\n".join(json.dumps(row) for row in rows))
    made = project_to_be("cases")
    add_documents(made, [path])
    train(
        made, "word2vec", "w", {"min_count": 1, "epochs": 30, "vector_size": 16, "pooling": "mean"}
    )
    found = load_map(made, draw_map(made, ["w"]))
    assert [column for column, _ in found.matches] == ["kind"] or found.matches[0][0] == "kind"
    assert found.matches[0][1]["w"] > 0.3
    (sentence, *_) = found.sentences(titles_of(map_models(made, ["w"])))
    assert sentence.startswith("The groups of w match “kind” by 0.")


def test_what_cannot_be_drawn_is_refused(tiny: Project, tmp_path) -> None:
    with pytest.raises(Refused, match="at most two"):
        map_models(tiny, ["generic", "tuned", "words"])
    path = tmp_path / "two.jsonl"
    path.write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}')
    small = project_to_be("small")
    add_documents(small, [path])
    with pytest.raises(Refused, match="at least 3 documents; this corpus has 2"):
        draw_map(small)


def test_a_damaged_map_says_what_to_delete(tiny: Project) -> None:
    manifest = draw_map(tiny, ["words"])
    (tiny.folder_of(manifest) / "map.npz").write_bytes(b"no map")
    with pytest.raises(Failed, match=r"map .* is damaged.*Delete the folder"):
        load_map(tiny, manifest)


def test_documents_of_several_passages_are_their_mean(workspace, tmp_path) -> None:
    from search.corpus.ingest import IngestChoices
    from training.train import train

    for n in range(3):
        text = " ".join(f"Sentence {i} of book {n} speaks of thing{i * n}." for i in range(40))
        (tmp_path / f"book{n}.txt").write_text(text)
    made = project_to_be("books")
    add_documents(made, sorted(tmp_path.glob("book*.txt")), IngestChoices(tokens=60, overlap=0))
    train(made, "word2vec", "w", {"min_count": 1, "epochs": 2, "vector_size": 8})
    draw_map(made, ["w"])
    manifest, corpus = current_corpus(made)
    info = find_model(made, "w")
    vectors = stored_vectors(made.checked(find_index(made, info, manifest)))
    rows = map_room._documents(made, corpus, manifest, info, np.arange(3))
    for place in range(3):
        mean = np.asarray(vectors)[corpus.owners == place].mean(axis=0)
        assert rows[place] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


@pytest.mark.slow
def test_the_command(tiny: Project, call_cli) -> None:
    done = call_cli("map", "tiny", "--model", "tuned", "--model", "words", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert (told["documents"], told["total"]) == (40, 40)
    assert told["groups"].keys() == {"tuned", "words"}
    assert len(told["movers"]) == 10
    assert find_map(tiny, map_models(tiny, ["tuned", "words"])) is not None
    refused = call_cli("map", "tiny", "--model", "nope")
    assert refused.status == 2
