"""Two people judge at once in real browsers, by keys; the app is killed in the middle; nothing is lost."""

import csv
import json
import re
from pathlib import Path

import pytest
from accessible import accessible
from driving import PATIENCE, Server, Witness, picture, press, settled
from playwright.sync_api import Browser, Page, expect

from search.evaluation.evaluate import evaluate
from search.evaluation.query_sets.query_set import current_query_set
from search.judging.setup import Setup, saved_setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.projects.project import Project, project, project_to_be
from training.data.intake import import_beir
from training.train import train

_DOWN = re.compile("No response received|[Ss]topped Streamlit|Client Error|Failed to fetch")
SIDES = {"ArrowLeft": "left", "ArrowRight": "right", "ArrowUp": "both", "ArrowDown": "neither"}


class Judge:
    """One person with a browser of their own, who remembers what they saw and said."""

    def __init__(
        self, browser: Browser, server: Server, name: str, witness: Witness, **look: object
    ) -> None:
        self.name = name
        self.server = server
        self.said: list[tuple[str, str, list[str]]] = []
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **look)
        context.set_default_timeout(PATIENCE)
        self.page: Page = context.new_page()
        witness.watch(self.page)

    def open(self, owner: Project) -> None:
        self.page.goto(f"{self.server.url}/judge?project={owner.name}&judge={self.name}")
        self.page.wait_for_selector(".b-board, .st-key-judge-start")
        settled(self.page)

    @property
    def question(self) -> str:
        return self.page.locator(".b-asked").inner_text()

    def names(self, side: str) -> list[str]:
        """What stands in a list, top to bottom."""
        labels = self.page.locator(f'section[aria-label="{side}"] .b-doc')
        texts = [labels.nth(n).get_attribute("aria-label") or "" for n in range(labels.count())]
        return [text.split(": ", 1)[1] for text in texts]

    def vote(self, key: str, wait: bool = True) -> None:
        """Vote with a key, and wait for the next question."""
        before = self.question
        shown = self.names("Left" if key == "ArrowLeft" else "Right")
        self.page.keyboard.press(key)
        self.said.append((before, key, shown))
        if wait:
            self.page.wait_for_function(
                "was => { const q = document.querySelector('.b-asked'); return !q || q.innerText !== was; }",
                arg=before,
            )

    def check(self, owner: Project) -> None:
        """Every vote is on disk, for the column whose list stood on the side that was voted for."""
        study = _study(owner)
        corpus = owner.newest("corpora")
        assert corpus is not None
        texts = {asked.text: identity for identity, asked in study.questions.items()}
        kept = {
            q: said[self.name] for q, said in study.votes.by_question.items() if self.name in said
        }
        assert {texts[text] for text, _, _ in self.said} == kept.keys()
        for text, key, shown in self.said:
            choice = kept[texts[text]]
            if key in ("ArrowUp", "ArrowDown"):
                assert choice == SIDES[key]
            else:
                ids = study.lists(texts[text])[0 if choice == "first" else 1]
                assert _titles(owner, ids) == shown


def _study(owner: Project) -> Study:
    setup, manifest = saved_setup(owner), owner.newest("corpora")
    assert setup is not None and manifest is not None
    return Study.of(owner, setup, manifest)


def _titles(owner: Project, ids: tuple[str, ...]) -> list[str]:
    from search.corpus.corpus import current_corpus

    _, corpus = current_corpus(owner)
    documents = [corpus.document(identity) for identity in ids]
    return [document.title for document in documents if document]


def _lab(tiny_beir: Path) -> Project:
    made = project_to_be("Lab")
    import_beir(made, tiny_beir)
    train(made, "word2vec", "words", {"epochs": 3})
    return project("Lab")


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_two_judges_at_two_servers_on_one_volume_and_a_kill_in_the_middle(
    server: Server, second: Server, browser: Browser, tiny_beir: Path, tmp_path: Path
) -> None:
    """What one server publishes the other shows, and votes from both count."""
    owner, witness = _lab(tiny_beir), Witness()
    anna = Judge(browser, server, "Anna", witness)
    anna.page.goto(f"{server.url}/judge?project=Lab")
    _begin(anna, tmp_path)
    ben = Judge(browser, second, "Ben", witness)
    ben.open(owner)  # Prepared at the first server.
    picture(anna.page, tmp_path, "board")
    accessible(anna.page, "board")

    for one, other in (
        ("ArrowLeft", "ArrowRight"),
        ("ArrowUp", "ArrowLeft"),
        ("ArrowRight", "ArrowDown"),
    ):
        anna.vote(one)
        ben.vote(other)
    _grades(anna, owner)

    server.kill()  # SIGKILL: whatever was not on disk is gone.
    anna.vote("ArrowLeft", wait=False)
    expect(anna.page.get_by_text("Not saved yet: the app does not answer.")).to_be_visible()
    server.start()
    anna.page.wait_for_function(
        "was => ![undefined, was].includes(document.querySelector('.b-asked')?.innerText)",
        arg=anna.said[-1][0],
    )
    ben.page.reload()
    ben.page.wait_for_selector(".b-board")
    settled(ben.page)
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp"):
        ben.vote(key)
        anna.vote(key)
    anna.check(owner)
    ben.check(owner)
    history = JudgmentStore.of(owner).history()
    assert len([mark for mark in history if mark.kind == "vote"]) == 13, "each vote once"

    _undo(anna, owner)
    _prove(anna, owner, tmp_path)
    ben.page.goto(f"{second.url}/evaluate?project=Lab")
    settled(ben.page)
    expect(ben.page.get_by_text("1 question has a right answer. 19 more").first).to_be_visible()
    # While the server is down, Streamlit's page says so in many words.
    errors = [error for error in witness.errors if not _DOWN.search(error)]
    found = {"other hosts": sorted(set(witness.strangers)), "errors": errors}
    assert found == {"other hosts": [], "errors": []}
    for one in (server, second):
        assert "Traceback" not in one.log.read_text(), one.log.read_text()


