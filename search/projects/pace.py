"""How fast work goes, by what it reported lately: what it did before its first step (loading a model) says nothing of it."""

_WINDOW = 10.0
"""Seconds that are looked back at least, or four tenths of the work so far."""
_LOOK_BACK = 0.4
_LEAP, _AT_ONCE = 0.04, 1.5
"""What is known already is passed over at once: so much more in so few seconds is no pace."""
_APART = 0.4
_LEAST_SECONDS, _LEAST_SHARE = 2.0, 0.005


class Pace:
    """Follows the share of some work that is done.

    >>> pace = Pace()
    >>> [pace.seen(moment, share) for moment, share in ((100.0, 0.0), (101.0, 0.01), (110.0, 0.1))]
    [None, None, 0.01]
    """

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []

    def seen(self, moment: float, share: float) -> float | None:
        """Note how much is done at a moment (in seconds).

        :returns: the share that is done in a second; None where that cannot be told yet.
        """
        if self._seen and share < self._seen[-1][1]:  # Another piece of work begins.
            self._seen = []
        if self._seen:
            last, before = self._seen[-1]
            if share - before > _LEAP and moment - last < _AT_ONCE:
                self._seen = [(when, done + share - before) for when, done in self._seen]
        if not self._seen or moment - self._seen[-1][0] >= _APART:
            self._seen.append((moment, share))
        back = moment - max(_WINDOW, _LOOK_BACK * (moment - self._seen[0][0]))
        start, done = max((one for one in self._seen if one[0] <= back), default=self._seen[0])
        if moment - start < _LEAST_SECONDS or share - done < _LEAST_SHARE:
            return None
        return (share - done) / (moment - start)
