"""Every file that users would bring, the careless ones included, through `add` and through `pairs`."""

import pytest

from search.corpus.corpus import current_corpus
from search.projects.project import project

# File, documents, refused rows, and what is printed of how it was understood.
DOCUMENTS = [
    ("ask_cfpb/corpus.csv", 1_057, 0, "corpus.csv: CSV, utf-8, 1,057 documents (id from 'id'"),
    (
        "ask_cfpb/corpus.jsonl",
        1_057,
        0,
        "corpus.jsonl: JSONL, utf-8, 1,057 documents (id from 'id'",
    ),
    ("ask_cfpb/corpus.txt", 1_057, 0, "corpus.txt: plain text, utf-8, 1,057 documents."),
    ("ask_cfpb/pairs_train.csv", 834, 0, "(text from 'response')"),
    ("ask_cfpb/pairs_train.json", 834, 0, "(text from 'response')"),
    ("hinglish_top/pairs_train.csv", 2_277, 0, "(text from 'response')"),
    ("dirty/ask_cfpb_original.csv", 1_086, 0, "(text from 'Answer')"),
    (
        "dirty/cfpb_bom_dupes_blanks.csv",
        342,
        8,
        "CSV, utf-8-sig, 342 documents (text from 'Response')",
    ),
    (
        "dirty/cfpb_semicolon_latin1.csv",
        300,
        0,
        "CSV, cp1252, delimiter semicolon, 300 documents (text from 'Answer')",
    ),
    (
        "dirty/hinglish_top_validation.tsv",
        1_390,
        0,
        "'cs_parse' was taken, its texts are the longest",
    ),
    ("dirty/indian_ipc.json", 575, 0, "title from 'section_title', text from 'section_desc'"),
    ("dirty/questionDoctorQAs.json", 5_679, 0, "(text from 'answer')"),
]
SLOW_DOCUMENTS = [
    ("esci_sample/pairs_train.csv", 1_500, 0, "(text from 'response')"),
    ("esci_sample/pairs_train.json", 1_500, 0, "(text from 'response')"),
    ("hinglish_top/pairs_train.json", 2_277, 0, "(text from 'response')"),
    ("medquad_small/pairs_train.csv", 3_828, 0, "(text from 'response')"),
    ("medquad_small/pairs_train.json", 3_828, 0, "(text from 'response')"),
]
SECTIONS = ["--query-column", "section_title", "--response-column", "section_desc"]
CODE_MIXED = ["--query-column", "cs_query", "--response-column", "en_query"]
# File, options, pairs, refused rows.
PAIRS = [
    ("ask_cfpb/pairs_train.csv", [], 834, 0),
    ("hinglish_top/pairs_train.json", [], 2_277, 0),
    ("dirty/cfpb_bom_dupes_blanks.csv", [], 300, 50),
    ("dirty/cfpb_semicolon_latin1.csv", [], 300, 0),
    ("dirty/hinglish_top_validation.tsv", CODE_MIXED, 1_383, 7),
    ("dirty/indian_ipc.json", SECTIONS, 570, 5),
]
SLOW_PAIRS = [
    ("ask_cfpb/pairs_train.json", [], 834, 0),
    ("hinglish_top/pairs_train.csv", [], 2_277, 0),
    ("esci_sample/pairs_train.csv", [], 1_500, 0),
    ("esci_sample/pairs_train.json", [], 1_500, 0),
    ("medquad_small/pairs_train.csv", [], 3_828, 0),
    ("medquad_small/pairs_train.json", [], 3_828, 0),
    ("dirty/ask_cfpb_original.csv", [], 1_086, 0),
    ("dirty/questionDoctorQAs.json", [], 5_679, 0),
]


def _marked(quick, slow, most):
    return [
        *(pytest.param(*case, marks=pytest.mark.sample(most)) for case in quick),
        *(pytest.param(*case, marks=[pytest.mark.slow, pytest.mark.sample(2)]) for case in slow),
    ]


@pytest.mark.parametrize(
    ("name", "documents", "refused_rows", "says"), _marked(DOCUMENTS, SLOW_DOCUMENTS, 6)
)
def test_add(command, shared_data, name, documents, refused_rows, says):
    done = command("add", "lab", shared_data / "uploads" / name)
    assert done.status == 0, done.err
    assert says in done.err
    corpus = current_corpus(project("lab"))[1]
    assert len(corpus) == documents
    assert done.out == (
        f"{documents:,} documents added; the corpus has {documents:,} in {corpus.passages:,} passages.\n"
    )
    assert (f"{refused_rows:,} rows refused" in done.err) == bool(refused_rows)


@pytest.mark.parametrize(
    ("name", "options", "count", "refused_rows"), _marked(PAIRS, SLOW_PAIRS, 3)
)
def test_pairs(command, shared_data, name, options, count, refused_rows):
    done = command("pairs", "lab", shared_data / "uploads" / name, *options)
    assert done.status == 0, done.err
    assert f", {count:,} pairs (query from " in done.err
    assert (f"{refused_rows:,} rows refused" in done.err) == bool(refused_rows)
    found = project("lab")
    queries, pairs = found.newest("queries"), found.newest("pairs")
    assert queries is not None and pairs is not None
    assert pairs.details["pairs"] + pairs.details["dev_queries"] <= count
    assert queries.details["queries"] > 5
    assert pairs.details["seed"] == 42
    assert len(pairs.details["split"]) == 16


@pytest.mark.parametrize("name", ["hinglish_top_validation.tsv", "indian_ipc.json"])
def test_pairs_of_which_no_column_is_named_so_ask_for_them(refused, shared_data, name):
    line = refused("pairs", "lab", shared_data / "uploads" / "dirty" / name)
    assert name in line
    assert "--query-column" in line
