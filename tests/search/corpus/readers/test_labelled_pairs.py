"""Pairs whose rows say yes or no, rows of several answers, tables without a header."""

import json

import pytest

from search.corpus.labels import Pair
from search.corpus.readers.grades import GradeRules, UnclearGrades
from search.corpus.readers.pairs import PairColumns, preview_pairs, read_pair_file
from search.corpus.readers.tables import open_report
from search.projects.errors import Refused
from tests.search.corpus.readers.refused_rows import refusals

YES_NO = [
    Pair("one", "right", None, ("wrong", "worse")),
    Pair("one", "also", None, ("wrong", "worse")),
    Pair("two", "fine", None, ("bad",)),
]


@pytest.mark.parametrize(
    ("names", "yes", "no"),
    [
        ("query,answer,label", "1", "0"),
        ("sentence1,sentence2,score", "1.0", "-1.0"),
        ("sentence1,sentence2,gold_label", "entailment", "contradiction"),
        ("premise,hypothesis,label", "entailment", "neutral"),
        ("question1,question2,is_duplicate", "1", "0"),
        ("query,passage,relevance", "Relevant", "Not relevant"),
        ("query,answer,esci_label", "E", "I"),
        ("query,answer,ok", "yes", "no"),
    ],
)
def test_rows_that_say_no_are_negatives_of_their_query(pairs, names, yes, no):
    body = f"one,right,{yes}\none,wrong,{no}\none,also,{yes}\none,worse,{no}\ntwo,bad,{no}\ntwo,fine,{yes}\nlost,sad,{no}\n"
    if names.endswith("ok"):
        with pytest.raises(
            Refused, match=r"the column 'ok' \('yes', 'no'\) may hold grades.*--label-column"
        ):
            pairs("p.csv", f"{names}\n{body}")
        found, report = pairs("p.csv", f"{names}\n{body}", label="ok")
    else:
        found, report = pairs("p.csv", f"{names}\n{body}")
    assert found == YES_NO
    assert report.accepted == 3
    assert report.roles["label"] == names.split(",")[2]
    assert refusals(report) == [("row 8", "it says no, and no other row answers this query")]
    assert report.notes[-1].startswith("3 rows say no: no pairs but negatives")


def test_what_a_file_of_labels_holds(file):
    path = file("p.csv", "query,doc_id,response,grade\none,d1,a,3\none,d2,b,1\none,d3,c,0\n")
    held = read_pair_file(path, open_report(path))
    assert held.pairs == [Pair("one", "a", "d1", ("c",)), Pair("one", "b", "d2", ("c",))]
    assert held.rejected == [Pair("one", "c", "d3")]
    assert held.grades == {"one": {"d1": 3, "d2": 1, "d3": 0}}


def test_a_text_that_people_disagree_about_is_a_negative(pairs):
    body = "one,right,yes\none,right,yes\none,maybe,yes\none,maybe,no\n"
    found, report = pairs("p.csv", f"query,answer,label\n{body}")
    assert found == [Pair("one", "right", None, ("maybe",))]
    assert refusals(report) == [("row 3", "the same judgment stands in an earlier row")]
    assert any("'maybe' for 'one': 1, 0" in note for note in report.notes)


@pytest.mark.parametrize(
    ("names", "values", "says"),
    [
        ("sentence1,sentence2,similarity", ["0.91", "0.12"], 'from which number on .*">=0.5=1"'),
        ("query,answer,score", [str(n) for n in range(20)], "which are many for grades"),
        ("query,answer,rating", ["1", "5"], "whether 1 means relevant"),
        ("query,answer,label", ["banking", "cards"], "not a scale"),
        (
            "premise,hypothesis,label",
            ["0", "1", "2"],
            'write 0 for "follows".*"0=1,1=0,2=0" where 0 is entailment',
        ),
        ("sentence1,sentence2,label", ["0", "1", "2"], 'write 0 for "follows"'),
        ("question,sentence,label", ["0", "1"], 'write 0 for "follows"'),
    ],
)
def test_labels_that_do_not_say_what_means_no_are_asked_for(file, names, values, says):
    path = file("p.csv", f"{names}\n" + "".join(f"q{n},a{n},{v}\n" for n, v in enumerate(values)))
    chosen = PairColumns(response="sentence") if names.startswith("question,") else PairColumns()
    with pytest.raises(UnclearGrades, match=rf"{says}.*--label-column \"\""):
        preview_pairs(path, chosen)
    none = PairColumns(response=chosen.response, label="")
    assert len(preview_pairs(path, none, rows=99)[0]) == len(values)


def test_a_person_says_which_labels_mean_no(file):
    path = file("p.csv", "premise,hypothesis,label\na,b,0\na,c,2\na,d,1\n")
    found, _ = preview_pairs(path, PairColumns(grades=GradeRules.parse("0=1,1=0,2=0")))
    assert found == [Pair("a", "b", None, ("c", "d"))]


