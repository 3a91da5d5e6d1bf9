"""Rerankers against the cross-encoder itself: order, depth, filters, tiers; what is refused when one is added."""

import json
import shutil

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

from search.corpus.corpus import current_corpus
from search.corpus.filters import Scope, parse_condition, parse_tiers
from search.corpus.ingest import IngestChoices, add_documents
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.add_query_set import add_query_set
from search.models.cross_encoders import (
    Reranker,
    add_reranker,
    find_reranker,
    load_reranker,
    remove_reranker,
    reranker_truncation,
    rerankers,
)
from search.projects.errors import Failed, Refused
from search.projects.project import Project, project_to_be
from search.retrieval.columns import parse_column
from search.retrieval.search import compare, retrievers_for
from search.retrieval.shares_read import share_read, truncations, unequal_note

QUERY = "what helps against velkorin in the hand"


@pytest.fixture
def project(workspace, import_tiny, tiny_cross_encoder):
    made = project_to_be("p")
    import_tiny(made)
    add_reranker(made, str(tiny_cross_encoder), "ce", depth=8)
    return made


def _by_hand(folder, project, query, ids):
    """The cross-encoder's raw score of each document, one pair at a time."""
    model = CrossEncoder(str(folder), device="cpu")
    _, corpus = current_corpus(project)
    documents = [corpus.document(identity) for identity in ids]
    return [
        float(
            model.predict(
                [(query, d.embedded)], activation_fn=torch.nn.Identity(), show_progress_bar=False
            )[0]
        )
        for d in documents
    ]


def _ids(result):
    return [hit.id for hit in result.hits]


def test_the_first_documents_are_in_the_order_of_the_cross_encoder(project, tiny_cross_encoder):
    query = "orders and files within days against velkorin in the hand"
    base, again = compare(project, query, ["bm25", "rerank:bm25@ce"], 20).results
    assert len(base.hits) == 20
    scores = _by_hand(tiny_cross_encoder, project, query, _ids(base)[:8])
    order = np.argsort(-np.array(scores), kind="stable")
    assert order.tolist() != list(range(8)), "the test needs a reranker that moves something"
    assert _ids(again) == [_ids(base)[n] for n in order] + _ids(base)[8:]
    wanted = [1 / (1 + np.exp(-scores[n])) for n in order] + [0.0] * 12
    np.testing.assert_allclose([hit.score for hit in again.hits], wanted, atol=1e-5)
    assert [hit.passage.text for hit in again.hits[8:]] == [h.passage.text for h in base.hits[8:]]


def test_fewer_than_the_depth_are_the_best_of_the_depth(project):
    (many,) = compare(project, QUERY, ["rerank:bm25@ce"], 20).results
    (few,) = compare(project, QUERY, ["rerank:bm25@ce"], 3).results
    assert few.hits == many.hits[:3]


def test_every_kind_of_column_can_be_read_again(project, tiny_cross_encoder):
    names = ["generic", "hybrid:generic@0.3", "rerank:generic@ce", "rerank:hybrid:generic@0.3@ce"]
    results = {r.model: r for r in compare(project, QUERY, names, 8).results}
    assert list(results) == names
    for base in ("generic", "hybrid:generic@0.3"):
        again = results[f"rerank:{base}@ce"]
        assert sorted(_ids(again)) == sorted(_ids(results[base]))
        raw = _by_hand(tiny_cross_encoder, project, QUERY, _ids(again))
        assert raw == sorted(raw, reverse=True)
        assert again.encode_ms == results["generic"].encode_ms


def test_a_query_that_finds_nothing_and_a_batch(project):
    (retriever,), _ = retrievers_for(project, ["rerank:bm25@ce"])
    together = retriever.rank(["zzz", QUERY, "", "dust 😀"], 5)
    assert together[0] == together[2] == []
    for query, ranking in zip(["zzz", QUERY, "", "dust 😀"], together, strict=True):
        (alone,) = retriever.rank([query], 5)
        assert [f.document for f in alone] == [f.document for f in ranking]