def _begin(judge: Judge, pictures: Path) -> None:
    """A newcomer's way: a name, two columns, one button; the run makes what is missing."""
    page = judge.page
    page.wait_for_selector(".st-key-judge-start")
    page.get_by_label("Your name").fill(judge.name)
    page.locator(".st-key-judge-one-begin").get_by_role("combobox").click()
    page.get_by_role("option", name="Keyword search", exact=True).click()
    settled(page)
    picture(page, pictures, "begin")
    accessible(page, "begin")
    press(page, "Start judging")
    page.wait_for_selector(".b-board")
    settled(page)
    assert saved_setup(project("Lab")) == Setup("bm25", "words")


def _grades(judge: Judge, owner: Project) -> None:
    """Numbers grade the marked document and go on to the next; j and k move; a click does, too."""
    page = judge.page
    here = page.locator(".b-doc.b-here")
    first = here.get_attribute("data-document")
    page.keyboard.press("3")
    second = here.get_attribute("data-document")
    assert first != second
    page.keyboard.press("0")
    page.keyboard.press("k")
    assert here.get_attribute("data-document") == second
    page.locator(".b-doc").nth(4).get_by_role("button", name="2 relevant").click()
    fifth = page.locator(".b-doc").nth(4).get_attribute("data-document")
    expect(page.locator(".b-note")).to_have_text("Saved.")
    question = {asked.text: q for q, asked in _study(owner).questions.items()}[judge.question]
    assert _study(owner).graded(judge.name, question) == {first: 3, second: 0, fifth: 2}
    pressed = page.locator(f'.b-doc[data-document="{first}"] button[aria-pressed=true]')
    expect(pressed.first).to_have_text("3 exactly this")


def _undo(judge: Judge, owner: Project) -> None:
    """u takes the last vote back and shows its question again; keys can be switched off."""
    last = judge.said[-1][0]
    judge.page.keyboard.press("u")
    judge.page.wait_for_function(
        "was => document.querySelector('.b-asked').innerText === was", arg=last
    )
    voted = _study(owner).answered(judge.name)
    assert len(voted) == len(judge.said) - 1
    press(judge.page, "Keys are on")
    judge.page.locator("h1").click()
    judge.page.keyboard.press("ArrowLeft")
    judge.page.wait_for_timeout(800)
    assert judge.question == last, "keys that are off do nothing"
    press(judge.page, "Keys are off")
    judge.said.pop()
    judge.vote("ArrowLeft")
    judge.check(owner)


def _prove(judge: Judge, owner: Project, pictures: Path) -> None:
    """The results; then a query set of the grades, and an evaluation on it."""
    page = judge.page
    page.get_by_role("radio", name="Results").click()
    expect(page.locator(".b-verdict .b-say")).to_be_visible()
    page.mouse.move(2, 500)
    expect(page.get_by_text("they share")).to_be_visible()
    picture(page, pictures, "results")
    accessible(page, "results")
    page.get_by_role("radio", name="Use the judgments").click()
    expect(page.get_by_text("1 question has a document graded 1 to 3.")).to_be_visible()
    page.mouse.move(2, 500)
    picture(page, pictures, "use")
    accessible(page, "use")
    with page.expect_download() as started:
        page.get_by_role("button", name="Grades (TREC qrels)").click()
    started.value.save_as(pictures / "x.qrels")
    assert len((pictures / "x.qrels").read_text().splitlines()) == 3
    press(page, "Make a query set")
    expect(page.get_by_text("Using the judgments finished in")).to_be_visible()
    _, held = current_query_set(owner)
    assert len(held.queries) == 1
    assert evaluate(owner, ["bm25", "words"]).queries == list(held.queries)


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_narrow_dark_and_mixed(
    server: Server, browser: Browser, tiny_beir: Path, tmp_path: Path
) -> None:
    from search.judging.prepare import prepare_questions

    owner, witness = _lab(tiny_beir), Witness()
    prepare_questions(owner, Setup("bm25", "words", layout="mixed", depth=6))
    judge = Judge(browser, server, "Cleo", witness, color_scheme="dark")
    judge.open(owner)
    picture(judge.page, tmp_path, "dark-mixed")
    # Tall, so that the ballot at the bottom covers no button by half.
    judge.page.set_viewport_size({"width": 1280, "height": 3_000})
    accessible(judge.page, "dark, mixed")
    assert judge.page.locator(".b-doc").count() == 6
    before = judge.question
    judge.page.keyboard.press("2")
    expect(judge.page.locator(".b-note")).to_have_text("Saved.")
    judge.page.keyboard.press("ArrowRight")
    judge.page.wait_for_function(
        "was => ![undefined, was].includes(document.querySelector('.b-asked')?.innerText)",
        arg=before,
    )
    marks = JudgmentStore.of(owner).standing()
    assert [mark.kind for mark in marks] == ["grade", "vote"]
    team = marks[1].details["teams"][0]
    assert marks[1].value == ("first", "second")[team], "the side whose document was graded wins"

    judge.page.set_viewport_size({"width": 420, "height": 3_000})
    settled(judge.page)
    picture(judge.page, tmp_path, "narrow-mixed")
    accessible(judge.page, "narrow")
    wide, seen = judge.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen
    assert witness.errors == [] and witness.strangers == []


