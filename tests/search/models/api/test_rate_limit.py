"""Requests and tokens a minute, by a clock that the test turns."""

import pytest

from search.models.api.client import RateLimiter


class Clock:
    def __init__(self):
        self.now = 1_000.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def test_without_bounds_it_never_waits(clock):
    rate_limiter = RateLimiter(None, None, clock, clock.sleep)
    for _ in range(1_000):
        rate_limiter.wait(10**9)
    assert clock.slept == []


def test_requests_a_minute(clock):
    rate_limiter = RateLimiter(3, None, clock, clock.sleep)
    times = []
    for _ in range(8):
        rate_limiter.wait(1)
        times.append(clock.now - 1_000)
        clock.now += 1
    assert times == [0, 1, 2, 60, 61, 62, 120, 121]


def test_tokens_a_minute(clock):
    rate_limiter = RateLimiter(None, 100, clock, clock.sleep)
    times = []
    for tokens in (60, 40, 1, 99, 100):
        rate_limiter.wait(tokens)
        times.append(clock.now - 1_000)
    assert times == [0, 0, 60, 60, 120]


def test_never_more_than_allowed_in_any_minute(clock, rng):
    rate_limiter = RateLimiter(5, 1_000, clock, clock.sleep)
    sent = []
    for _ in range(200):
        tokens = rng.randint(1, 600)
        rate_limiter.wait(tokens)
        sent.append((clock.now, tokens))
        clock.now += rng.random() * 20
    for start, _ in sent:
        within = [tokens for at, tokens in sent if start <= at < start + 60 - 1e-6]
        assert len(within) <= 5 and sum(within) <= 1_000


def test_a_request_larger_than_a_minute_goes_when_the_minute_is_empty(clock):
    rate_limiter = RateLimiter(None, 100, clock, clock.sleep)
    rate_limiter.wait(50)
    rate_limiter.wait(1_000)
    assert clock.slept == [60.0]