@pytest.mark.parametrize(
    "row",
    [
        {"query": "q", "pos": ["a", "b"], "neg": ["n", "m"], "pos_scores": [0.9, 0.8], "neg_scores": [0.1, 0.2]},
        {"question": "q", "answers": ["x"], "positive_ctxs": [{"title": "T", "text": "a"}, {"title": "T", "text": "b"}],
         "negative_ctxs": [{"title": "U", "text": "n"}], "hard_negative_ctxs": [{"title": "V", "text": "m"}]},
        {"query_id": "7", "query": "q", "positive_passages": [{"docid": "1", "title": "", "text": "a"}, {"docid": "2", "text": "b"}],
         "negative_passages": [{"docid": "3", "text": "n"}, {"docid": "4", "text": "m"}]},
        {"query": "q", "positive": ["a", "b"], "negative": ["n", "m"]},
        {"query": "q", "docs": ["a", "b", "n", "m"], "labels": [1, 1, 0, 0]},
        {"query": "q", "passages": {"passage_text": ["a", "b", "n", "m"], "is_selected": [1, 1, 0, 0]}},
        {"query": "q", "passages": [{"passage_text": t, "is_selected": int(t in "ab")} for t in "abnm"]},
    ],
    ids=["FlagEmbedding", "DPR", "Tevatron", "reranking", "lists", "MS MARCO", "MS MARCO 1"],
)  # fmt: skip
def test_rows_of_several_answers(file, row):
    for name, content in (("p.json", json.dumps([row])), ("p.jsonl", json.dumps(row))):
        found, report = preview_pairs(file(name, content))
        assert found == [Pair("q", "a", None, ("n", "m")), Pair("q", "b", None, ("n", "m"))]
        assert report.refused_count == 0


def test_a_chosen_column_of_lists(file):
    path = file("p.jsonl", '{"q": "q", "good": ["a", "b"], "bad": ["n"]}')
    found, _ = preview_pairs(path, PairColumns("q", "good", "bad"))
    assert found == [Pair("q", "a", None, ("n",)), Pair("q", "b", None, ("n",))]


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("is a cane foldable at all\tMany canes fold.\tBoxes hold pills.", Pair("is a cane foldable at all", "Many canes fold.", None, ("Boxes hold pills.",))),
        ("is a cane foldable at all\tMany canes fold.", Pair("is a cane foldable at all", "Many canes fold.")),
        ("is a cane foldable at all\tMany canes fold.\t1", Pair("is a cane foldable at all", "Many canes fold.")),
    ],
)  # fmt: skip
def test_triples_without_a_header(pairs, line, pair):
    found, report = pairs("triples.tsv", f"{line}\n{line.replace('cane', 'box')}\n")
    assert found[0] == pair
    assert len(found) == 2
    assert "there is no header" in report.notes[0]


def test_numbers_of_rows_before_the_texts(pairs):
    found, _ = pairs("p.tsv", "0\ta text here\tanother one\n1\tmore text here\tand one more\n")
    assert found == [Pair("a text here", "another one"), Pair("more text here", "and one more")]
    with pytest.raises(Refused, match="one column of texts beside numbers"):
        pairs("q.tsv", "0\ta text here\n1\tmore text here\n")


def test_triples_of_ids_are_no_texts(pairs):
    with pytest.raises(
        Refused, match=r"holds ids of queries and passages, not their texts\. Give the texts"
    ):
        pairs("ids.tsv", "1\t2\t3\n4\t5\t6\n")


def test_an_export_of_an_annotation_tool_holds_pairs(pairs):
    tasks = [
        {
            "data": {"query": "q", "text": t},
            "annotations": [{"result": [{"from_name": "fits", "value": {"choices": [c]}}]}],
        }
        for t, c in (("a", "yes"), ("n", "no"))
    ]
    found, _ = pairs("ls.json", json.dumps(tasks), response="text", label="fits")
    assert found == [Pair("q", "a", None, ("n",))]


def test_texts_that_belong_together(pairs):
    found, _ = pairs(
        "a.jsonl", '{"texts": ["a", "b"], "label": 1}\n{"texts": ["a", "c"], "label": 0}\n'
    )
    assert found == [Pair("a", "b", None, ("c",))]
    assert pairs("b.jsonl", '{"set": ["a", "b"]}\n')[0] == [Pair("a", "b")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("p.jsonl", '["a", "b", "n"]\n["c", "d", "m"]\n["short"]\n'),
        ("p.json", '[["a", "b", "n"], ["c", "d", "m"], ["short"]]'),
    ],
)
def test_lists_without_names(pairs, name, content):
    found, report = pairs(name, content)
    assert found == [Pair("a", "b", None, ("n",)), Pair("c", "d", None, ("m",))]
    assert [reason for _, reason in refusals(report)] == ["is not a list of 3 texts, as the first"]


def test_lists_without_names_that_are_torn(pairs):
    with pytest.raises(Refused, match=r"^p\.jsonl is not JSON in every line\."):
        pairs("p.jsonl", '["a", "b"]\n["c"')
