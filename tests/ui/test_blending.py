"""Models: between a custom model and its start; and what is its start is marked wherever models are listed."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from app_help import TINY, open_page, press, press_labelled, shown

from search.models.registry import find_model
from search.projects.project import Project
from tests.manifests import rewrite
from training.interpolation.publish import KIND, InterpolationCurve

CURVE = InterpolationCurve(
    [0.0, 0.25, 0.5, 0.75, 1.0], [0.4, 0.5, 0.7, 0.6, 0.3], [0.9, 0.8, 0.8, 0.6, 0.5], 30, 1.0, 0.5
)


def changed(project: Project, name: str, **details: object) -> str:
    """A model whose manifest says more; returns its id."""
    identity = find_model(project, name).id
    folder = project.folder / "models" / identity
    rewrite(folder, lambda content: content["details"].update(details))
    return identity


def with_way(project: Project, name: str) -> str:
    place = {"kind": "weights", "share": 1.0, "start": "generic", "start_id": "generic"}
    return changed(project, name, place=place)


def test_the_way_is_measured_when_asked_for(trained: Project, started: list[list[str]]) -> None:
    identity = with_way(trained, "words-2")
    at = open_page("models", TINY)
    ways = [button.key for button in at.button if (button.key or "").startswith("way-")]
    assert ways == [f"way-{identity}"], "the other one was trained from scratch"
    press(at, ways[0])
    assert started == [["blend", TINY, "words-2"]]


def test_the_slider_tells_both_scores_and_publishes(
    trained: Project, started: list[list[str]]
) -> None:
    identity = with_way(trained, "words-2")
    sources = {"model": identity}
    with trained.publish("reports", sources, report=KIND, curve=asdict(CURVE)):
        pass
    at = open_page("models", TINY)
    assert CURVE.sentence in shown(at)
    slider = at.slider(key=f"share-{identity}")
    assert slider.value == 50, "it stands where the dev queries are served best"
    assert (
        "At 50%: 0.700 nDCG@10 on 30 dev queries (+0.300 against the start), 0.800 on general"
        in shown(at)
    )
    at.slider(key=f"share-{identity}").set_value(60).run()
    assert "At 60%: about 0.660 nDCG@10" in shown(at) and "about 0.720 on general" in shown(at)
    assert "what is published would be the start" not in shown(at)
    at.slider(key=f"share-{identity}").set_value(0).run()
    assert "what is published would be the start" in shown(at)
    at.slider(key=f"share-{identity}").set_value(100).run()
    assert "That is what words-2 is already." in shown(at)
    at.slider(key=f"share-{identity}").set_value(35).run()
    at.text_input[0].set_value(" part ")
    press_labelled(at, "Publish this blend")
    assert started == [["blend", TINY, "words-2", "--share", "0.35", "--name", "part"]]


def test_a_model_that_is_its_start_has_no_way(trained: Project) -> None:
    place = {"kind": "weights", "share": 0.0, "start": "generic", "start_id": "generic"}
    changed(trained, "words-2", place=place, is_start=True)
    at = open_page("models", TINY)
    assert "**words-2** · same as its start" in shown(at) and "**words** ·" not in shown(at)
    assert not [button for button in at.button if (button.key or "").startswith("way-")]


def test_it_is_marked_in_the_choosers_and_tables(evaluated: Project) -> None:
    changed(evaluated, "words-2", is_start=True)
    for page in ("compare", "evaluate"):
        at = open_page(page, TINY)
        options = [text for box in at.multiselect for text in box.options]
        assert "words-2 · same as its start" in [text.replace("\\", "") for text in options], page
        assert "words · same as its start" not in [text.replace("\\", "") for text in options]
    tables = " ".join(part.proto.body for part in at.get("html"))
    assert "words-2 · same as its start</td>" in tables


@pytest.mark.slow
def test_it_is_marked_in_the_terminal(evaluated: Project, call_cli, workspace: Path) -> None:
    changed(evaluated, "words-2", is_start=True)
    lines = call_cli("models", TINY).out.splitlines()
    (marked,) = [line for line in lines if line.endswith("the same as its start")]
    assert marked.startswith("words-2 ")
    told = {m["name"]: m for m in json.loads(call_cli("models", TINY, "--json").out)}
    assert told["words-2"]["is_start"] is True and "is_start" not in told["words"]