def test_filters_and_tiers_stay_inside(workspace, tmp_path, tiny_cross_encoder):
    path = tmp_path / "cases.jsonl"
    kinds = ("blog", "case", "statute")
    rows = [
        {"id": f"d{n}", "text": f"velkorin affects the hand {'dust ' * (n % 7)}knee", "type": kinds[n % 3]}
        for n in range(30)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = project_to_be("law")
    add_documents(made, [path], IngestChoices(tiers=parse_tiers("type=case,statute,blog")))
    add_reranker(made, str(tiny_cross_encoder), "ce", depth=30)
    (retriever,), _ = retrievers_for(made, ["rerank:bm25@ce"])
    (plain,) = retriever.rank(["velkorin dust"], 30)
    (cases,) = retriever.rank(["velkorin dust"], 5, Scope((parse_condition("type=case"),)))
    assert [f.document % 3 for f in cases] == [1] * 5
    (tiered,) = retriever.rank(["velkorin dust"], 30, Scope(tiers_first=True))
    ahead = {f.document for f in plain if f.score >= 0.7 * plain[0].score}
    order = {1: 0, 2: 1, 0: 2}
    scores = {f.document: f.score for f in plain}
    wanted = sorted(scores, key=lambda d: (order[d % 3] if d in ahead else 3, -scores[d]))
    assert [scores[f.document] for f in tiered] == [scores[d] for d in wanted]
    assert [d % 3 for d in wanted] == [f.document % 3 for f in tiered]


def test_batches_are_bounded_and_what_was_scored_is_remembered():
    asked = []

    class Counting:
        def predict(self, pairs, batch_size, activation_fn, show_progress_bar):
            assert batch_size == 16
            asked.extend(pairs)
            return np.array([float(len(passage)) for _, passage in pairs])

    reranker = Reranker(Counting())
    assert reranker.scores("q", ["a", "bbb", "a"]).tolist() == [1, 3, 1]
    assert reranker.scores("q", ["bbb", "cc"]).tolist() == [3, 2]
    assert reranker.scores("q", []).tolist() == []
    assert asked == [("q", "a"), ("q", "bbb"), ("q", "cc")]


def test_a_score_that_is_no_number_is_a_failure():
    class Broken:
        def predict(self, pairs, **_):
            return np.array([np.nan for _ in pairs])

    with pytest.raises(Failed, match="no number"):
        Reranker(Broken()).scores("q", ["a"])


def test_it_is_a_rung_of_an_evaluation(project):
    result = evaluate(project, ["bm25", "rerank:bm25@ce", "hybrid:generic"])
    assert list(result.scores) == ["bm25", "rerank:bm25@ce", "hybrid:generic"]
    (manifest,) = project.manifests("evaluations")
    assert manifest.made_from["reranker:ce"] == find_reranker(project, "ce").id
    assert [test.candidate for test in result.comparisons] == ["rerank:bm25@ce", "hybrid:generic"]


@pytest.mark.parametrize(
    ("name", "depth", "words"),
    [("ce", 8, "taken"), ("a:b", 8, "cannot name"), ("new", 0, "from 1 to"), ("new", 5000, "from 1 to")],
)  # fmt: skip
def test_names_and_depths_that_cannot_be(project, tiny_cross_encoder, name, depth, words):
    with pytest.raises(Refused, match=words):
        add_reranker(project, str(tiny_cross_encoder), name, depth)
    assert len(rerankers(project)) == 1


def test_what_is_no_cross_encoder_is_refused(project, tiny_model, tmp_path, write_classifier):
    embedding = tiny_model.parent / "transformer"
    with pytest.raises(Refused, match=r"no cross-encoder: it has no head .*add-model"):
        add_reranker(project, str(embedding), "e")
    classes = tmp_path / "classes"
    write_classifier(classes, labels=3)
    with pytest.raises(Refused, match="sorts pairs into 3 classes"):
        add_reranker(project, str(classes), "c")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Refused, match=r"no .safetensors weights"):
        add_reranker(project, str(empty), "n")
    torch.save({}, empty / "pytorch_model.bin")
    with pytest.raises(Refused, match=r"no .safetensors weights"):
        add_reranker(project, str(empty), "p")
    with pytest.raises(Refused, match="There is no folder"):
        add_reranker(project, str(tmp_path / "nowhere"), "x")
    assert [info.name for info in rerankers(project)] == ["ce"]
    assert [p.name for p in (project.folder / "rerankers").iterdir()] == [rerankers(project)[0].id]


