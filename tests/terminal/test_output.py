"""What the terminal prints: JSON, counts, sentences."""

import json
import zipfile


def test_models_as_json(call_cli, lab):
    done = call_cli("models", lab, "--json")
    assert (done.status, done.err) == (0, "")
    (generic,) = json.loads(done.out)
    created = generic.pop("created")
    assert generic == {
        "name": "generic",
        "kind": "generic",
        "recipe": None,
        "dim": 384,
        "default": True,
    }
    assert created.startswith("20")


def test_search_as_json(call_cli, lab):
    done = call_cli("search", lab, "dromirin in the knee", "--model", "bm25", "-k", "3", "--json")
    assert done.status == 0
    found = json.loads(done.out)
    assert set(found) == {"query", "k", "results"}
    assert (found["query"], found["k"], list(found["results"])) == (
        "dromirin in the knee",
        3,
        ["bm25"],
    )
    result = found["results"]["bm25"]
    assert set(result) == {"hits", "ms", "encode_ms", "search_ms", "says", "rough"}
    assert isinstance(result["ms"], float)
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    first = result["hits"][0]
    assert set(first) == {"rank", "id", "score", "title", "text", "probability", "relevant"}
    assert (first["id"], first["title"]) == ("d1", "Dromirin")
    assert first["text"].startswith("Dromirin affects the knee after dust.")
    scores = [hit["score"] for hit in result["hits"]]
    assert scores == sorted(scores, reverse=True)


def test_evaluate_as_json(call_cli, lab):
    done = call_cli("evaluate", lab, "--model", "bm25", "--json")
    assert done.status == 0
    result = json.loads(done.out)
    assert {"queries", "models", "comparisons", "relevant_documents", "left_out"} <= set(result)
    assert (result["queries"], list(result["models"]), result["comparisons"]) == (20, ["bm25"], [])
    scores = result["models"]["bm25"]
    five = ["ndcg@10", "mrr@10", "recall@10", "recall@100", "map@100"]
    assert list(scores)[:5] == five
    # Every test query names its document's sign, which occurs in no other document.
    assert [scores[metric] for metric in five] == [1.0] * 5


def test_add_pairs_and_queries_say_what_they_did(call_cli, write, tiny_pairs):
    added = call_cli("add", "p", write("d.csv", "id,text\na,one\nb,two\nb,three\n"))
    assert (added.status, added.out) == (
        0,
        "2 documents added; the corpus has 2 in 2 passages.\n",
    )
    assert (
        "d.csv: CSV, utf-8, 2 documents (id from 'id', text from 'text')." in added.err.splitlines()
    )
    assert (
        "d.csv: 1 row refused (row 4: the id 'b' was used by an earlier row)"
        in added.err.splitlines()
    )
    paired = call_cli("pairs", "p", tiny_pairs, "--add-responses")
    assert paired.status == 0
    assert paired.out == "56 pairs to train on, 8 dev queries, 16 held-out test queries.\n"
    assert "40 responses became documents of the corpus" in paired.err.splitlines()
    queries = write("q.jsonl", '{"_id": "1", "text": "first"}\n{"_id": "2", "text": "lost"}\n')
    judged = call_cli("queries", "p", queries, "--qrels", write("r.tsv", "1\ta\t1\n2\tz\t1\n"))
    assert (judged.status, judged.out) == (0, "1 test queries.\n")
    assert call_cli("projects").out == "p\n"


def test_a_zip_imports_like_its_folder(call_cli, tiny_beir, tmp_path):
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as stream:
        for path in sorted(p for p in tiny_beir.rglob("*") if p.is_file()):
            stream.write(path, f"tiny/{path.relative_to(tiny_beir)}")
    done = call_cli("import", "zipped", archive)
    assert (done.status, done.out) == (
        0,
        "40 documents, 60 pairs to train on, 8 dev queries, 20 test queries.\n",
    )
