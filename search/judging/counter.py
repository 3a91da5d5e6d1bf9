"""How many questions of a project have a right answer, how many wait, and how many more it takes."""

from dataclasses import dataclass

from search.evaluation.query_sets.query_set import current_query_set
from search.evaluation.statistics.power import (
    FEWEST_QUESTIONS,
    how_many_more,
    questions_for_a_verdict,
)
from search.judging.pooling import own_questions
from search.judging.proposals import ORIGIN, proposals
from search.judging.to_query_set import grown_elsewhere, judged_queries
from search.projects.project import Project


@dataclass(frozen=True)
class QuestionCount:
    """What there is to prove anything with.

    :param judged: questions with a right answer, those of a query set from elsewhere among them.
    :param proposed: how many of `judged` were proposed from the documents.
    :param unanswered: questions that were asked and have no right answer yet.
    :param open: proposed questions that nobody accepted or threw away.

    >>> count = QuestionCount(12, 4, 3, 20)
    >>> count.sentence
    '12 of about 30 questions have a right answer. 8 more, and there is a first figure; a large gain shows four times in five on about 30.'
    >>> count.missing
    8
    """

    judged: int
    proposed: int
    unanswered: int
    open: int

    @property
    def aim(self) -> int:
        """About how many make a first verdict."""
        return questions_for_a_verdict()

    @property
    def missing(self) -> int:
        """How many more it takes for any figure; 0 where there are enough."""
        return max(0, FEWEST_QUESTIONS - self.judged)

    @property
    def short(self) -> str:
        """The counter: "12 of about 30", or the number where it is reached."""
        return (
            f"{self.judged:,} of about {self.aim}" if self.judged < self.aim else f"{self.judged:,}"
        )

    @property
    def more(self) -> str:
        """How many more it takes, in words."""
        return how_many_more(self.judged)

    @property
    def sentence(self) -> str:
        """The counter with what it means."""
        return f"{self.short} questions have a right answer. {self.more}"


def count_questions(project: Project) -> QuestionCount:
    """Count the questions of a project, each text once."""
    judged = judged_queries(project)
    answered = {judged.queries[query] for query in judged.queries if judged.relevant(query)}
    own = own_questions(project)
    nobodys = {one.text for one in own if one.origin == ORIGIN} & answered
    unanswered = [one for one in own if one.text not in answered]
    if grown_elsewhere(project.newest("queries")):
        query_set = current_query_set(project)[1]
        answered |= {query_set.queries[q] for q in query_set.queries if query_set.relevant(q)}
    waiting = sum(one.state == "open" for one in proposals(project))
    return QuestionCount(len(answered), len(nobodys), len(unanswered), waiting)
