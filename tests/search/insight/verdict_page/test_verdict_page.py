"""The page that is handed over: what it says, that any text in it is text, that it is one file, and always the same."""

import copy
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser

from search.insight.verdict_page.choose import candidate_of, find_measured
from search.insight.verdict_page.content import MeasuredPair, headline, verdict_content
from search.insight.verdict_page.files import check_path, failure, junit, written
from search.insight.verdict_page.questions import MOST, telling_queries
from search.insight.verdict_page.rendering import TEMPLATES
from search.insight.verdict_page.view import Axis, html_page, signed
from search.projects.errors import Refused
from tests.made_up_verdict import EVIL, QUERIES, made_up_project, publish


@pytest.fixture
def lab(tmp_path):
    return made_up_project(tmp_path)


@pytest.fixture
def measured(lab):
    return MeasuredPair.of(lab, lab.newest("evaluations"), "mine", "generic")


def test_the_sentence_names_what_got_worse(measured):
    assert measured.test.verdict == "better"
    assert (
        measured.headline
        == "mine is better than generic overall, but worse on questions with a negation."
    )
    page = LexborHTMLParser(written(measured, ".html"))
    assert page.css_first("h1").text() == measured.headline
    cells = [[c.text().strip() for c in row.css("th, td")] for row in page.css("tbody tr")]
    (negation,) = [row for row in cells if row[0] == "questions with a negation"]
    assert (
        negation[1:3] == ["24", "24"] and negation[4].startswith("−0.") and negation[6] == "worse"
    )


@pytest.mark.parametrize(
    ("loss", "gain", "says"),
    [
        (0.4, -0.2, "mine is worse than generic, most of all on questions with a negation."),
        (0.3, 0.2, "No clear difference between mine and generic overall, but worse on questions with a negation."),
        (-0.2, 0.2, "mine is better than generic."),
        (0.0, 0.0, "No clear difference between mine and generic."),
    ],
)  # fmt: skip
def test_the_sentence_of_each_verdict(lab, tmp_path, loss, gain, says):
    publish(lab, tmp_path, loss, gain)
    made = MeasuredPair.of(lab, lab.newest("evaluations"), "mine", "generic")
    assert headline(made.test, made.slices) == says


def test_it_holds_no_script_asks_for_nothing_and_any_text_is_text(measured):
    html = written(measured, ".html")
    page = LexborHTMLParser(html)
    assert EVIL.strip()[:20] in page.body.text() and "{{ 7 * 7 }}" in page.body.text()
    names = [node.tag for node in page.root.traverse()]
    assert not {"script", "img", "link", "iframe", "object", "form", "a"} & set(names)
    attributes = {name for node in page.root.traverse() for name in node.attributes}
    assert not [name for name in attributes if name.startswith("on")] and not attributes & {
        "src",
        "href",
    }
    style = page.css_first("style").text()
    assert not re.search(r"url\(|@import|https?:", style)
    assert "default-src 'none'" in html and len(html.encode()) < 2_000_000


def test_the_same_evaluation_gives_the_same_bytes(measured, lab):
    again = MeasuredPair.of(lab, lab.newest("evaluations"), "mine", "generic")
    for suffix in (".html", ".json"):
        assert written(measured, suffix) == written(again, suffix)


def test_without_text_no_text_of_corpus_or_questions_is_left(measured):
    for suffix in (".html", ".json"):
        with_text, without = written(measured, suffix), written(measured, suffix, with_text=False)
        for word in ("Secret", "Passage", "Question5", "alert(1)", "q05"):
            assert word in with_text or word == "q05"
            assert word not in without
    bare = json.loads(written(measured, ".json", with_text=False))
    assert {one["title"] for one in bare["slices"]} == {
        "questions with a negation", "questions answered by one value of the metadata (slice 2)",
    }  # fmt: skip
    assert [hit for one in bare["questions"] for hit in one["hits"]["mine"]][:3] == [
        {"relevant": True}, {"relevant": False}, {"relevant": False},
    ]  # fmt: skip


def test_the_json_holds_the_comparison_and_what_it_rests_on(measured, lab):
    content = verdict_content(measured)
    assert {key: content[key] for key in ("verdict", "baseline", "candidate", "queries")} == {
        "verdict": "better", "baseline": "generic", "candidate": "mine", "queries": QUERIES,
    }  # fmt: skip
    assert content["ci95"] == list(measured.test.ci95)
    assert content["made_from"]["corpus"]["fingerprint"] == lab.newest("corpora").fingerprint
    assert (
        content["columns"][2]["title"] == "Keyword search"
        and content["columns"][0]["comparison"] is None
    )
    assert (
        content["repeat"][1]
        == "python cli.py verdict lab --model mine --against generic --out verdict.html"
    )
    assert content["libraries"].keys() >= {"python", "numpy", "scipy", "torch"}
    hits = content["questions"][0]["hits"]["mine"]
    assert [(hit["id"], hit["relevant"]) for hit in hits] == [
        ("d0", True),
        ("d1", False),
        ("gone", False),
    ]


