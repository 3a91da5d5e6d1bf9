"""Labels of pairs: a "no" is a negative in training and in the test, never an answer."""

import csv
import io

import pytest

from search.corpus.corpus import current_corpus
from search.corpus.ingest import add_documents
from search.evaluation.query_sets.query_set import current_query_set
from search.projects.errors import Refused
from search.projects.project import project_to_be
from training.data.intake import add_pairs
from training.data.pair_sets import current_pairs


def table(count, labels, ids=False):
    """For each question its answer, and the answers of the next ones with the other labels."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["query", "document_id" if ids else "response", "label"])
    for n in range(count):
        for step, label in enumerate(labels):
            m = (n + step) % count
            answer = f"doc-{m}" if ids else f"Topic{m} is answered, by reply{m}!"
            writer.writerow([f"what is topic{n} about, item{n}", answer, label])
    return out.getvalue()


def write(tmp_path, content):
    path = tmp_path / "labelled.csv"
    path.write_text(content)
    return path


def number(text):
    return int(text.rsplit("item", 1)[1])


def test_no_is_a_negative_in_training_and_in_the_test(with_corpus, tmp_path):
    for ids in (True, False):
        made = add_pairs(
            with_corpus if ids else project_to_be("other"),
            write(tmp_path, table(40, ["yes", "no"], ids)),
        )
        home = with_corpus if ids else project_to_be("other")
        assert (made.pairs, made.dev_queries, made.test_queries) == (28, 4, 8)
        _, corpus = current_corpus(home)
        for pair in current_pairs(home)[1].pairs:
            n = number(pair.query)
            assert (
                pair.response
                == corpus.document(pair.document).text
                == f"Topic{n} is answered, by reply{n}!"
            )
            assert pair.negatives == (f"Topic{(n + 1) % 40} is answered, by reply{(n + 1) % 40}!",)
        for held in (current_query_set(home)[1], current_pairs(home)[1].dev):
            for query, text in held.queries.items():
                n = number(text)
                said = {corpus.document(d).text: g for d, g in held.judgments[query].items()}
                assert said == {
                    f"Topic{n} is answered, by reply{n}!": 1,
                    f"Topic{(n + 1) % 40} is answered, by reply{(n + 1) % 40}!": 0,
                }


def test_texts_that_were_rejected_are_documents_of_a_new_corpus(home, tmp_path):
    rows = "".join(
        f"what is topic{n},topic{n} is this,1\nwhat is topic{n},surely topic{n} is not that,0\n"
        for n in range(20)
    )
    made = add_pairs(home, write(tmp_path, "query,response,label\n" + rows))
    assert made.documents == 40
    assert current_corpus(home)[1].match("surely topic7 is not that") is not None


def test_the_best_answers_are_trained_on_and_the_test_keeps_all_grades(with_corpus, tmp_path):
    rows = "".join(
        f"what is topic{n} about item{n},doc-{m},{label}\n"
        for n in range(0, 40, 4)
        for m, label in ((n, "E"), (n + 1, "S"), (n + 2, "I"))
    )
    made = add_pairs(with_corpus, write(tmp_path, "query,document_id,esci_label\n" + rows))
    _, pairs = current_pairs(with_corpus)
    assert all(pair.document == f"doc-{number(pair.query)}" for pair in pairs.pairs)
    assert made.pairs == len(pairs.pairs) > 0
    assert sum("have a lesser grade than the best answer" in note for note in made.notes) == 1
    _, test = current_query_set(with_corpus)
    for query, text in test.queries.items():
        n = number(text)
        assert test.judgments[query] == {f"doc-{n}": 3, f"doc-{n + 1}": 2, f"doc-{n + 2}": 0}
    assert pairs.grades
    for text, said in pairs.grades.items():
        assert said == {f"doc-{number(text)}": 3, f"doc-{number(text) + 1}": 2}


def test_ids_that_a_spreadsheet_changed_are_named_as_that(home, tmp_path):
    (tmp_path / "d.csv").write_text("id,text\n007,one tort\n008,two courts\n")
    add_documents(home, [tmp_path / "d.csv"])
    with pytest.raises(
        Refused, match=r"has no document '7', but '007': they differ by leading zeros"
    ):
        add_pairs(home, write(tmp_path, "query,document_id\nwhat,7\nwho,8\n"))