def _judged_by_two(browser: Browser, server: Server, owner: Project, votes: int) -> None:
    """Both know the answers: they grade the judged document wherever it stands, and vote for its side."""
    witness = Witness()
    judges = [Judge(browser, server, name, witness) for name in ("Anna", "Ben")]
    _, held = current_query_set(owner)
    study = _study(owner)
    texts = {asked.text: identity for identity, asked in study.questions.items()}
    for judge in judges:
        judge.open(owner)
    for _ in range(votes):
        for judge in judges:
            relevant = held.relevant(texts[" ".join(judge.question.split())])
            cards = judge.page.locator(".b-doc")
            ids = [cards.nth(n).get_attribute("data-document") for n in range(cards.count())]
            half = len(ids) // 2
            left, right = ids[:half], ids[half:]
            good = next((d for d in ids if d in relevant), None)
            if good is not None:
                judge.page.locator(f'.b-doc[data-document="{good}"] [data-grade="3"]').first.click()
            ranks = [side.index(good) if good in side else 99 for side in (left, right)]
            same = "ArrowUp" if good is not None else "ArrowDown"
            key = (
                same
                if ranks[0] == ranks[1]
                else "ArrowLeft"
                if ranks[0] < ranks[1]
                else "ArrowRight"
            )
            judge.vote(key)
    told = _study(owner)
    assert len(told.votes.questions) >= votes
    assert told.tally.voted >= votes
    agreed = told.votes.inter_rater_agreement()
    assert agreed.items == 0 or agreed.same > 0.9, "two who know the same answers agree"
    assert witness.errors == [] and witness.strangers == []


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_sample_project(server: Server, browser: Browser, run_cli, legal: Project) -> None:
    """The legal sample, generic against keyword search: the judges who know the answers prefer meaning."""
    done = run_cli("questions", "Legal", "--column", "generic", "--column", "bm25", timeout=200)
    assert done.returncode == 0, done.stderr
    _judged_by_two(browser, server, legal, 12)
    tally = _study(legal).tally
    assert tally.wins > tally.losses, "generic ranks the judged article better than BM25 does"
    told = json.loads(run_cli("judgments", "Legal", "--json").stdout)
    assert told["preferences"]["wins"]["generic"] == tally.wins


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ask_cfpb(
    server: Server, browser: Browser, finance: Project, run_cli, tmp_path: Path
) -> None:
    """Judged, exported, made a query set, evaluated: the same winner as the votes."""
    done = run_cli("questions", "Finance", "--column", "bm25", "--column", "finance", timeout=200)
    assert done.returncode == 0, done.stderr
    _judged_by_two(browser, server, finance, 12)
    told = json.loads(run_cli("judgments", "Finance", "--json").stdout)
    wins = told["preferences"]["wins"]
    assert wins["bm25"] != wins["finance"]
    qrels, table = tmp_path / "x.qrels", tmp_path / "x.csv"
    assert run_cli("judgments", "Finance", "--export", table).returncode == 0
    made = run_cli("judgments", "Finance", "--to-queries", "--export", qrels)
    assert made.returncode == 0, made.stderr
    assert all(len(line.split()) == 4 for line in qrels.read_text().splitlines())
    with table.open(encoding="utf-8-sig", newline="") as stream:
        votes = [row for row in csv.DictReader(stream) if row["kind"] == "vote"]
    assert len(votes) == 24
    proof = json.loads(
        run_cli("evaluate", "Finance", "--model", "bm25", "--model", "finance", "--json").stdout
    )
    assert proof["queries"] >= 6
    measured = {name: figures["ndcg@10"] for name, figures in proof["models"].items()}
    assert max(measured, key=measured.__getitem__) == max(wins, key=wins.__getitem__)
