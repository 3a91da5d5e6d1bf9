"""The Map page: two linked pictures, what they are coloured by, what moved, and every empty state."""

import json
import re

import numpy as np
import pytest
from app_help import TINY, alive, labels, markup, open_page, plain, press, run, shown, write_run
from streamlit.testing.v1 import AppTest

from search.evaluation.evaluation import load_evaluation
from search.insight.map import draw_map, find_map, load_map, map_models
from search.projects.project import Project, project_to_be
from ui import cache
from ui.map import summary
from ui.map_figure import EVEN, LOST, OTHERS, PALETTE, WON, Frame, Marks, drawing, figure

BOTH = ["words", "words-2"]


@pytest.fixture
def mapped(stage, request: pytest.FixtureRequest) -> Project:
    return stage("mapped", lambda: draw_map(request.getfixturevalue("evaluated"), BOTH))


def pictures(at: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def points(picture: dict) -> list[dict]:
    return [trace for trace in picture["data"] if "customdata" in trace]


def opened(**more: object) -> AppTest:
    return open_page("map", TINY, model=BOTH, **more)


def test_both_views_show_every_document_in_the_same_colours(mapped: Project) -> None:
    at = opened()
    left, right = pictures(at)
    for picture in (left, right):
        assert sum(len(values(trace["customdata"])) for trace in points(picture)) == 40
    of = [
        {n: t["marker"]["color"] for t in points(p) for n in values(t["customdata"])}
        for p in (left, right)
    ]
    assert of[0] == of[1]
    made = load_map(mapped, find_map(mapped, map_models(mapped, BOTH)))
    assert of[0] == {n: PALETTE[g] for n, g in enumerate(made.views[1].groups.tolist())}
    assert not left["layout"].get("annotations") or not any(
        a.get("showarrow") for a in left["layout"]["annotations"]
    )
    arrows = [a for a in right["layout"]["annotations"] if a["showarrow"]]
    assert len(arrows) == len(made.movers(10))
    assert summary(made, {m: m for m in BOTH}) in shown(at)
    assert "What moved most" in [s.value for s in at.header]


def values(data: object) -> list[int]:
    """Numbers out of a figure's JSON, where arrays may be packed."""
    if isinstance(data, dict):
        import base64

        return np.frombuffer(base64.b64decode(data["bdata"]), dtype=data["dtype"]).tolist()
    return list(data)  # type: ignore[call-overload]


def test_documents_chosen_in_one_view_are_marked_in_both(mapped: Project) -> None:
    at = opened()
    manifest = find_map(mapped, map_models(mapped, BOTH))
    assert manifest is not None
    at.session_state[f"chosen-{manifest.id}"] = [3, 7]
    run(at)
    for picture in pictures(at):
        marked = {
            values(trace["customdata"])[n]
            for trace in points(picture)
            for n in values(trace["selectedpoints"])
        }
        assert marked == {3, 7}
    titles, _ = cache.map_columns(mapped, manifest)
    assert "2 documents selected" in [s.value for s in at.header]
    assert titles[3] in plain(markup(at))
    press(at, "clear-map")
    assert not any(s.value.endswith("selected") for s in at.header)


def test_held_out_questions_are_won_or_lost(mapped: Project) -> None:
    at = opened()
    at.toggle[0].set_value(True)
    run(at)
    manifest = mapped.newest("evaluations")
    assert manifest is not None
    result = load_evaluation(mapped, manifest)
    moved = result.differences(*BOTH)
    for picture in pictures(at):
        (queries,) = [trace for trace in picture["data"] if "customdata" not in trace]
        colours = queries["marker"]["color"]
        assert colours.count(WON) == int((moved > 0.005).sum())
        assert colours.count(LOST) == int((moved < -0.005).sum())
        assert colours.count(EVEN) == int((np.abs(moved) <= 0.005).sum())


def test_a_map_is_drawn_by_a_run(evaluated: Project, started: list[list[str]]) -> None:
    at = opened()
    assert "See 40 documents as words and words-2 see them" in shown(at)
    press(at, "draw-map")
    assert started == [["map", TINY, "--model", "words", "--model", "words-2"]]


def test_a_run_that_goes_on_is_watched(evaluated: Project) -> None:
    write_run(evaluated, ["map", TINY], state="running", message="laying out", **alive())
    at = opened()
    assert "Drawing the map" in shown(at)
    assert "Draw the map" not in labels(at)


def test_a_run_that_failed_is_told(evaluated: Project) -> None:
    write_run(evaluated, ["map", TINY], state="failed", error="The disk is full.")
    at = opened()
    assert "Drawing the map did not finish: The disk is full." in shown(at)
    assert "Draw the map" in labels(at)


def test_one_model_is_one_picture(data: Project) -> None:
    at = open_page("map", TINY)
    assert "See 40 documents as Generic sees them" in shown(at)
    assert "Draw the map" in labels(at)


def test_a_deleted_model_in_the_address_is_passed_over(mapped: Project) -> None:
    at = open_page("map", TINY, model=["gone", *BOTH])
    assert len(pictures(at)) == 2


def test_without_documents_and_with_too_few(empty: Project, tmp_path) -> None:
    assert "Nothing to map yet" in shown(open_page("map", TINY))
    from search.corpus.ingest import add_documents

    path = tmp_path / "two.jsonl"
    path.write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}')
    add_documents(project_to_be(TINY), [path])
    at = open_page("map", TINY)
    assert "Too few documents for a map" in shown(at)
    assert not pictures(at)


def test_names_do_not_cover_each_other() -> None:
    places = np.array([[0, 0], [100, 100]], dtype=np.float32)
    marks = Marks(labels=[("blood, nurse", 50, 50), ("oil, price", 51, 50.5), ("far", 0, 0)])
    made = figure(places, ["a", "b"], [0, 1], marks, Frame.around([places]), dark=False)
    heights = {a["text"]: a["y"] for a in made.to_dict()["layout"]["annotations"]}
    assert heights["blood, nurse"] == 50
    assert heights["far"] == 0
    assert abs(heights["oil, price"] - 50) >= 5


def test_ten_thousand_points_are_drawn_smaller_and_at_the_screens_own_resolution() -> None:
    places = np.random.default_rng(0).normal(size=(10_000, 2)).astype(np.float32)
    sizes = {}
    for count in (100, 10_000):
        some = places[:count]
        made = figure(some, ["t"] * count, [0] * count, Marks(), Frame.around([some]), dark=False)
        sizes[count] = made.data[0].marker.size
    assert sizes[10_000] < sizes[100]
    assert drawing(10_000)["plotGlPixelRatio"] == 1
    assert "plotGlPixelRatio" not in drawing(100)


def test_a_figure_for_many_kinds_and_odd_titles() -> None:
    places = np.zeros((3, 2), dtype=np.float32)
    made = figure(
        places, ["<b>a</b>", "b", "c"], [0, 99, -1], Marks(), Frame.around([places]), dark=True
    ).to_dict()
    assert [trace["marker"]["color"] for trace in made["data"]] == [OTHERS, PALETTE[0], OTHERS]
    assert made["data"][1]["text"] == ("&lt;b&gt;a&lt;/b&gt;",) or made["data"][1]["text"] == [
        "&lt;b&gt;a&lt;/b&gt;"
    ]
    assert {trace["type"] for trace in made["data"]} == {"scattergl"}
    assert not re.search("http", json.dumps(made["layout"]))
