"""From documents alone to a query set: proposed, own and marked questions, pools, and how many more it takes."""

import json
from types import SimpleNamespace

import pytest

from bespoke.results import ProvenVerdict
from search.corpus.ingest import add_documents
from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.query_set import QuerySet, current_query_set
from search.judging.counter import count_questions
from search.judging.own_questions import (
    ask_own,
    mark_answer,
    marked_answers,
    read_list,
    withdraw_question,
)
from search.judging.pooling import line_up_pool
from search.judging.proposals import accept, discard, proposals, reopen
from search.judging.sample import current_sample, grade_all, grade_next, graded_by
from search.judging.store import JudgmentStore
from search.judging.to_query_set import grow_query_set
from search.projects.errors import Refused
from search.projects.project import Project
from training.synthetic.propose import propose
from training.train import train

THINGS = [
    "deposit",
    "notice",
    "heating",
    "repairs",
    "garden",
    "parking",
    "pets",
    "noise",
    "cellar",
    "keys",
    "stairs",
    "water",
    "light",
    "fire",
    "rent",
    "sublease",
    "roof",
    "gate",
    "lift",
    "waste",
    "laundry",
]


@pytest.fixture
def leases(tmp_path):
    """21 short documents, each with a title and a question."""
    rows = [
        f'{{"_id": "d{n}", "title": "About the {thing}", "text": "Who pays for the {thing} in house {n}? '
        f'The owner of {thing} number {n} pays all of it by the {n + 1}th day."}}'
        for n, thing in enumerate(THINGS)
    ]
    path = tmp_path / "leases.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8")
    made = Project(tmp_path / "workspace" / "Leases")
    add_documents(made, [path])
    return made


def test_proposed_questions_are_accepted_edited_and_thrown_away(leases):
    assert propose(leases, most=25) == 25
    assert propose(leases, most=5) == 5, "others, which were not proposed before"
    shown = proposals(leases)
    assert len({one.document for one in shown[:21]}) == 21, "each document once before any twice"
    assert {one.kind for one in shown[:21]} == {"question"}
    first, second, third = shown[:3]
    accept(leases, first.id, "anna")
    edited = accept(leases, second.id, "anna", "who must  pay?")
    discard(leases, third.id)
    assert edited.text == "who must pay?"
    assert [one.state for one in proposals(leases)[:4]] == [
        "accepted",
        "accepted",
        "discarded",
        "open",
    ]
    count = count_questions(leases)
    assert (count.judged, count.proposed, count.unanswered, count.open) == (2, 2, 0, 27)
    assert count.short == "2 of about 30" and count.missing == 18
    # What is taken back is asked no more, and can be accepted again.
    reopen(leases, first.id)
    assert [q.text for q in JudgmentStore.of(leases).questions()] == ["who must pay?"]
    accept(leases, first.id, "anna", "Really?")
    accept(leases, first.id, "berta", first.text)
    assert {q.text for q in JudgmentStore.of(leases).questions()} == {"who must pay?", first.text}
    made = grow_query_set(leases)
    assert current_query_set(leases)[1].queries.keys() == set(made.manifest.details["proposed"])
    with pytest.raises(Refused, match="no proposed question 'q-none'"):
        accept(leases, "q-none", "anna")
    with pytest.raises(Refused, match="is empty"):
        accept(leases, first.id, "anna", "  ")
    assert marked_answers(leases, first.text) == {first.document}, "refused, nothing is taken back"


def test_own_questions_find_the_document_of_a_known_answer(leases):
    typed = (
        "Who cleans?\n\nWhat of money back?\tAbout the deposit\n"
        "Who pays for cats | the owner of PETS number 6 pays all of it\nWhere to park => d5\n"
    )
    read = read_list(leases, typed)
    assert [(one.text, one.document) for one in read] == [
        ("Who cleans?", None),
        ("What of money back?", "d0"),
        ("Who pays for cats", "d6"),
        ("Where to park", "d5"),
    ]
    assert ask_own(leases, "anna", read) == 3
    count = count_questions(leases)
    assert (count.judged, count.proposed, count.unanswered) == (3, 0, 1)
    with pytest.raises(Refused) as caught:
        read_list(
            leases, "a good one\tAbout the deposit\nb\tpays all of it by the\nc\tAbout the depsit x"
        )
    said = str(caught.value)
    assert said.startswith("Nothing was added. line 2: 21 documents have “pays all of it by the”")
    assert "line 3: no document has the title “About the depsit x”" in said
    with pytest.raises(Refused, match="at least one question"):
        read_list(leases, " \n")


def test_a_question_that_somebody_else_judged_stays_with_all_that_was_said(leases):
    ask_own(leases, "anna", read_list(leases, "who mows?\td4"))
    mark_answer(leases, "berta", "who mows?", "d5")
    (question,) = JudgmentStore.of(leases).questions()
    with pytest.raises(Refused, match="Somebody else judged"):
        withdraw_question(leases, "anna", question.id)
    assert marked_answers(leases, "who mows?") == {"d4", "d5"}
    mark_answer(leases, "berta", "who mows?", "d5", right=False)
    withdraw_question(leases, "anna", question.id)
    assert JudgmentStore.of(leases).questions() == []


