"""A model onto a hub: private, without a text of the corpus, noted, and only with a token."""

import huggingface_hub.constants
import pytest
from fake_hub import TOKEN, fake_hub
from huggingface_hub import ModelCard

from search.corpus.corpus import current_corpus
from search.evaluation.evaluate import evaluate
from search.projects import audit
from search.projects.errors import Failed, Refused
from search.projects.outgoing import contacts
from training.export.push import push

REPO = "somebody/mine"


@pytest.fixture
def hub(monkeypatch, tmp_path, workspace):
    with fake_hub() as made:
        made.folder = tmp_path / "hub"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", made.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield made


@pytest.mark.slow
def test_a_model_goes_with_its_verdict_and_without_a_text(hub, lab):
    found = evaluate(lab, ["generic", "both"])
    done = push(lab, "both", REPO)
    assert (done.url, done.private) == (f"{hub.url}/{REPO}", True)
    there = hub.models[REPO]
    assert hub.private == {REPO} and (there / "modules.json").is_file()
    card = ModelCard((there / "README.md").read_text())
    gains = [r for r in card.data.eval_results if r.metric_type == "ndcg_at_10_gain"]
    (test,) = [c for c in found.comparisons if c.candidate == "both" and c.baseline == "generic"]
    assert [g.metric_value for g in gains] == [round(test.delta, 4)]
    assert gains[0].metric_args["ci95"] == [round(end, 4) for end in test.interval]
    assert gains[0].metric_args["verdict"] == test.verdict
    sent = card.content.lower()
    _, corpus = current_corpus(lab)
    assert not [d for d in corpus.sample(40) if d.text.lower()[:30] in sent]
    assert "what helps against" not in sent and str(lab.folder) not in sent
    assert not [path for path in there.rglob("*") if path.name == "trained_on.json"]
    (line,) = [e for e in audit.entries() if e.what == "pushed"]
    assert line.on == f"model both to {REPO}" and TOKEN not in str(audit.entries())
    assert contacts("lab")[0].what == "a model that is published"


def test_texts_go_when_they_are_asked_for(hub, lab):
    push(lab, "both", REPO, examples=True)
    assert "what helps against" in (hub.models[REPO] / "README.md").read_text()


def test_what_cannot_be_is_one_sentence_and_nothing_is_sent(hub, lab, monkeypatch, tmp_path):
    with pytest.raises(Refused, match="'mine' is no name of a repository: it is OWNER/NAME"):
        push(lab, "both", "mine")
    hub.models[REPO] = tmp_path
    with pytest.raises(Refused, match=r"everybody may read it. Say --public.*Nothing was sent"):
        push(lab, "both", REPO)
    assert not [one for one in hub.asked if one.startswith("POST")]
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    with pytest.raises(
        Refused, match=r"does not let this token write to somebody/new \(status 401\)"
    ):
        push(lab, "both", "somebody/new")
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Failed, match=r"127\.0\.0\.1:9 cannot be reached"):
        push(lab, "both", REPO)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(Refused, match="no token of the hub here: set HF_TOKEN"):
        push(lab, "both", REPO)