def test_the_questions_that_tell_most_are_half_gains_half_losses(measured):
    result = measured.result
    moved = result.differences("generic", "mine")
    chosen = telling_queries(result, "generic", "mine")
    assert len(chosen) == MOST and list(moved[chosen] > 0) == [True] * 10 + [False] * 10
    assert set(chosen[:10]) == set(np.argsort(-moved)[:10]) and set(chosen[10:]) == set(
        np.argsort(moved)[:10]
    )
    every = telling_queries(result, "generic", "bm25")  # No gain at all.
    assert len(every) == MOST and (result.differences("generic", "bm25")[every] < 0).all()


def test_what_a_job_is_failed_by(measured):
    assert (
        failure(measured, None)
        == failure(measured, "worse")
        == failure(measured, "not-better")
        == ""
    )
    worse = MeasuredPair.of(measured.project, measured.manifest, "bm25", "generic")
    assert failure(worse, "worse") == failure(worse, "not-better") == worse.headline
    passed, failed = (ET.fromstring(junit(one, "worse")) for one in (measured, worse))
    assert passed.find(".//failure") is None and passed.attrib["failures"] == "0"
    assert failed.find(".//failure").attrib["message"] == worse.headline
    assert failed.find(".//testcase").attrib["name"] == "Keyword search against generic"


def test_a_verdict_needs_a_model_a_comparison_and_a_file_that_can_be(measured, lab, tmp_path):
    with pytest.raises(Refused, match="has no custom model yet"):
        candidate_of(lab, None)
    with pytest.raises(Refused, match="did not compare generic with mine"):
        MeasuredPair.of(lab, measured.manifest, "generic", "mine")
    with pytest.raises(Refused, match=r"must end in \.html"):
        check_path(tmp_path / "verdict.pdf")
    with pytest.raises(Refused, match="does not exist"):
        check_path(tmp_path / "no" / "verdict.html")
    assert find_measured(lab, "mine", "bm25") is None
    found = find_measured(lab, "mine", None)
    assert found is not None and found.test == measured.test


def test_what_earlier_versions_measured_can_be_handed_over(measured):
    content = copy.deepcopy(verdict_content(measured))
    content |= {"slices": [], "query_groups": None, "libraries": {}, "relevant_documents": 0}
    for column in content["columns"]:
        column["cost"] = None
    for one in content["questions"]:
        one["hits"] = {name: [] for name in one["hits"]}
    page = LexborHTMLParser(html_page(content))
    assert "nothing can be said of parts" in page.body.text() and "not kept" in page.body.text()


def test_places_on_an_axis_and_figures_with_signs():
    axis = Axis.over([0.02, 0.06])
    places = [float(axis.at(v)) for v in (0.0, 0.02, 0.06)]
    assert places[0] > 0 and places[2] < 100
    assert (places[1] - places[0]) / (places[2] - places[0]) == pytest.approx(1 / 3, abs=0.01)
    for low, high in ((-1.0, 1.0), (-0.003, 0.001), (0.2, 0.21), (-0.34, 0.02), (0.0, 0.0)):
        made = Axis.over([low, high])
        values = [float(value.replace("−", "-")) for _, value in made.ticks]
        assert 2 <= len(made.ticks) <= 9 and len(set(values)) == len(values) and 0 in values
        assert 1 <= len(made.few_ticks) <= 5
        assert [float(made.at(v)) for v in values] == pytest.approx(
            [float(at) for at, _ in made.ticks], abs=0.3
        )
    assert [signed(v) for v in (0.1, -0.1, -0.0004)] == ["+0.100", "−0.100", "0.000"]


def test_html_stands_in_templates_alone():
    folder = TEMPLATES.parent
    for path in folder.glob("*.py"):
        assert not re.search(r"[\"'`][^\"'\n]*</?[a-z]+[\s>]", path.read_text(encoding="utf-8")), (
            path
        )
        assert "Markup" not in path.read_text(encoding="utf-8")
    assert not [
        t for t in TEMPLATES.iterdir() if "|safe" in t.read_text() or "| safe" in t.read_text()
    ]
