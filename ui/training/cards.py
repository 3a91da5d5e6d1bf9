"""The three ways to train that most people need: what each takes, what it needs, and what it usually brings."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from search.evaluation.query_sets.leakage import MINED, ORIGIN
from search.projects import runs
from search.projects.artifacts import Manifest
from search.projects.project import Project
from training.advice.expectations import Basis, Minutes, expected_gain
from training.advice.recommending import Advice
from ui import cache, navigation, run_view, widgets
from ui.rendering import literal, render
from ui.training.advice import CALLED

_MEASURED: dict[Basis, str] = {
    "measured": "Times are those of this machine, by steps that were measured on it.",
    "indexed": "Times are those of this machine, by how fast it indexed these documents.",
    "ordinary": "Times are those of an ordinary machine; “Which approach?” below measures this one.",
}


@dataclass(frozen=True)
class _Card:
    """One way to train: `option` is what the advice calls it, `recipe` what trains, `needs` what is said of what it needs."""

    option: str
    recipe: str
    title: str
    what: str
    needs: str
    ready: bool
    button: str


def draw(project: Project, best: Advice) -> None:
    """Draw the three cards; the one that is recommended has the filled button."""
    _go_on(project)
    pairs = project.newest("pairs")
    count = pairs.details["pairs"] if pairs is not None else 0
    mined = pairs is not None and pairs.details.get(ORIGIN) == MINED
    minutes = cache.expected_minutes(project)
    known = _cards(project, pairs, mined)
    ready = [card for card in known if card.ready]
    wanted = next((card.option for card in ready if card.option == best.option), None)
    wanted = wanted or (ready[0].option if ready else None)
    for box, card in zip(st.columns(len(known)), known, strict=True):
        with box, st.container(border=True, key=f"way-{card.option}", height="stretch"):
            _draw(project, card, card.option == wanted, minutes, count, mined)
    st.caption(
        f"{_MEASURED[minutes.basis]} Gains are those of the sets in docs/benchmarks.md; nDCG@10 goes from 0 to 1."
    )


def _cards(project: Project, pairs: Manifest | None, mined: bool) -> Sequence[_Card]:
    corpus = project.newest("corpora")
    documents = corpus.details["documents"] if corpus is not None else 0
    if pairs is None:
        needs = "Needs pairs: none are here yet."
    elif mined:
        needs = f"Learns from {widgets.counted(pairs.details['pairs'], 'pair')} proposed from the documents."
    else:
        needs = f"Needs pairs: {pairs.details['pairs']:,} are here."
    alone = f"Needs documents alone: {documents:,} are here."
    if pairs is not None and not mined:
        alone = "You have pairs of your own, which teach more."
    return (
        _Card("adapter", "adapter", CALLED["adapter"], "Turns the generic model’s vectors towards your questions.", needs, pairs is not None and not mined, "Train quick"),
        _Card("auto", "auto", CALLED["auto"], "Tries several ways for ten minutes, and keeps the best.", needs, pairs is not None, "Train best"),
        _Card("mine", "adapter", CALLED["mine"], "Makes questions out of titles and sentences, and learns from these a little.", alone, pairs is None or mined, "Train from documents"),
    )  # fmt: skip


def _draw(
    project: Project, card: _Card, is_wanted: bool, minutes: Minutes, pairs: int, mined: bool
) -> None:
    """One card: its title, time, gain and need, and the button that starts it."""
    from_documents = card.option == "mine"
    seconds = minutes.seconds.get("mine" if from_documents and not mined else card.recipe)
    gain = expected_gain(card.recipe, pairs, mined or from_documents)
    st.html(
        render(
            "way.html",
            title=card.title,
            recommended=is_wanted,
            time=f"about {widgets.duration(max(seconds, 1.0))}"
            if seconds is not None and card.ready
            else "",
            what=card.what,
            gain=_gain(gain) if gain and card.ready else "",
            needs=card.needs,
            ready=card.ready,
        )
    )
    if not card.ready and card.option != "mine":
        if st.button("Add pairs", key=f"pairs-{card.option}", width="stretch"):
            navigation.go("corpus", add="pairs")
        return
    if st.button(
        literal(card.button),
        key=f"go-{card.option}",
        type="primary" if is_wanted else "secondary",
        disabled=not card.ready,
        width="stretch",
    ):
        _start(project, card, mined)


def _gain(gain: tuple[float, float]) -> str:
    """What was gained on the sets measured, as tables of scores write it: "+.00 to +.04"."""
    least, most = (f"{value:+.2f}".replace("0.", ".", 1) for value in gain)
    return f"usually {least} to {most} nDCG@10"


def _start(project: Project, card: _Card, mined: bool) -> None:
    if card.option == "mine" and not mined:
        # The pairs come first; the training follows when they are there.
        run_view.start(project, ["mine", project.name, "--save"], _following(project))
    run_view.start(project, ["train", project.name, "--recipe", card.recipe])


def _following(project: Project) -> str:
    return f"train-after-{project.name}"


def _go_on(project: Project) -> None:
    """Train, where the pairs were mined for that a moment ago."""
    asked = st.session_state.get(_following(project))
    if asked is None:
        return
    run = next((run for run in runs.runs(project) if run.id == asked), None)
    if run_view.going(run):
        return
    st.session_state.pop(_following(project), None)
    if run is not None and run.status.state == "done":
        run_view.start(project, ["train", project.name, "--recipe", "adapter"])
