"""A chat server writes questions: what leaves, what is held on disk, what is left out, and what becomes of it."""

import json

import pytest
from chat_server import GOOD, ChatServer, chat_server

from benchmarks.scripted_chat import GoodWriter
from search.corpus.corpus import current_corpus
from search.corpus.labels import Pair
from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.evaluation.query_sets.query_set import QuerySet
from search.projects import audit
from search.projects.errors import Failed
from search.projects.progress import silent
from search.projects.project import Project
from search.retrieval.deletion import delete
from search.retrieval.deletion import planned as planned_deletion
from training.data.pair_sets import PairSet, current_pairs
from training.synthetic.chat.answers import FILE
from training.synthetic.chat.prompt import Style, messages_of
from training.synthetic.chat.written import ChatRequest, planned, written
from training.synthetic.make import SyntheticRequest, make_synthetic_pairs


@pytest.fixture
def project(searched: Project) -> Project:
    return searched


@pytest.fixture
def documents_only(project: Project) -> Project:
    for manifest in project.manifests("pairs"):
        project.remove(manifest)
    return project


@pytest.fixture
def server():
    with chat_server() as made:
        yield made


def asked(server: ChatServer, **more) -> ChatRequest:
    return ChatRequest(server.url, **{"model": "tiny-chat", "calls": 8, "parallel": 2, **more})


def write(project: Project, wanted: ChatRequest):
    return written(project, current_corpus(project)[1], wanted, silent)


def lines(project: Project) -> list[bytes]:
    return (project.folder / FILE).read_bytes().splitlines()


def test_questions_become_pairs_of_the_passages_they_were_written_about(documents_only, server):
    made = write(documents_only, asked(server))
    corpus = current_corpus(documents_only)[1]
    assert len(server.requests) == 8 == len(set(server.passages))
    pairs = made.kind.pairs
    by_word = [p for p in pairs if p.query.startswith("What can be done about ")]
    assert len(by_word) > 5
    for pair in by_word:
        document = corpus.document(pair.document)
        assert document.title.casefold() in pair.query.casefold()
        assert (pair.response, pair.mined) == (document.embedded, "generated")
    assert [p.query.split()[0] for p in pairs[:2]] == ["helps", "What"]  # One of each kind first.
    facts = made.facts
    assert (facts["model"], facts["passages"], facts["written"]) == ("tiny-chat", 8, 32)
    assert facts["used"] == len(pairs) == sum(facts["question_kinds"].values())
    assert facts["written"] == facts["used"] + sum(facts["left_out"].values())
    assert f"wrote 32 questions about 8 passages; {len(pairs)} are used" in made.notes[0]


def test_what_would_be_sent_is_said_before_and_nothing_is_sent(documents_only, server, call_cli):
    before = len(list(audit.entries()))
    arguments = ["--with", server.url, "--price", "1", "--written-price", "100", "--calls", "10"]
    done = call_cli("mine", "Tiny", *arguments, "--estimate")
    assert done.status == 0, done.err
    assert "Passages of 10 documents would be sent to 127.0.0.1:" in done.err
    assert "at most 5,000 to write, at most $0.50." in done.err
    done = call_cli("mine", "Tiny", *arguments, "--max-tokens", "5000")
    assert done.status == 2
    assert "At most 5,000 tokens are allowed, so nothing was sent" in done.err
    assert server.requests == [] and len(list(audit.entries())) == before
    assert not (documents_only.folder / FILE).exists()


def test_the_estimate_is_held_where_a_server_uses_more(documents_only, server):
    corpus = current_corpus(documents_only)[1]
    wanted = asked(server, parallel=1, answer_tokens=16)
    estimate = sum(planned(documents_only, corpus, wanted).tokens)
    server.always = "bullets"
    server.word = lambda passage: "word " * 400  # It writes far more than it was told to.
    with pytest.raises(
        Failed, match=rf"of the {estimate:,} tokens allowed are used\. What was ans"
    ):
        write(documents_only, wanted)
    assert 0 < len(server.requests) < 8
    assert len(lines(documents_only)) == len(server.requests)


