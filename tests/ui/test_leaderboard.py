"""The leaderboard of auto as a run reports it."""

from ui import leaderboard


def _event(**numbers):
    return {"message": "", "metrics": {name.replace("_", " "): n for name, n in numbers.items()}}


def test_the_curve_is_that_of_the_trial_that_is_tried_and_of_the_model_that_learns_it_now():
    trial = _event(trial=1, trial_seconds=2.0, trial_outcome=1)
    before = _event(step=9, loss=0.1)
    alone = [_event(step=1, loss=0.9), _event(), _event(step=2, loss=0.8)]
    assert leaderboard.events_since([before, trial, *alone]) == alone
    first = [_event(step=step, loss=0.9, trial_member=0) for step in (1, 2)]
    second = [_event(step=1, loss=0.7, trial_member=1)]
    events = [before, trial, *first, _event(), *second, _event()]
    assert leaderboard.events_since(events) == second
    assert leaderboard.events_since([before, trial, *first]) == first
    assert leaderboard.events_since([before, trial]) == []
