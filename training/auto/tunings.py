"""The ways to fine-tune that are tried, one after another: what the first one did decides what the others are worth.

A large step and a small one from the start; on from where the better one ended, with hard negatives, which say something
new (Xiong et al. 2020, "Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval"); and more
wrong answers at once (larger batches: Qu et al. 2021, "RocketQA").
"""

from dataclasses import dataclass

from training.settings import BATCH_SIZE

TUNE = "fine-tune"


@dataclass(frozen=True)
class Tuning:
    """One way to fine-tune.

    :param name: on the leaderboard, after "fine-tune"; the first has none.
    :param rate: the learning rate, as a share of the rate of the best one so far where it is `relative`.
    :param epochs: at most.
    :param share: it is begun where it can see at least so large a share of what the first one saw.
    :param goes_on: it starts where the best one so far ended.

    >>> Tuning("smaller steps", 5e-5).title
    'fine-tune, smaller steps'
    """

    name: str
    rate: float
    relative: bool = False
    epochs: int = 4
    share: float = 0.5
    batch_size: int = BATCH_SIZE
    hard_negatives: int = 0
    goes_on: bool = False

    @property
    def title(self) -> str:
        """Its name on the leaderboard."""
        return f"{TUNE}, {self.name}" if self.name else TUNE


TUNINGS = (
    Tuning("", 2e-4, share=0.0),
    Tuning("smaller steps", 5e-5),
    Tuning(
        "gone on with hard negatives", 0.5, relative=True, share=0.0, hard_negatives=1, goes_on=True
    ),
    Tuning("larger batches", 1.5, relative=True, epochs=8, batch_size=4 * BATCH_SIZE),
)
"""In the order in which they are tried; each is another one, none more of the same."""
