"""The fast class: accepted by its figures, never mixed with full, and its adapters proved again in full."""

import numpy as np
import pytest

from indexes.opening import stored_vectors
from search.evaluation.evaluate import evaluate
from search.models.encoding.quantized.encoder import QuantizedEncoder
from search.models.linear_adapter import LinearAdapter
from search.models.load import load_encoder
from search.models.pretrained.add import Choices, add_model
from search.models.registry import (
    FAST,
    FULL,
    default_models,
    find_model,
    generic_info,
    precision_of,
)
from search.projects.errors import Refused
from search.projects.project import project_to_be
from search.retrieval.deletion import planned_removal
from search.retrieval.indexing.build import index_model
from training.export.export import export
from training.quantizing import making
from training.quantizing.crossing import twin
from training.quantizing.making import PrecisionTrial, make_fast
from training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def project(import_tiny, tiny_model, monkeypatch):
    made = project_to_be("tiny")
    import_tiny(made)
    add_model(made, str(tiny_model), Choices(name="small", default=True))
    monkeypatch.setattr(making, "products_of_whole_numbers", lambda: "AVX-512 VNNI")
    monkeypatch.setattr(making, "FEWEST_PASSAGES", 20)
    monkeypatch.setattr(making, "WORTH_IT", 0.0)
    monkeypatch.setattr(making, "LEAST_OVERLAP", 0.5)
    return made


def test_a_verdict_of_the_fast_class_is_proved_again_in_full(project, tmp_path):
    small = find_model(project, "small")
    made = make_fast(project, "generic", default=True)
    assert made.info.title == "small-fast" and generic_info(project).id == made.info.id
    assert (
        "of the ten nearest kept on" in made.notes[0] and "vectors are made anew" in made.notes[1]
    )
    assert made.info.fingerprint != small.fingerprint
    assert isinstance(load_encoder(project, made.info), QuantizedEncoder)

    adapter = train(project, "adapter", "mine", {"epochs": 2})
    mine = find_model(project, "mine")
    assert precision_of(project, mine) == FAST and precision_of(project, small) == FULL
    assert [info.name for info in default_models(project)] == ["generic", "mine"]
    encoder = load_encoder(project, mine)
    assert isinstance(encoder, LinearAdapter) and isinstance(encoder.base, QuantizedEncoder)
    assert evaluate(project, ["generic", "mine"]).scores.keys() == {"generic", "mine"}
    with pytest.raises(Refused, match=r"'mine' is encoded in eight bits and 'small' in full"):
        evaluate(project, ["small", "mine"])

    proved = twin(project, "mine")
    assert (proved.name, precision_of(project, proved)) == ("mine-full", FULL)
    assert twin(project, "mine").id == proved.id, "made once"
    taken, learned = (project.artifact("models", one.id).details for one in (proved, adapter))
    assert "dev" in learned and "dev" not in taken, "scores are those of one class"
    assert twin(project, "mine-full").id == adapter.id, "and back"
    found = load_encoder(project, proved).encode_query(["rent", "a notice"])
    turned = load_encoder(project, small).encode_query(["rent", "a notice"]) @ encoder.matrix.T
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)
    np.testing.assert_allclose(found, turned, atol=1e-5)
    assert evaluate(project, ["small", "mine-full"]).scores.keys() == {"small", "mine-full"}
    in_eight, in_full = (
        stored_vectors(project.checked(index_model(project, name))) for name in ("generic", "small")
    )
    assert np.abs(in_eight - in_full).max() > 1e-6, "each class has vectors of its own"

    with pytest.raises(Refused, match="computes in eight bits"):
        export(project, "mine", tmp_path / "out")
    with pytest.raises(Refused, match="weights are tuned in full precision"):
        train(project, "fine-tune", "tuned", {"base": "generic", "epochs": 1})
    with pytest.raises(Refused, match="cannot do without"):
        planned_removal(project, "small")


def test_what_loses_too_much_keeps_layers_and_then_is_refused(project, monkeypatch):
    tried = []

    def measured(model, quantizer, share, folder, full):
        tried.append(share)
        (folder / "model.xml").write_text("<net/>")
        overlap = 0.98 if share >= least else 0.95
        return PrecisionTrial(round(12 * share), 12, overlap, 0.99, 2.0, 2.5, 400)

    monkeypatch.setattr(making, "LEAST_OVERLAP", 0.97)
    monkeypatch.setattr(making, "_tried", measured)
    least = 2.0
    with pytest.raises(Refused, match=r"loses more than may be lost .* 6 of 12 layers in full"):
        make_fast(project, "small")
    assert tried == list(making.FULL_SHARES)
    with pytest.raises(Refused, match="no model 'small-fast'"):
        find_model(project, "small-fast")
    least, tried[:] = 1 / 3, []
    made = make_fast(project, "small")
    assert tried == [0.0, 1 / 9, 1 / 6, 1 / 3] and "4 of 12 layers in full" in made.notes[3]


@pytest.mark.parametrize(
    ("trial", "accepted"),
    [
        (PrecisionTrial(0, 36, 0.9699, 0.99, 2.0, 2.6, 400), False),
        (PrecisionTrial(0, 36, 0.97, 0.99, 2.0, 2.6, 400), True),
        (PrecisionTrial(0, 36, 0.98, 0.99, 2.0, 2.6, 400, 0.7969, 0.80, 200), False),
        (PrecisionTrial(0, 36, 0.98, 0.99, 2.0, 2.6, 400, 0.7971, 0.80, 200), True),
    ],
)
def test_the_gates(trial, accepted):
    assert trial.accepted == accepted


def test_what_has_no_fast_class_is_told_why(project, monkeypatch):
    with pytest.raises(Refused, match="has no twin in fast precision here"):
        twin(project, "small")
    monkeypatch.setattr(making, "FEWEST_PASSAGES", 10**6)
    with pytest.raises(Refused, match="passages it cannot be measured"):
        make_fast(project, "small")
    monkeypatch.setattr(making, "products_of_whole_numbers", lambda: None)
    with pytest.raises(Refused, match="neither VNNI nor AMX"):
        make_fast(project, "small")
    with pytest.raises(Refused, match="not clearly faster"):
        making._see_that_it_pays(
            find_model(project, "small"), [PrecisionTrial(0, 9, 1.0, 1.0, -1.0, 1.0, 400)]
        )
