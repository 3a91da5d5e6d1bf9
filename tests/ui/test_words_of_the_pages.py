"""Sentences, spans and names that the pages put together."""

import re
from pathlib import PurePosixPath

import pytest
from app_help import hit

from search.evaluation.evaluation import Evaluation
from search.evaluation.rankings.metrics import METRICS
from search.projects.files import size_in_words
from search.retrieval.results import SearchResult
from ui.comparing.sides import Side
from ui.comparing.summary import sentence as sentence_of
from ui.evaluating.evidence import metrics_table
from ui.uploads import safe_name
from ui.widgets import colours, counted, duration, model_subtitle, model_title


def _found(model: str, *ids: str) -> SearchResult:
    return SearchResult(
        model, [hit(rank, i, 0.5, f"Title {i}", f"Text {i}") for rank, i in enumerate(ids, 1)], 1.0
    )


def sentence(results: list[SearchResult], judged: dict[str, int]) -> str:
    spoken = {"generic": "the generic model", "bm25": "keyword search"}
    sides = [
        Side(r.model, r.model, "", spoken.get(r.model, f"the custom model {r.model}"), "red")
        for r in results
    ]
    return sentence_of(results, sides, judged)


@pytest.mark.parametrize(
    ("generic", "custom", "expected"),
    [
        ("abj", "jab", "The custom model w puts the judged answer first; the generic model has it at rank 3."),
        ("jab", "abj", "The generic model puts the judged answer first; the custom model w has it at rank 3."),
        ("ajb", "abj", "The generic model has the judged answer at rank 2; the custom model w has it at rank 3."),
        ("abc", "ajb", "The custom model w has the judged answer at rank 2; the generic model does not have it among its first 3."),
        ("jab", "jba", "Every side puts the judged answer first."),
        ("ajb", "bja", "Every side has the judged answer at rank 2."),
        ("abc", "bca", "No side has the judged answer among its first 3."),
        ("abj", "", "The generic model has the judged answer at rank 3; the custom model w does not have it among its first 3."),
    ],
)  # fmt: skip
def test_the_sentence_for_a_judged_query(generic: str, custom: str, expected: str) -> None:
    results = [_found("generic", *generic), _found("w", *custom)]
    assert sentence(results, {"j": 1}) == expected


def test_the_sentence_takes_the_best_of_several_judged_answers() -> None:
    results = [_found("generic", "a", "k", "j"), _found("bm25", "a", "b", "j")]
    assert sentence(results, {"j": 1, "k": 2}) == (
        "The generic model has the judged answer at rank 2; keyword search has it at rank 3."
    )


def test_the_sentence_for_one_model_and_a_judged_query() -> None:
    expected = "The generic model puts the judged answer first."
    assert sentence([_found("generic", "j")], {"j": 1}) == expected


def test_the_sentence_without_judgments() -> None:
    agree = [_found("generic", "a", "b"), _found("w", "a", "c")]
    assert sentence(agree, {}) == "They agree on the first answer: Title a."
    differ = [_found("generic", "a"), _found("w", "b")]
    assert sentence(differ, {}).startswith("They disagree on the first answer.")
    assert sentence([_found("generic", "a", "b")], {}) == "2 results."
    assert sentence([_found("bm25", "a")], {}) == "1 result."
    assert sentence([_found("generic")], {}) == "Nothing found."
    assert (
        sentence([_found("generic"), _found("w")], {})
        == "No side found anything for this question."
    )


def test_the_sentence_when_only_one_side_found_anything_does_not_speak_of_disagreement() -> None:
    said = sentence([_found("generic", "a"), _found("w")], {})
    assert said == "Only the generic model found anything."


def test_the_sentence_cuts_a_long_first_answer() -> None:
    one = hit(1, "a", 0.5, "", "very  long\nanswer " * 20)
    said = sentence([SearchResult("generic", [one], 1), SearchResult("w", [one], 1)], {})
    assert said.startswith("They agree on the first answer: very long answer very")
    assert said.endswith("answer …")
    assert len(said) < 120


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "under a second"),
        (0.99, "under a second"),
        (1, "1 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (600, "10 min"),
        (5_399, "90 min"),
        (5_400, "1.5 h"),
        (36_000, "10.0 h"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (90_900_000, "90.9 MB"),
        (2_500_000_000, "2.5 GB"),
        (2_500_000_000_000, "2500.0 GB"),
    ],
)
def test_size(count: float, expected: str) -> None:
    assert size_in_words(count) == expected


