"""What a training gained and what it forgot, as its model's manifest says."""

from dataclasses import dataclass

from search.projects.artifacts import Manifest

FORGOT = 0.05
"""A fall on the general questions (nDCG@10) from which on it is to be said aloud."""


@dataclass(frozen=True)
class TrainingGain:
    """Dev scores (nDCG@10) of a model: its start's (None where it learned from scratch), its own, and on how many queries.

    `general` are the scores of the start and of the model on questions outside the corpus; None where none were asked.
    """

    start: float | None
    model: float | None
    queries: int
    general: tuple[float, float] | None

    @classmethod
    def of(cls, manifest: Manifest, from_pairs: bool) -> "TrainingGain":
        """What a manifest keeps.

        :param from_pairs: whether the recipe keeps its best state; one that learns words keeps its last.
        """
        dev, general = manifest.details.get("dev") or {}, manifest.details.get("general")
        scores = dev.get("ndcg@10") or []
        start = scores[0] if from_pairs and scores else None
        model = (max(scores) if from_pairs else scores[-1]) if scores else None
        asked = (general["start"], general["ndcg@10"]) if general else None
        return cls(start, model, dev.get("queries", 0), asked)

    @property
    def forgot(self) -> float:
        """How much lower it scores than its start on the general questions; 0 where it does not."""
        return max(0.0, self.general[0] - self.general[1]) if self.general else 0.0
