"""From wins and losses to a verdict: how sure, and how many more votes would settle it.

Each question with a preference is a coin that shows one column or the other. Three looks at the same counts:

- the exact sign test (two-sided binomial against one half; questions without a preference are left out);
- the 95% interval of the share, from the Beta posterior with Jeffreys' prior (Brown, Cai and DasGupta 2001);
- the evidence against "both are preferred equally often": the likelihood averaged over all shares, divided
  by that at one half. Under equality its mean is 1 however long one goes on, so it passes 20 with a chance
  of at most 1 in 20 (Ville 1939; Robbins 1970). A judge may therefore look after every vote and stop when it
  does; with a p-value that is looked at again and again, that would be cheating.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

ENOUGH = 20.0
"""Evidence from which on a comparison counts as settled: an error of at most 1 in 20, whenever one stops."""
_FARTHEST = 400
FEWEST_TO_SETTLE = 8
"""Preferences, all for one side, with which a comparison can be settled: 2^8 / 9 is the first such figure over 20."""
FEWEST_FOR_A_SHARE = 5
"""Preferences under which a share and its interval say nothing: after one vote it is 100 %, of 15 to 100 %."""


def sign_test(wins: int, losses: int) -> float:
    """The two-sided p-value of the exact sign test."""
    count = wins + losses
    tail = sum(math.comb(count, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / (1 << count))


def share_interval(wins: int, losses: int) -> tuple[float, float]:
    """The 95% interval of the share of wins: Beta(wins + 1/2, losses + 1/2), closed at a border that was reached."""
    from scipy.stats import beta

    if wins + losses == 0:
        return 0.0, 1.0
    posterior = beta(wins + 0.5, losses + 0.5)
    low = 0.0 if wins == 0 else float(posterior.ppf(0.025))
    high = 1.0 if losses == 0 else float(posterior.ppf(0.975))
    return low, high


def bayes_factor(wins: int, losses: int) -> float:
    """How many times better a share that is open explains the counts than a share of one half."""
    count = wins + losses
    log = math.lgamma(wins + 1) + math.lgamma(losses + 1) - math.lgamma(count + 2)
    return math.exp(min(log + count * math.log(2), 700.0))


def settled(wins: int, losses: int) -> bool:
    """Whether there is evidence enough, whenever one looks."""
    return bayes_factor(wins, losses) >= ENOUGH


@dataclass(frozen=True)
class Forecast:
    """How a comparison will go on, if preferences go on as they did.

    `needed` is the number of further preferences after which it is as likely as not to be settled (0: it is
    already); None: not within the next few hundred. `chance` is the chance that those still possible settle it.
    """

    needed: int | None
    chance: float


@lru_cache(maxsize=4096)
def forecast(wins: int, losses: int, possible: int) -> Forecast:
    """Look ahead: every way the next preferences may fall, each with its chance.

    The chance that the next one is a win is (wins + 1) / (wins + losses + 2), which learns as it goes (Laplace;
    Polya's urn); the paths are counted exactly, not simulated.

    :param possible: how many more preferences there can be.
    """
    possible = min(possible, _FARTHEST)
    if settled(wins, losses):
        return Forecast(0, 1.0)
    alive = {wins: 1.0}  # Wins so far, to the chance of standing there and not being settled.
    done, needed, chance = 0.0, None, 0.0
    for step in range(1, _FARTHEST + 1):
        count = wins + losses + step - 1
        ahead: dict[int, float] = {}
        for won, share in alive.items():
            win = (won + 1) / (count + 2)
            for after, part in ((won + 1, share * win), (won, share * (1 - win))):
                if settled(after, count + 1 - after):
                    done += part
                else:
                    ahead[after] = ahead.get(after, 0.0) + part
        alive = ahead
        if step == possible:
            chance = done
        if done >= 0.5 and needed is None:
            needed = step
        if needed is not None and step >= possible:
            break
    return Forecast(needed, chance)
