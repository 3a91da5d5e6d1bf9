"""The judging of one project as it stands: what to ask whom next, and what the votes say so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from search.judging.aggregation import Grades, Votes
from search.judging.blinding import BlindedView, blinded_view
from search.judging.next_question import Candidate, Decisiveness, Queue, distance, queue
from search.judging.sequential_test import (
    FEWEST_FOR_A_SHARE,
    FEWEST_TO_SETTLE,
    Forecast,
    forecast,
    share_interval,
    sign_test,
)
from search.judging.setup import Setup
from search.judging.store import JudgmentStore, Question, RankedDocuments
from search.judging.votes import Judgment
from search.projects.artifacts import Manifest
from search.projects.project import Project
from search.retrieval.columns import column_title


@dataclass(frozen=True)
class Tally:
    """What the judges prefer together, question by question, and how sure that is."""

    one: str
    other: str
    wins: int
    losses: int
    both: int
    neither: int
    split: int

    @property
    def voted(self) -> int:
        """How many questions have a vote."""
        return self.wins + self.losses + self.both + self.neither + self.split

    @property
    def p_value(self) -> float:
        """Of the sign test on the questions with a preference."""
        return sign_test(self.wins, self.losses)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the share of preferences for `one`."""
        return share_interval(self.wins, self.losses)

    def forecast(self, possible: int) -> Forecast:
        """How it may go on."""
        return forecast(self.wins, self.losses, possible)

    @property
    def headline(self) -> str:
        """The verdict in a few plain words."""
        on = f"{self.voted:,} {'question' if self.voted == 1 else 'questions'}"
        if not self.voted:
            return "Nobody has voted yet."
        if not self.wins + self.losses:
            return f"No side was preferred on any of the {on}."
        if self.wins == self.losses:
            times = "once" if self.wins == 1 else f"{self.wins} times"
            return f"Each side was preferred as often as the other: {times}, on {on}."
        name = column_title(self.one if self.wins > self.losses else self.other)
        if self.wins + self.losses < FEWEST_FOR_A_SHARE:
            ahead, behind = max(self.wins, self.losses), min(self.wins, self.losses)
            return f"{name} leads {ahead} to {behind}: too few votes to say more."
        if forecast(self.wins, self.losses, 0).needed == 0:
            return f"{name} is preferred."
        return f"{name} is ahead, which may still be chance."

    @property
    def figures(self) -> str:
        """How often the side that is ahead was preferred, and what that leaves open; "" where none is ahead, or on few votes."""
        decided = self.wins + self.losses
        if self.wins == self.losses or decided < FEWEST_FOR_A_SHARE:
            return ""
        won, (low, high) = self.wins, self.interval
        if self.losses > self.wins:
            won, low, high = self.losses, 1 - high, 1 - low
        return (
            f"Preferred on {won} of the {decided} questions with a preference ({won / decided:.0%}; 95% interval "
            f"{low:.0%} to {high:.0%})."
        )

    @property
    def sentence(self) -> str:
        """Both, for a terminal."""
        return f"{self.headline} {self.figures}".strip()


