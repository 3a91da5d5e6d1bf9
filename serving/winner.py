"""Which model answers where a request names none, and what was measured of what answers."""

from dataclasses import dataclass
from typing import Any

from search.evaluation.evaluation import tests_of
from search.evaluation.statistics.significance import PairedTest
from search.models.registry import ModelInfo, current_model_name, models, to_be_used
from search.projects.artifacts import Manifest
from search.projects.project import Project


@dataclass(frozen=True)
class Verdict:
    """The newest test of a column, whichever version of the documents it was on."""

    test: PairedTest
    evaluation: Manifest

    def as_json(self, corpus: str | None) -> dict[str, Any]:
        """What an answer says of it.

        :param corpus: the id of the corpus that is searched.
        """
        measured_on = self.evaluation.made_from.get("corpus", "")
        return {
            "sentence": self.test.sentence(int(self.evaluation.details["queries"])),
            "verdict": self.test.verdict,
            "baseline": self.test.baseline,
            "metric": self.test.metric,
            "delta": self.test.delta,
            "ci95": list(self.test.interval),
            "evaluation": self.evaluation.id,
            "corpus": measured_on,
            "of_this_corpus": measured_on == corpus,
        }


def verdicts(project: Project) -> dict[str, Verdict]:
    """The newest verdict on each column that was measured as a candidate, by its name of today.

    Of several tests in one evaluation the last counts: it is against the strongest baseline.
    """
    known: dict[str, Verdict] = {}
    for evaluation in project.manifests("evaluations"):
        for test in tests_of(evaluation):
            known[current_model_name(project, test.candidate)] = Verdict(test, evaluation)
    return known


def winner(project: Project, measured: dict[str, Verdict]) -> ModelInfo:
    """The newest custom model that is better than what it was measured against last; else the one that is called generic.

    Where it was trained once more on everything, that one answers in its place.
    """
    known = models(project)
    for info in reversed(known):
        verdict = measured.get(info.name)
        if info.kind == "custom" and verdict is not None and verdict.test.verdict == "better":
            return to_be_used(project, info)
    return known[0]