def test_which_documents_leave_is_one_line_of_the_log(documents_only, server):
    write(documents_only, asked(server, calls=6))
    (entry,) = [e for e in audit.entries("Tiny") if e.what == "sent documents to a chat server"]
    sent = {passage.split()[1].casefold() for passage in server.passages}
    corpus = current_corpus(documents_only)[1]
    assert {corpus.document(i).title.casefold() for i in entry.facts["named"]} == sent
    assert (entry.facts["documents"], entry.facts["all_named"]) == (6, True)
    assert entry.on == f"{server.url.split('/')[2]} (tiny-chat)"
    write(documents_only, asked(server, calls=6))
    assert len([e for e in audit.entries("Tiny") if e.what == entry.what]) == 1


@pytest.mark.parametrize("did", ["quota", "dead"])
def test_a_run_that_ends_goes_on_without_asking_again(documents_only, server, did, monkeypatch):
    monkeypatch.setattr("search.models.api.server_client._FIRST_WAIT", 0.0)
    server.script.extend(["good"] * 4)
    server.word = lambda passage: [
        passage.split()[1],
        setattr(server, "always", did if len(server.requests) >= 4 else None),
    ][0]
    with pytest.raises(Failed, match="What was answered so far is kept"):
        write(documents_only, asked(server))
    answered = [r["passage"] for r in server.requests if r["did"] == "good"]
    assert len(lines(documents_only)) == len(answered) >= 4
    whole = b"\n".join([*lines(documents_only)[:-1], lines(documents_only)[-1][:40]])
    (documents_only.folder / FILE).write_bytes(whole)  # As a kill leaves it.
    server.always, server.word = None, lambda passage: passage.split()[1]
    server.requests.clear()
    made = write(documents_only, asked(server))
    assert made.facts["passages"] == 8
    assert len(server.requests) == 8 - len(answered) + 1
    assert len(set(server.passages) & set(answered)) == 1  # The one whose answer was cut off.
    server.requests.clear()
    assert write(documents_only, asked(server)).kind == made.kind
    fewer = write(documents_only, asked(server, calls=5))
    assert server.requests == []
    assert {p.document for p in fewer.kind.pairs} < {p.document for p in made.kind.pairs}


def test_what_was_written_about_documents_goes_with_them(documents_only, server):
    write(documents_only, asked(server, calls=2))
    corpus = documents_only.newest("corpora")
    delete(planned_deletion(documents_only, "corpora", corpus.id))
    assert not (documents_only.folder / FILE).exists()
    assert [*(documents_only.folder / FILE).parents[1].rglob("*.jsonl")] == []


@pytest.mark.parametrize(
    ("did", "words"),
    [
        ("refuses", "tiny-chat refuses"),
        ("refusal", "tiny-chat refuses"),
        ("still thinking", r"cut off at 500 tokens.*--answer-tokens 4000"),
        ("empty", "they were empty"),
        ("babble", "they made no sense"),
    ],
)
def test_a_model_that_writes_nothing_is_not_asked_on_and_on(documents_only, server, did, words):
    server.always = did
    with pytest.raises(Failed, match=f"10 answers in a row held no question: .*{words}"):
        write(documents_only, asked(server, calls=20))
    assert len(server.requests) == 10


def test_a_passage_that_the_server_will_not_take_is_passed_over(documents_only, server):
    server.script.extend(["good", "good", *["400"] * 3, "good"])
    made = write(documents_only, asked(server, calls=4, parallel=1))
    assert len({p.document for p in made.kind.pairs}) == 3
    server.always = "400"
    with pytest.raises(Failed, match=r"refused a question \(status 400\)"):
        write(documents_only, asked(server, calls=4, model="other"))


def test_what_nobody_would_ask_is_left_out(documents_only, server):
    server.script.extend(["same", "same", "copy", "other language", "fenced", "thinking", "list"])
    made = write(documents_only, asked(server, calls=7, parallel=1))
    out = made.facts["left_out"]
    assert out["asked already"] == 1
    assert out["copied from the passage"] == 1
    assert out["in another language"] == 1
    assert made.facts["written"] == 4 + 3 * len(GOOD)
    assert len({p.document for p in made.kind.pairs}) >= 3