@dataclass(frozen=True)
class Study:
    """Everything that is known of the judging of one pair of columns.

    `questions` are those that both columns were asked, by id; `rankings` what the pair's first and second column
    found for each of them; `judgments` what stands.
    """

    setup: Setup
    questions: Mapping[str, Question]
    rankings: tuple[Mapping[str, RankedDocuments], Mapping[str, RankedDocuments]]
    judgments: Sequence[Judgment]
    secret: bytes

    @classmethod
    def of(cls, project: Project, setup: Setup, corpus: Manifest) -> "Study":
        """The study as it stands on disk."""
        store = JudgmentStore.of(project)
        pair = setup.pair
        versions = setup.versions(project, corpus)
        first, second = (store.rankings(name, versions[name]) for name in (pair.first, pair.second))
        questions = {q.id: q for q in store.questions() if q.id in first and q.id in second}
        return cls(setup, questions, (first, second), store.standing(), store.secret())

    def lists(self, question: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the pair's first and second column show for a question: ids of documents, best first."""
        first, second = (
            tuple(place.id for place in ranking[question][: self.setup.depth])
            for ranking in self.rankings
        )
        return first, second

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The questions that are lined up: the query set's where the columns differ most, and all others."""
        apart = {q: _distance(*self.lists(q)) for q in self.questions}
        given = [q for q, asked in self.questions.items() if asked.origin == "query set"]
        ranked = sorted(given, key=lambda q: (-apart[q], q))
        voted = set(self.votes.questions)
        kept = set(ranked[: self.setup.goal]) | (voted & apart.keys())
        kept |= apart.keys() - set(given)
        return [Candidate(q, apart[q]) for q in self.questions if q in kept]

    @cached_property
    def votes(self) -> Votes:
        """All votes on the pair."""
        return Votes.of(self.judgments, self.setup.pair)

    @cached_property
    def grades(self) -> Grades:
        """All grades."""
        return Grades.of(self.judgments)

    def answered(self, judge: str) -> list[str]:
        """The questions that a judge voted on."""
        return [q for q, said in self.votes.by_question.items() if judge in said]

    def graded(self, judge: str, question: str, final: bool = False) -> dict[str, int]:
        """What a judge said of documents for a question."""
        return {
            judgment.target: int(judgment.value)
            for judgment in self.judgments
            if judgment.kind == "grade" and judgment.value is not None and judgment.final == final
            and (judgment.judge, judgment.question) == (judge, question)
        }  # fmt: skip

    def queue(self, judge: str, ahead: Sequence[str] = ()) -> Queue:
        """What to ask a judge next."""
        mine = set(self.answered(judge))
        others = {q for q, said in self.votes.by_question.items() if said.keys() - {judge}}
        voted = {name for said in self.votes.by_question.values() for name in said}
        active = sorted(voted | {judge})
        turn = (active.index(judge), len(active))
        return queue(self.candidates, mine, others, self._decisive, ahead, turn)

    def blinded_view(self, judge: str, question: str) -> BlindedView:
        """What a judge sees of a question."""
        return blinded_view(
            self.secret, judge, question, self.setup.pair, self.lists(question),
            self.setup.layout, self.setup.depth,
        )  # fmt: skip

    @cached_property
    def tally(self) -> Tally:
        """Preferences of the set-up's first column against its second."""
        found = [self.votes.together(question) for question in self.votes.questions]
        first, second = found.count("first"), found.count("second")
        if self.setup.pair.first != self.setup.one:
            first, second = second, first
        return Tally(
            self.setup.one, self.setup.other, first, second,
            found.count("both"), found.count("neither"), found.count(None),
        )  # fmt: skip

    def outlook(self, judge: str) -> str:
        """How many more votes would settle it, in plain words."""
        waiting = self.queue(judge)
        fresh = [waiting.gains[q] for q in waiting.questions if q in waiting.fresh]
        ahead = self.tally.forecast(len(fresh))
        if ahead.needed == 0:
            return "Settled: more votes would only sharpen the figure."
        if not fresh:
            return "Not settled, and every question was asked. Add questions to go on."
        missing = FEWEST_TO_SETTLE - self.tally.wins - self.tally.losses - len(fresh)
        if missing > 0:
            return (
                f"At least {FEWEST_TO_SETTLE} questions with a preference are needed to settle it: ask {missing} more "
                "that the two answer differently."
            )
        likely = int(sum(fresh))
        votes = waiting.votes_for(ahead.needed) if ahead.needed is not None else None
        if votes is not None:
            if not self.tally.voted:
                return f"About {votes} votes will probably settle it."
            more = "One more vote" if votes == 1 else f"About {votes} more votes"
            return f"{more} would settle it, if preferences go on like this."
        chance = self.tally.forecast(likely).chance
        left = "one question that is" if len(fresh) == 1 else f"{len(fresh)} questions that are"
        return (
            f"The {left} left will probably not settle it (chance {chance:.0%}): the sides are close, or more "
            "questions are needed."
        )

    @property
    def _decisive(self) -> Decisiveness:
        apart = {c.question: c.apart for c in self.candidates}
        seen = [
            (apart[q], self.votes.together(q) in ("first", "second"))
            for q in self.votes.questions
            if q in apart
        ]
        return Decisiveness(seen)


@lru_cache(maxsize=8192)
def _distance(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return 0.0 if one == other else distance(one, other)
