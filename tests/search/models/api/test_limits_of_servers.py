"""What a server takes in a request is learned by asking; how it is asked can be changed, and a model taken away."""

import numpy as np
import pytest
from bad_server import KEY, vector

from search.models.api.server_client import KEPT
from search.models.pretrained.add import Choices, add_model
from search.models.registry import find_model
from search.projects.errors import Failed
from search.projects.project import project_to_be
from search.retrieval.indexing.build import find_index, index_model
from training.train import train

VARIABLE = "BESPOKE_KEY_TEST"


@pytest.fixture
def lab(import_tiny):
    project = project_to_be("lab")
    import_tiny(project)
    return project


@pytest.fixture
def bad(lab, server):
    of_server = {"base_url": server.url, "key_variable": VARIABLE, "retries": 1, "timeout": 0.4}
    info = add_model(lab, "bad", Choices(server=of_server)).info
    server.requests.clear()
    return info


@pytest.mark.parametrize("most", [10, 1])
def test_texts_that_are_too_many_go_in_smaller_requests_and_it_is_said(lab, server, bad, most):
    server.most = most
    index = index_model(lab, "bad")
    sizes = [len(request.texts) for request in server.requests]
    assert sizes == {10: [40, 20, 10, 10, 10, 10], 1: [40, 20, 10, 5, 2, *[1] * 40]}[most]
    (note,) = index.details["encoding"]["notes"]
    assert f"Asked with {most} texts a request instead of 40" in note and "status 400" in note
    assert f"cli.py change-model lab bad --batch-texts {most}" in note


def test_a_batch_that_takes_too_long_is_asked_again_with_fewer(lab, server, bad):
    server.most, server.slow_over = 20, 0.8
    index = index_model(lab, "bad")
    sizes = [len(request.texts) for request in server.requests]
    assert sizes == [40, 40, 20, 20]
    assert "no answer within 0.4 seconds" in index.details["encoding"]["notes"][0]


def test_a_text_that_is_refused_alone_ends_it_and_the_others_are_kept(lab, server, bad):
    server.most = 0
    with pytest.raises(Failed, match=r"refused 1 texts \(status 400\)") as refused:
        index_model(lab, "bad")
    assert KEPT in str(refused.value)


def test_how_a_server_is_asked_can_be_changed(lab, server, bad, call_cli):
    before = index_model(lab, "bad")
    done = call_cli("change-model", "lab", "bad", "--batch-texts", 7, "--timeout", 9)
    assert (done.status, done.err) == (0, "")
    assert "batch-texts 7, timeout 9.0" in done.out
    assert find_index(lab, find_model(lab, "bad"), lab.newest("corpora")).id == before.id
    server.requests.clear()
    from search.models.load import load_encoder

    texts = [f"text {number}" for number in range(20)]
    encoder = load_encoder(lab, find_model(lab, "bad"))
    np.testing.assert_array_equal(encoder.encode_document(texts), [vector(t) for t in texts])
    assert [len(request.texts) for request in server.requests] == [7, 7, 6]
    assert encoder.settings.timeout == 9.0 and encoder.settings.retries == 1
    for wrong, said in (
        (["bad"], "Say what to change"),
        (["bad", "--batch-texts", 0], "--batch-texts: "),
        (["bad", "--key-variable", KEY], "never the key itself"),
        (["generic", "--retries", 1], "is computed here"),
        (["nobody", "--retries", 1], "There is no model 'nobody'"),
    ):
        done = call_cli("change-model", "lab", *wrong)
        assert done.status == 2 and said in done.err and KEY not in done.err
    assert KEY not in (lab.folder / "project.json").read_text()


def test_a_model_is_taken_away_unless_something_stands_on_it(lab, server, bad, call_cli):
    index = index_model(lab, "bad")
    train(lab, "adapter", "mine", {"base": "bad", "epochs": 1})
    done = call_cli("remove-model", "lab", "bad")
    assert done.status == 2 and "mine cannot do without 'bad'" in done.err
    assert call_cli("remove-model", "lab", "mine", "--yes").status == 0
    sent = len(server.texts)
    assert call_cli("remove-model", "lab", "bad").err.endswith(
        "Nothing was deleted: there is nobody to ask here. Say --yes.\n"
    )
    done = call_cli("remove-model", "lab", "bad", "--yes")
    assert done.out == "The model 'bad' is gone from lab, with 1 index.\n"
    assert not (lab.folder / "indexes" / index.id).exists()
    assert call_cli("remove-model", "lab", "generic").status == 2
    again = {"base_url": server.url, "key_variable": VARIABLE, "batch_texts": 10}
    add_model(lab, "bad", Choices(server=again))
    index_model(lab, "bad")
    assert len(server.texts) == sent + 1, "only the probe: what was paid for is kept"
