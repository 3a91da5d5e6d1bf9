"""Every page and every text field with markup in it, in a real browser: no script runs, and nothing is asked for outside."""

import json
from urllib.parse import quote, unquote

import pytest
from driving import Witness, settled

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.judging.store import JudgmentStore, Question
from search.judging.votes import grade
from search.models.pretrained.add import Choices, add_model
from search.projects import outgoing
from search.projects.project import project_to_be
from search.projects.runs import Status, new_run
from search.retrieval.indexing.build import index_model
from training.data.intake import import_beir

pytestmark = pytest.mark.slow

OUT = "http://outside.invalid"
MARKUP = (
    f'![p]({OUT}/md.png) <img src={OUT}/img.png onerror="window.ran=1"><script>window.ran=1</script> '
    f"[l](javascript:window.ran=1) <svg onload=window.ran=1> <style>@import '{OUT}/s.css';</style> :material/home: $x^2$ "
    f'"><iframe src={OUT}/f></iframe> {{{{7*7}}}} &lt;b&gt; **bold** ![r][r] [r]: {OUT}/ref.png'
)
PAGES = (
    "projects",
    "corpus",
    "questions",
    "train",
    "compare",
    "judge",
    "evaluate",
    "map",
    "words",
    "models",
)


def own(n):
    """Words that no other text has, so that none repeats another."""
    return " ".join(f"w{n}x{k}" for k in range(400))


@pytest.fixture
def filled(workspace, tmp_path, tiny_model):
    """A project in which every text that anybody can give is markup."""
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{n}![i]({OUT}/id.png)<b>", "title": f"{n} {MARKUP}", "text": f"{MARKUP} {own(n)}",
             "metadata": {f"kind {MARKUP}"[:200]: f"{n % 2} {MARKUP}"}} for n in range(24)]  # fmt: skip
    asked = [{"_id": f"q{n}![i]({OUT}/id.png)<b>", "text": f"{MARKUP} {own(n)}"} for n in range(24)]
    for name, content in (("corpus", rows), ("queries", asked)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    for split, these in (("train", range(12)), ("test", range(12, 24))):
        lines = [f"{asked[n]['_id']}\t{rows[n]['_id']}\t1\n" for n in these]
        (folder / "qrels" / f"{split}.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "".join(lines)
        )
    lab = project_to_be("lab").create(
        description=MARKUP, source=MARKUP, licence=MARKUP, examples=[MARKUP]
    )
    import_beir(lab, folder)
    add_model(
        lab, str(tiny_model), Choices(name="tiny", query_prompt=MARKUP, document_prompt=MARKUP)
    )
    index_model(lab, "tiny")
    evaluate(lab, ["tiny", "bm25"])
    store = JudgmentStore.of(lab)
    judge = store.join(MARKUP[:60])
    store.ask([Question("q", MARKUP, MARKUP[:20])])
    store.add([grade(judge, "q", current_corpus(lab)[1].ids()[0], 3, token="t")])
    outgoing.note_contact(f"{OUT}/x", MARKUP, "lab", MARKUP)
    for verb in ("add-model", "train", "map", "evaluate"):
        run = new_run(lab, [verb, "lab", MARKUP])
        run.write(Status(state="failed", message=MARKUP, error=MARKUP, notes=[MARKUP]))
    return lab


def test_no_script_runs_and_nothing_is_asked_for_outside(filled, server, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    witness = Witness()
    page.on("request", witness._asked)
    asked = f"project=lab&q={quote(MARKUP)}&word={quote(MARKUP)}&model=tiny&model=bm25"
    shown = 0
    for name in PAGES:
        page.goto(f"{server.url}/{'' if name == 'projects' else name}?{asked}")
        settled(page)
        for unfolded in page.locator("details > summary").all()[:8]:
            unfolded.click()
        settled(page)
        shown += "outside.invalid" in page.inner_text("body")
        assert page.evaluate("window.ran") is None, name
        drawn = page.locator("[src*='outside.invalid'], [href^='javascript']")
        assert drawn.count() == 0, (name, drawn.first.evaluate("e => e.outerHTML"))
        # Streamlit makes links of bare addresses: each says where it leads, and nothing is asked before a click.
        links = page.locator("[href*='outside.invalid']")
        for link in links.all():
            assert link.inner_text() == unquote(link.get_attribute("href") or ""), name
    assert witness.strangers == []
    assert shown >= 5, "the texts are there to be read"