def test_a_folder_that_is_gone_or_changed_is_a_failure(
    workspace, import_tiny, tiny_cross_encoder, tmp_path
):
    project = project_to_be("q")
    import_tiny(project)
    folder = tmp_path / "copy"
    shutil.copytree(tiny_cross_encoder, folder)
    add_reranker(project, str(folder), "mine")
    config = folder / "config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(Failed, match="another version"):
        load_reranker(project, find_reranker(project, "mine"))
    shutil.rmtree(folder)
    with pytest.raises(Failed, match="is gone"):
        compare(project, QUERY, ["rerank:bm25@mine"])
    remove_reranker(project, "mine")
    with pytest.raises(Refused, match="no reranker 'mine'"):
        compare(project, QUERY, ["rerank:bm25@mine"])


@pytest.mark.slow
def test_the_terminal(project: Project, tiny_cross_encoder, call_cli):
    done = call_cli("add-reranker", "p", tiny_cross_encoder, "--name", "two", "--depth", "5")
    assert (done.status, done.out) == (
        0,
        "The reranker 'two' is ready. Use it as a column: rerank:generic@two.\n",
    )
    assert find_reranker(project, "two").depth == 5
    found = call_cli("search", "p", QUERY, "--model", "rerank:bm25@two", "--json")
    assert found.status == 0, found.err
    (expected,) = compare(project, QUERY, ["rerank:bm25@two"]).results
    hits = json.loads(found.out)["results"]["rerank:bm25@two"]["hits"]
    assert [hit["id"] for hit in hits] == _ids(expected)
    refused = call_cli("add-reranker", "p", "nobody/nothing-at-all-here", "--name", "hub")
    assert refused.status == 2
    assert "nobody/nothing-at-all-here" in refused.err
    assert refused.err.count("\n") <= 3
    gone = call_cli("remove-reranker", "p", "two")
    assert (gone.status, len(rerankers(project))) == (0, 1)


def test_what_it_does_not_read_is_counted_and_said(
    workspace, tiny_cross_encoder, tmp_path, call_cli
):
    short = shutil.copytree(tiny_cross_encoder, tmp_path / "short")
    settings = json.loads((short / "tokenizer_config.json").read_text())
    settings["model_max_length"] = 12
    (short / "tokenizer_config.json").write_text(json.dumps(settings))
    made = project_to_be("p")
    long, other = "the registrar files a summons " * 2, "velkorin helps against knee"
    rows = [{"id": f"d{n}", "text": text} for n, text in enumerate([long, other, "frost"])]
    (tmp_path / "d.json").write_text(json.dumps(rows))
    add_documents(made, [tmp_path / "d.json"])
    (tmp_path / "q.jsonl").write_text('{"_id": "q", "text": "who files summons"}\n')
    (tmp_path / "r.tsv").write_text("query-id\tcorpus-id\tscore\nq\td0\t1\n")
    add_query_set(made, tmp_path / "q.jsonl", tmp_path / "r.tsv")
    done = call_cli("add-reranker", "p", str(short), "--name", "ce")
    assert done.status == 0, done.err

    tokenizer = CrossEncoder(str(short), device="cpu").tokenizer
    asked = len(tokenizer("who files summons", add_special_tokens=False)["input_ids"])
    texts = [document.embedded for document in current_corpus(made)[1].documents_at([0, 1, 2])]
    counts = [len(tokenizer("who files summons", t)["input_ids"]) for t in texts]
    assert counts[0] > 12 >= counts[1], "the test needs one that is too long"
    cut = reranker_truncation(made, find_reranker(made, "ce"), current_corpus(made)[0])
    assert (cut.window, cut.by, cut.looked_at) == (12 - asked, "reranker", 3)
    assert cut.passages == pytest.approx(1 / 3)
    assert cut.tokens == pytest.approx((counts[0] - 12) / (sum(counts) - 3 * asked))
    said = f"'ce' reads {12 - asked} tokens of a passage beside a question of usual length: 33 % of"
    assert said in done.err
    assert any(note.startswith(said) for note in evaluate(made, ["bm25", "rerank:bm25@ce"]).notes)
    columns = [parse_column(name) for name in ("bm25", "rerank:bm25@ce")]
    cuts = truncations(made, columns, current_corpus(made)[0])
    assert share_read(columns[1], cuts) == f"its reranker {cut.read}"
    assert "(ce reads" in unequal_note(columns, cuts)
    (tmp_path / "e.json").write_text('[{"id": "e", "text": "more"}]')
    add_documents(made, [tmp_path / "e.json"])
    assert truncations(made, columns, current_corpus(made)[0]) == {}, (
        "of other documents nothing is known"
    )