def test_a_long_list_is_read_whole_and_what_is_too_long_refused(
    leases, call_cli, tmp_path, monkeypatch
):
    listed = tmp_path / "asked.txt"
    listed.write_text("\n".join(f"{n} {'who ' * 500}" for n in range(300)), encoding="utf-8")
    with listed.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
        assert json.loads(call_cli("ask", "Leases", "-", "--json").out)["asked"] == 300
    listed.write_bytes(b"who mows? " * 300_000)
    assert "too much for a list of questions" in call_cli("ask", "Leases", str(listed)).err


def test_a_hit_is_called_the_right_answer_and_taken_back(leases):
    mark_answer(leases, "anna", "who  mows?", "d4")
    assert marked_answers(leases, "who mows?") == {"d4"}
    assert grow_query_set(leases).queries == 1
    mark_answer(leases, "anna", "who mows?", "d4", right=False)
    assert marked_answers(leases, "who mows?") == set()
    assert JudgmentStore.of(leases).questions() == []
    with pytest.raises(Refused, match="no document 'd99'"):
        mark_answer(leases, "anna", "who mows?", "d99")


def test_a_pool_is_graded_blind_by_one_after_another_and_becomes_the_query_set(leases):
    train(leases, "word2vec", "words", {"vector_size": 16, "min_count": 1, "epochs": 1})
    columns = ["bm25", "words"]
    with pytest.raises(Refused, match="has no questions of its own"):
        line_up_pool(leases, columns)
    ask_own(
        leases, "anna", read_list(leases, "pets\tAbout the pets\nfire and water\nnoise in house 7")
    )
    sample = line_up_pool(leases, columns)
    assert (
        sample == current_sample(leases) and sample.pooled and sample.columns == ("bm25", "words")
    )
    asked = list(dict.fromkeys(text for _, text, _ in sample.items))
    assert asked[-1] == "pets", "what has an answer comes last"
    assert ("pets", "d6") not in {(text, document) for _, text, document in sample.items}
    assert len(sample.items) == len(set(sample.items))
    grade_next(leases, "anna", sample.items[0], 3)
    rest = [one for one in sample.left(graded_by(leases, None)) if one[0] == sample.items[0][0]]
    grade_all(leases, "anna", rest, 0)
    left = sample.left(graded_by(leases, None))
    assert not {one[0] for one in left} & {sample.items[0][0]}
    grade_all(leases, "berta", left, 1)
    assert sample.left(graded_by(leases, None)) == []
    with pytest.raises(
        Refused, match="Everything that 2 searches show first for these 3 questions"
    ):
        line_up_pool(leases, columns)
    made = grow_query_set(leases)
    assert made.queries == 3 and grow_query_set(leases) is None, "nothing is new"
    assert made.manifest.details["pooling"]["columns"] == ["bm25", "words"]
    ask_own(leases, "anna", read_list(leases, "stairs\tAbout the stairs"))
    assert grow_query_set(leases).queries == 4


def test_a_query_set_from_elsewhere_is_left_as_it_is(leases):
    with leases.publish("queries", {"corpus": leases.newest("corpora").id}) as draft:
        QuerySet({"q": "rent"}, {"q": {"d14": 1}}).save(draft)
    ask_own(leases, "anna", read_list(leases, "stairs\tAbout the stairs"))
    assert grow_query_set(leases) is None
    assert count_questions(leases).judged == 2, "the two count together"


def test_no_figure_under_twenty_questions_and_never_clean_on_proposed_ones(leases, call_cli):
    train(leases, "word2vec", "words", {"vector_size": 16, "min_count": 1, "epochs": 1})
    propose(leases, most=20)
    for one in proposals(leases)[:3]:
        accept(leases, one.id, "anna")
    grow_query_set(leases)
    few = evaluate(leases, ["bm25", "words"])
    assert few.sentences == [few.too_few] and "17 more" in few.too_few and "+0." not in few.too_few
    printed = call_cli("evaluate", "Leases", "--model", "bm25", "--model", "words").out
    assert few.too_few in printed and "ndcg" not in printed
    called = ProvenVerdict(few.comparisons[0], few)
    assert called.rows() == [] and called.sentences[0] == few.too_few
    for one in proposals(leases)[3:]:
        accept(leases, one.id, "anna")
    grow_query_set(leases)
    result = evaluate(leases, ["bm25", "words"])
    assert (len(result.queries), result.too_few, result.proposed, result.clean) == (
        20,
        "",
        20,
        False,
    )
    assert result.not_clean.startswith("This verdict is on questions proposed from the documents:")
    assert any(
        "on questions proposed from the documents (all of them)" in note for note in result.notes
    )
    assert not any(said.clean for said in result.questions.values())
