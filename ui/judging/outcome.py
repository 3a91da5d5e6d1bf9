"""What the votes say: the verdict, how sure it is, how far judges agree, and what they see differently."""

import streamlit as st

from search.corpus.corpus import Corpus
from search.judging.aggregation import Disagreement
from search.judging.setup import Setup, saved_setup
from search.judging.study import Tally
from search.judging.summary import Summary, summary
from search.judging.votes import Choice, ColumnPair
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.columns import column_title
from ui import widgets
from ui.judging import board
from ui.rendering import literal, render

_LISTED = 20


def results(project: Project, manifest: Manifest) -> None:
    """Draw the results."""
    setup = saved_setup(project)
    made = summary(project, setup) if setup else None
    if setup is None or made is None or (not made.study.tally.voted and not made.study.judgments):
        widgets.empty("No votes yet", "Judge a few questions; what they amount to is shown here.")
        return
    if setup.reveal == "never":
        widgets.empty(
            "The results are kept back while people judge",
            "Whoever leads the judging sees them in a terminal: python cli.py judgments "
            f"{project.name}. The set-up can allow them here.",
        )
    else:
        _verdict(made)
    _agreement(made)
    corpus = Corpus.of(project, manifest)
    _disagreements(project, setup, made, corpus)


def _verdict(made: Summary) -> None:
    tally = made.study.tally
    ahead = tally.one if tally.wins >= tally.losses else tally.other
    settled = tally.forecast(0).needed == 0
    colour = widgets.colours([ahead])[0] if settled else "var(--b-slate)"
    why = made.study.outlook("") if tally.voted else ""
    why = f"{tally.figures} {why} Sign test p = {tally.p_value:.3f}."
    said = {"asked": "", "say": tally.headline, "lines": [], "why": why, "more": []}
    st.html(render("verdict.html", colour=colour, **said))
    st.html(_bar(tally))
    st.caption(
        "The questions asked are those on which the two differ most: this says who wins where they differ, not how "
        "often they do."
    )


def _bar(tally: Tally) -> str:
    """Wins of both sides and what lies between, to scale, with the numbers in words beneath."""
    even = tally.both + tally.neither + tally.split
    parts = (
        ("win", tally.losses, column_title(tally.other)),
        ("tie", even, "no preference"),
        ("loss", tally.wins, column_title(tally.one)),
    )
    return render(
        "tally.html",
        parts=[(kind, count) for kind, count, _ in parts if count],
        words=" · ".join(f"{title} {count}" for _, count, title in parts),
        detail=f"{tally.both} both good, {tally.neither} neither, {tally.split} where judges are split",
    )


def _agreement(made: Summary) -> None:
    st.header("Do the judges agree?", anchor=False)
    judges = [
        (name, f"{counts['votes']:,}", f"{counts['grades']:,}")
        for name, counts in made.judges.items()
    ]
    st.html(render("judges.html", judges=judges))
    st.markdown(literal(made.votes_agreement.sentence()))
    if made.grades_agreement.items:
        st.markdown(literal(made.grades_agreement.sentence("document")))


def _disagreements(project: Project, setup: Setup, made: Summary, corpus: Corpus) -> None:
    votes, grades = made.study.votes.disagreements(), made.study.grades.disagreements()
    undecided = [one for one in [*votes, *grades] if one.question in made.study.questions]
    if not undecided:
        return
    st.header("What they see differently", anchor=False)
    st.caption("Look again and decide: your word then stands for everybody. The sides stay hidden.")
    judge = st.session_state.get("judge-name")
    for i, disagreement in enumerate(undecided[:_LISTED]):
        text = made.study.questions[disagreement.question].text
        with st.container(border=True):
            left, right = st.columns([5, 1], vertical_alignment="center")
            left.markdown(f"**{literal(text[:300])}**")
            left.caption(literal(_votes_in_words(setup, disagreement, corpus)))
            if judge and right.button("Decide", key=f"judge-decide-{i}", width="stretch"):
                board.ask_first(project, str(judge), disagreement.question, final=True)
                board.turn_to("judge")
                st.rerun()
    if len(undecided) > _LISTED:
        st.caption(f"And {len(undecided) - _LISTED} more.")


def _votes_in_words(setup: Setup, disagreement: Disagreement, corpus: Corpus) -> str:
    """Who said what; of votes only how they differ where sides stay hidden."""
    if disagreement.document is not None:
        document = corpus.document(disagreement.document)
        name = (document.title or document.text[:80]) if document else "a document that is gone"
        return f"{name}: " + ", ".join(
            f"{judge} says {said}" for judge, said in disagreement.said.items()
        )
    if setup.reveal == "never":
        return f"{' and '.join(disagreement.said)} voted differently."
    pair = setup.pair
    return ", ".join(
        f"{judge} voted {_vote(pair, said)}" for judge, said in disagreement.said.items()
    )


def _vote(pair: ColumnPair, said: str) -> str:
    choices: dict[str, Choice] = {"first": "first", "second": "second"}
    column = pair.preferred(choices[said]) if said in choices else None
    return f"for {column_title(column)}" if column else said