def test_a_question_of_another_document_does_not_come_back(documents_only, server):
    words = iter(range(10_000))
    corpus = current_corpus(documents_only)[1]
    titles = [d.title.casefold() for d in corpus.documents_at(range(40))]
    server.word = lambda passage: f"{titles[next(words) % 40]} " * 3
    made = write(documents_only, asked(server, calls=12, parallel=1))
    assert any(reason.startswith("that neither") for reason in made.facts["left_out"])


def test_the_persons_own_queries_are_shown_and_never_those_of_dev_and_test(project, server):
    corpus = current_corpus(project)[1]
    plan = planned(project, corpus, asked(server))
    style = plan.style
    assert len(style.examples) == 6 and style.words == 7 and not style.is_short
    held = QuerySet.load(project, project.newest("queries")).queries.values()
    dev = current_pairs(project)[1].dev.queries.values()
    for one in plan.asked:
        said = one.messages[0]["content"]
        assert all(pair.query in said for pair in style.examples)
        assert not any(query in said for query in [*held, *dev])
    assert "and 6 of your training queries" in plan.sentence
    assert Style.of([Pair("a", "b", mined="title")]) == Style()


def test_short_phrases_and_other_languages_are_asked_for_where_people_write_so():
    own = [Pair(f"späte gebühr {n}", "Text") for n in range(9)]
    style = Style.of(own)
    assert style.is_short and style.words == 3
    said = messages_of("A passage.", Style(style.examples, 3, "de"), "en")[0]["content"]
    assert "short phrases" in said and "Write in German." in said
    assert "Write in English." in messages_of("A passage.", Style(), "en")[0]["content"]
    assert (
        "Write in the language of the passage."
        in messages_of("?", Style(), "unknown")[0]["content"]
    )


def test_saved_they_are_mined_pairs_and_their_dev_set_is_called_generated(documents_only, server):
    wanted = SyntheticRequest(chat=asked(server), save=True)
    made = make_synthetic_pairs(documents_only, wanted)
    assert made.pairs is not None
    assert [kind.kind.name for kind in made.synthetic.kinds] == ["generated"]
    details = made.pairs.details
    assert details[ORIGIN] == MINED
    assert details["written"]["model"] == "tiny-chat"
    assert details["kinds"]["generated"]["pairs"] == details["pairs"]
    pairs = PairSet.load(documents_only, made.pairs)
    assert {pair.mined for pair in pairs.pairs} == {"generated"}
    mixed = SyntheticRequest(kinds=("title",), chat=asked(server))
    names = [kind.kind.name for kind in make_synthetic_pairs(documents_only, mixed).synthetic.kinds]
    assert names == ["title", "generated"]


def test_the_terminal_shows_what_was_written(documents_only, server, call_cli):
    server.models = ("only-one",)
    done = call_cli("mine", "Tiny", "--with", server.url, "--calls", "8", "--json")
    assert done.status == 0, done.err
    told = json.loads(done.out)
    assert told["written"]["model"] == "only-one"
    assert told["kinds"][0]["examples"][0]["query"].startswith("helps against")
    for arguments, words in (
        (["--estimate"], "Say which chat server: --with URL"),
        (["--with", "nowhere"], "must begin with http:// or https://"),
        (["--with", "http://127.0.0.1:9/v1"], "did not answer, asked once"),
        (["--with", server.url, "--key-variable", "sk-oops"], "never the key itself"),
    ):
        done = call_cli("mine", "Tiny", *arguments)
        assert (done.status, done.out) == (2, ""), done.err
        assert words in done.err and "sk-oops" not in done.err


def test_a_good_writer_knows_no_query_of_dev_or_test(project):
    writer = GoodWriter.of(project)
    train = {pair.query for pair in current_pairs(project)[1].pairs}
    assert writer.queries == train
    held = QuerySet.load(project, project.newest("queries")).queries.values()
    assert not writer.queries & {*held, *current_pairs(project)[1].dev.queries.values()}
    corpus = current_corpus(project)[1]
    said = writer.written(messages_of(corpus.document("d0").embedded, Style(), "en")[1]["content"])
    assert len(said) >= 2 and set(said.values()) <= train
    unknown = corpus.document("d30")
    (words,) = writer.written(f"<passage>\n{unknown.embedded}\n</passage>").values()
    assert set(words.split()) <= set(unknown.embedded.split())
