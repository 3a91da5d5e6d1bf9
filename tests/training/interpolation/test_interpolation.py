"""Between a custom model and its start: the curve, the place that is best on dev, and never worse than the start."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer

from search.evaluation.evaluate import evaluate
from search.models.load import load_encoder
from search.models.registry import find_model
from search.models.sentence_transformer import load_sentence_transformer
from search.projects.errors import Cancelled, Failed, Refused
from search.projects.project import project_to_be
from search.retrieval.indexing.build import find_index
from tests.manifests import rewrite
from training.dev_set import DevSet
from training.forgetting import general_ndcg
from training.interpolation.publish import InterpolationCurve, blend, curve_for
from training.train import train
from training.training_data import load_training_data
from training.weight_interpolation import InterpolationPoint

TUNE = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-3}
ADAPT = {"epochs": 10, "learning_rate": 0.02}


@pytest.fixture
def project(import_tiny):
    found = project_to_be("tiny")
    import_tiny(found)
    return found


def weights(project, name):
    folder = project.folder / "models" / find_model(project, name).id
    return {
        f"{path.relative_to(folder).parent.as_posix()}/{key}": tensor
        for path in sorted(folder.rglob("*.safetensors"))
        for key, tensor in load_file(path).items()
    }


def details(project, name):
    return project.artifact("models", find_model(project, name).id).details


def dev_of(project) -> DevSet:
    return load_training_data(project).dev


def test_all_weights_lie_on_the_line_from_the_start(project, tiny_model):
    train(project, "fine-tune", "tuned", {"base": str(tiny_model), **TUNE, "blend": False})
    assert (
        InterpolationPoint.of(project.artifact("models", find_model(project, "tuned").id)).share
        == 1
    )
    made = blend(project, "tuned", 0.6, "part")
    start = {
        name.rpartition("/")[2]: tensor
        for name, tensor in load_file(tiny_model / "model.safetensors").items()
    }
    tuned, part = weights(project, "tuned"), weights(project, "part")
    assert tuned.keys() == part.keys()
    moved = 0
    for name, tensor in part.items():
        first = start[name.rpartition("/")[2]]
        np.testing.assert_allclose(tensor, first + 0.6 * (tuned[name] - first), atol=1e-6)
        moved += not np.allclose(tensor, first, atol=1e-6)
    assert moved > 3
    assert made.curve.shares == [0.0, 0.25, 0.5, 0.75, 1.0]
    model = load_encoder(project, find_model(project, "part"))
    told = details(project, "part")
    assert told["dev"]["ndcg@10"][1] == pytest.approx(dev_of(project).ndcg(model))
    assert told["general"]["ndcg@10"] == pytest.approx(general_ndcg(model))
    assert told["dev"]["kept"] == "blend 0.6 of tuned" and told["name"] == "part"
    first = load_sentence_transformer(tiny_model)
    assert made.curve.dev[0] == pytest.approx(dev_of(project).ndcg(first))
    tuned_model = load_encoder(project, find_model(project, "tuned"))
    assert made.curve.dev[-1] == pytest.approx(dev_of(project).ndcg(tuned_model))
    assert made.curve.general[-1] == pytest.approx(general_ndcg(tuned_model))


def test_what_was_blended_already_is_told_from_the_far_end(project, tiny_model):
    train(project, "fine-tune", "tuned", {"base": str(tiny_model), **TUNE, "blend": False})
    blend(project, "tuned", 0.5, "half")
    again = blend(project, "half", 1.0, "whole")
    assert again.curve.published == 0.5
    one, two = weights(project, "tuned"), weights(project, "whole")
    for name, tensor in one.items():
        np.testing.assert_allclose(two[name], tensor, atol=1e-5, err_msg=name)


@pytest.mark.sample(1)
@pytest.mark.parametrize("side", ["both", "query"])
def test_an_adapter_at_any_place(project, tiny_model, side):
    train(project, "fine-tune", "base", {"base": str(tiny_model), "epochs": 1, "batch_size": 16})
    train(project, "adapter", "mine", {"base": "base", "side": side, **ADAPT})
    told = details(project, "mine")
    share = told["place"]["share"]
    assert 0 < share <= 1 and told["place"]["kind"] == "matrix"
    made = blend(project, "mine", "auto", "best")
    curve = made.curve
    assert len(curve.shares) == 21 and curve.shares[0] == 0 and curve.shares[-1] == 1
    assert curve.dev[0] == pytest.approx(told["dev"]["ndcg@10"][0])
    assert curve.at(share) == (
        pytest.approx(told["dev"]["ndcg@10"][1]), pytest.approx(told["general"]["ndcg@10"]), True,
    )  # fmt: skip
    assert max(curve.dev) == curve.at(curve.best)[0] > curve.dev[0]
    model = load_encoder(project, find_model(project, "best"))
    assert details(project, "best")["dev"]["ndcg@10"][1] == pytest.approx(
        dev_of(project).ndcg(model)
    )
    assert curve.at(curve.best)[1] == pytest.approx(general_ndcg(model))
    assert curve_for(project, project.artifact("models", find_model(project, "mine").id)) == curve
    index = find_index(project, find_model(project, "best"), project.newest("corpora"))
    assert (index is not None) == (side == "query")
    evaluate(project, ["base", "best"])
    half = blend(project, "mine", "0.33", "third")
    assert half.curve is not curve and half.curve == curve, "measured once"
    identity = np.eye(model.get_embedding_dimension(), dtype=np.float32)
    whole = (weights_of_adapter(project, "mine") - identity) / share
    np.testing.assert_allclose(
        weights_of_adapter(project, "third"), identity + 0.33 * whole, atol=1e-5
    )


def weights_of_adapter(project, name):
    model = load_encoder(project, find_model(project, name))
    last = model[-1]
    dense = last.sub_modules["query"][0] if type(last).__name__ == "Router" else model[-2]
    return dense.linear.weight.detach().numpy()


def test_an_adapter_over_word_vectors_is_blended_too(project):
    train(
        project,
        "word2vec",
        "words",
        {"min_count": 1, "epochs": 1, "vector_size": 10, "pooling": "mean"},
    )
    train(project, "adapter", "mine", {"base": "words", **ADAPT, "epochs": 40})
    made = blend(project, "mine", 0.5, "half")
    mine, half = (load_encoder(project, find_model(project, name)) for name in ("mine", "half"))
    share = details(project, "mine")["place"]["share"]
    identity = np.eye(10, dtype=np.float32)
    wanted = identity + 0.5 / share * (mine.matrix - identity)
    np.testing.assert_allclose(half.matrix, wanted, atol=1e-5)
    assert made.curve.at(0.5)[0] == pytest.approx(dev_of(project).ndcg(half))


def test_a_place_that_is_not_better_than_the_start_is_published_as_the_start(project, tiny_model):
    train(project, "adapter", "mine", {"base": str(tiny_model), **ADAPT})
    made = blend(project, "mine", 0.0, "none")
    told = details(project, "none")
    assert told["is_start"] is True and told["dev"]["kept"] == "start"
    assert find_model(project, "none").is_start and not find_model(project, "mine").is_start
    assert "so this model is the untouched start" in made.notes[0]
    texts = ["what helps against velkorin in the hand"]
    model = load_encoder(project, find_model(project, "none"))
    start = SentenceTransformer(str(tiny_model), device="cpu").encode(texts)
    np.testing.assert_allclose(model.encode(texts), start / np.linalg.norm(start), atol=1e-6)
    with pytest.raises(Refused, match="is its start, untouched"):
        blend(project, "none", 0.5)


def test_what_cannot_be_blended_is_said(project, tiny_model):
    train(project, "word2vec", "words", {"min_count": 1, "epochs": 1, "vector_size": 20})
    train(project, "adapter", "mine", {"base": str(tiny_model), **ADAPT})
    for name, share, new, said in (
        ("generic", 0.5, None, "was not trained here"),
        ("words", 0.5, None, "no start that 'words' could be blended with"),
        ("mine", "1.2", None, "no number from 0 to 1"),
        ("mine", "much", None, "no number from 0 to 1"),
        ("mine", 0.5, "words", "is taken"),
        ("nobody", 0.5, None, "There is no model 'nobody'"),
    ):
        with pytest.raises(Refused, match=said):
            blend(project, name, share, new)
    manifest = project.artifact("models", find_model(project, "mine").id)

    def better_once(content):
        content["details"]["dev"]["ndcg@10"][0] += 0.1

    rewrite(project.folder_of(manifest), better_once)
    with pytest.raises(Failed, match="The start is not what it was"):
        blend(project, "mine")
    assert not [m for m in project.manifests("reports") if m.details.get("report") == "blend"]


def test_a_cancel_publishes_nothing(project, tiny_model):
    train(project, "fine-tune", "tuned", {"base": str(tiny_model), **TUNE})

    def stop(done, total, message, metrics=None):
        if message == "measured 50% of the way":
            raise Cancelled("stop")

    before = project.manifests("models"), project.manifests("reports")
    with pytest.raises(Cancelled):
        blend(project, "tuned", "auto", "new", stop)
    assert (project.manifests("models"), project.manifests("reports")) == before


def test_a_curve_between_its_points():
    curve = InterpolationCurve([0.0, 0.5, 1.0], [0.4, 0.6, 0.5], [0.9, 0.8, 0.4], 30, 1.0, 0.5)
    assert curve.at(0.5) == (0.6, 0.8, True)
    assert curve.at(0.75) == (pytest.approx(0.55), pytest.approx(0.6), False)
    assert curve.sentence == (
        "50% of the way is best on 30 dev queries: 0.600 nDCG@10 (the start 0.400); on general questions 0.800 "
        "(the start 0.900)."
    )
    assert InterpolationCurve(**json.loads(json.dumps(asdict(curve)))) == curve


@pytest.mark.slow
def test_the_terminal(tiny_beir, tiny_model, call_cli):
    assert call_cli("import", "lab", tiny_beir).status == 0
    settings = ["--set", f"base={tiny_model}", "--set", "learning_rate=0.02", "--set", "epochs=10"]
    assert call_cli("train", "lab", "--recipe", "adapter", "--name", "mine", *settings).status == 0
    told = json.loads(call_cli("blend", "lab", "mine", "--json").out)
    assert told["model"] is None and told["curve"]["shares"][:2] == [0.0, 0.05]
    done = call_cli("blend", "lab", "mine", "--share", "auto", "--name", "best")
    assert done.status == 0 and "The model 'best' is ready." in done.out
    assert f"{told['curve']['best']:.0%} of the way is best" in done.out
    refused = call_cli("blend", "lab", "mine", "--share", "2")
    assert refused.status == 2 and "no number from 0 to 1" in refused.err
    names = [model["name"] for model in json.loads(call_cli("models", "lab", "--json").out)]
    assert names == ["generic", "model", "mine", "best"]
