"""`verify` against our own server: a right one is called right, a wrong one by its fault, and one that fails in a sentence."""

import json

import pytest
from bad_server import bad_server

from search.projects.errors import Failed, Refused
from search.verification.verify import verify

pytestmark = pytest.mark.usefixtures("one_thread")


def test_our_own_server_is_right(asking):
    url = f"{asking.url}/v1"
    made = verify(asking.served.project, "generic", url, whole=True)
    assert made.is_right and made.lowest > 0.99999, made.sentences
    assert made.sentences[0].startswith(f"{url} serves generic rightly: 200 texts")
    assert made.quality.here == made.quality.served and made.quality.questions == 20
    assert made.as_json()["ndcg"]["whole"] is True


@pytest.mark.slow
def test_where_both_put_prompts_they_are_doubled(asking):
    made = verify(asking.served.project, "generic", f"{asking.url}/v1", prompts_by="client")
    assert [fault.what for fault in made.faults] == [
        "Two prompts go before queries.",
        "The prompt goes before documents twice.",
    ]
    assert "the program that asks puts it, too" in made.faults[0].remedy


def test_a_wrong_side_is_named_and_the_exit_status_says_so(
    asking, call_cli, monkeypatch, made_before
):
    from serving.requests import EmbeddingsRequest

    monkeypatch.setenv("BESPOKE_HOME", str(made_before))
    name = EmbeddingsRequest.asked.fget
    wrong = property(lambda self: (name(self)[0], "document"))
    monkeypatch.setattr(EmbeddingsRequest, "asked", wrong)
    url = f"{asking.url}/v1"
    done = call_cli("verify", "lab", "generic", "--base-url", url)
    assert done.status == 3
    assert done.out.splitlines()[0] == (
        f"{url} does not serve generic as it was measured: prompt of the other side."
    )
    assert "goes before queries. Put 'query: ' before queries" in done.out
    assert "nDCG@10 over 20 questions: " in done.out


def test_another_model_is_named_and_a_server_that_fails_is_one_sentence(
    call_cli, project, monkeypatch, tree
):
    with bad_server("a-key") as bad:
        with pytest.raises(Failed, match="refused the key"):
            verify(project, "generic", bad.url)
        bad.key = ""
        for what, said in (("few", "vectors for"), ("dead", "did not answer"), ("nan", "finite")):
            bad.always = what
            with pytest.raises(Failed, match=said):
                verify(project, "generic", bad.url)
        bad.always = None
        before = tree(project.folder)
        bad.script.extend(["good", "good", *["dead"] * 30])  # It dies half-way.
        with pytest.raises(Failed, match="did not answer"):
            verify(project, "generic", bad.url)
        assert len(bad.script) in range(20, 30) and tree(project.folder) == before
        bad.script.clear()
        done = call_cli("verify", "lab", "generic", "--base-url", bad.url, "--json")
    told = json.loads(done.out)
    assert done.status == 3 and not told["right"] and told["ndcg"] is None
    assert [fault["name"] for fault in told["faults"]] == ["another model"]
    assert "They have 16 dimensions, the model's 32." in told["faults"][0]["what"]
    with pytest.raises(Failed, match="did not answer"):
        verify(project, "generic", bad.url)
    with pytest.raises(Refused, match="base-url"):
        verify(project, "generic", "ftp://localhost/v1")