def test_counted() -> None:
    assert counted(1, "pair") == "1 pair"
    assert counted(0, "pair") == "0 pairs"
    assert counted(2_000, "pair") == "2,000 pairs"
    assert counted(1, "query", "queries") == "1 query"
    assert counted(3, "query", "queries") == "3 queries"


def test_model_titles() -> None:
    assert model_title("generic") == "Generic"
    assert model_title("bm25") == "Keyword search"
    assert model_title("legal-2") == "legal-2"
    assert model_title("hybrid:legal-2@0.3") == "Keywords + legal-2, words 30 %"
    assert model_subtitle("generic", None) == "all-MiniLM-L6-v2 · ready-made"
    assert model_subtitle("legal-2", "word2vec") == "custom · word2vec"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pairs.json", "pairs.json"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\Corpus 2026.CSV", "Corpus-2026.csv"),
        ("/absolute/path.tsv", "path.tsv"),
        ("..", "upload"),
        ("", "upload"),
        (".csv", "upload.csv"),
        ("--help.json", "help.json"),
        ("a;rm -rf $HOME.json", "a-rm--rf-HOME.json"),
        ("हिन्दी.json", "upload.json"),
        ("archive.tar.gz", "archive.tar.gz"),
        ("no\x00null\n.txt", "no-null.txt"),
        ("x" * 500 + ".csv", "x" * 80 + ".csv"),
        ("<script>.json", "script.json"),
    ],
)
def test_safe_name(name: str, expected: str) -> None:
    assert safe_name(name) == expected


@pytest.mark.parametrize(
    "name", ["../..", "a/../b", "..\\..\\x", "./.", "~/.ssh/id_rsa", "CON\\..\\y"]
)
def test_a_safe_name_is_never_a_path(name: str) -> None:
    safe = safe_name(name)
    assert PurePosixPath(safe).name == safe
    assert not re.search(r"[/\\~]", safe)
    assert safe not in ("", ".", "..")
    assert not safe.startswith(("-", "."))


def test_metrics_table() -> None:
    scores = {
        "generic": {metric: [0.0, 1.0] for metric in METRICS},
        "w": {metric: [0.5, 1.0] for metric in METRICS} | {"recall@10": [0.0, 1.0]},
        '<i>"x"</i>': {metric: [0.25, 0.25] for metric in METRICS},
    }
    firsts: dict[str, list[int | None]] = {name: [1, None] for name in scores}
    html = metrics_table(Evaluation(["q1", "q2"], ["a", "b"], scores, firsts, []))
    head, *rows = re.findall(r"<tr>(.*?)</tr>", html)
    assert "2 held-out queries" in head
    # A name may break before its @ and nowhere else.
    assert re.findall(r"<th[^>]*>(\S+?)</th>", head.replace("<wbr>@", "@")) == [
        "nDCG@10",
        "MRR@10",
        "recall@10",
        "recall@100",
        "MAP@100",
    ]
    values = [re.findall(r'<td class="(.*?)">(.*?)</td>', row) for row in rows]
    assert values[0] == [
        ("", "0.500"),
        ("", "0.500"),
        ("b-best", "0.500"),
        ("", "0.500"),
        ("", "0.500"),
    ]
    assert (
        values[1] == [("b-best", "0.750")] * 2 + [("b-best", "0.500")] + [("b-best", "0.750")] * 2
    )
    assert values[2] == [("", "0.250")] * 5
    assert "Generic</td>" in rows[0]
    assert "&lt;i&gt;&#34;x&#34;&lt;/i&gt;" in rows[2]
    assert "<i>" not in html


def test_a_model_has_one_colour_on_every_page_and_no_two_share_one() -> None:
    slate, teal, blue, violet = (f"var(--b-{c})" for c in ("slate", "teal", "blue", "violet"))
    assert colours(["generic", "mine"]) == [slate, teal]
    assert colours(["mine", "other"]) == [teal, blue]
    assert colours(["generic", "e5", "mine"], {"generic", "e5"}) == [slate, blue, teal]
    assert colours(["bm25", "hybrid:mine", "mine", "generic"]) == [blue, violet, teal, slate]
