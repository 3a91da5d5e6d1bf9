"""What the judgments of a project say, for a page, a terminal and a script."""

from dataclasses import asdict, dataclass
from typing import Any

from search.corpus.corpus import current_corpus
from search.judging.inter_rater import InterRaterAgreement
from search.judging.sequential_test import bayes_factor, settled
from search.judging.setup import Setup
from search.judging.store import JudgmentStore
from search.judging.study import Study
from search.projects.project import Project
from search.retrieval.columns import column_title


@dataclass(frozen=True)
class Summary:
    """The verdict on two columns, who voted how much, and how far they agree."""

    study: Study
    judges: dict[str, dict[str, int]]
    votes_agreement: InterRaterAgreement
    grades_agreement: InterRaterAgreement

    @property
    def lines(self) -> list[str]:
        """In plain sentences."""
        tally = self.study.tally
        one, other = column_title(tally.one), column_title(tally.other)
        lines = [f"{one} against {other}. {tally.sentence}"]
        if tally.voted:
            lines.append(
                f"{one} {tally.wins}, {other} {tally.losses}; {tally.both} both good, {tally.neither} neither, "
                f"{tally.split} where judges are split. Sign test p = {tally.p_value:.3f}."
            )
            lines.append(self.study.outlook(""))
        for name, counts in self.judges.items():
            votes, grades = counts["votes"], counts["grades"]
            lines.append(
                f"{name}: {votes:,} {'vote' if votes == 1 else 'votes'}, {grades:,} "
                f"{'grade' if grades == 1 else 'grades'}."
            )
        if len(self.judges) > 1:
            lines.append(self.votes_agreement.sentence())
            if self.grades_agreement.items:
                lines.append(self.grades_agreement.sentence("document"))
        return lines

    def as_json(self) -> dict[str, Any]:
        """The shape that `judgments --json` prints."""
        tally = self.study.tally
        low, high = tally.interval
        return {
            "setup": self.study.setup.as_json(),
            "questions": len(self.study.candidates),
            "judges": self.judges,
            "preferences": {
                "wins": {tally.one: tally.wins, tally.other: tally.losses},
                "both": tally.both,
                "neither": tally.neither,
                "split": tally.split,
                "share": [low, high],
                "p_value": tally.p_value,
                "evidence": bayes_factor(tally.wins, tally.losses),
                "settled": settled(tally.wins, tally.losses),
                "verdict": tally.sentence,
                "outlook": self.study.outlook(""),
            },
            "agreement": {
                "votes": asdict(self.votes_agreement),
                "grades": asdict(self.grades_agreement),
            },
            "judgments": self.study.grades.judgments(),
        }


def summary(project: Project, setup: Setup) -> Summary:
    """Sum up the judging of two columns.

    :raises Refused: without documents.
    """
    study = Study.of(project, setup, current_corpus(project)[0])
    judges = {name: {"votes": 0, "grades": 0} for name in JudgmentStore.of(project).judges()}
    for judgment in study.judgments:
        counts = judges.setdefault(judgment.judge, {"votes": 0, "grades": 0})
        if judgment.kind == "grade":
            counts["grades"] += 1
        elif judgment.target == setup.pair.key:
            counts["votes"] += 1
    return Summary(
        study, judges, study.votes.inter_rater_agreement(), study.grades.inter_rater_agreement()
    )
