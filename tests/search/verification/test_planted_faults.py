"""Planted faults are named, one by one and in pairs, and a right server is never accused."""

import pytest
from planted import FAULTS, PAIRS, RIGHT, expected, planted

from search.verification.asking import AskedServer, ask
from search.verification.diagnosis import diagnose
from search.verification.faults import faults_of
from search.verification.probes import probes
from search.verification.variants import LocalModel

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def local(adapted):
    return LocalModel(adapted)


@pytest.fixture(scope="module")
def asked(local):
    return probes([], local.window)


@pytest.fixture
def accused(adapted, local, asked):
    """What a server with some faults is accused of."""

    def run(*names):
        server = planted(adapted, *names)
        answers = ask(AskedServer(server, None), asked)
        seen = diagnose(local, asked, answers)
        return {fault.name: fault for fault in faults_of(local, answers, seen, sent_here=False)}

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_server_is_never_accused(accused, name):
    assert accused(name) == {}


def test_a_fault_is_named(accused):
    assert set(accused("no adapter", "half the dimensions")) == {"Dense missing", "dimension"}


@pytest.mark.slow
@pytest.mark.sample(5)
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_named(accused, name):
    assert set(accused(name)) == expected(name)


@pytest.mark.slow
@pytest.mark.sample(3)
@pytest.mark.parametrize("names", PAIRS, ids=" and ".join)
def test_two_faults_at_once_are_both_named(accused, names):
    assert set(accused(*names)) == expected(*names)


@pytest.mark.slow
def test_what_is_said_names_what_to_set(accused):
    said = accused("cut at 200", "not normalised")
    assert said["cut"].sentence.startswith("It cuts texts at 200 tokens; the model reads 256.")
    assert "--max-model-len" in said["cut"].remedy
    assert "long; the model's are of length 1" in said["not normalised"].what
    pooling = accused("last token")["pooling"]
    assert (
        pooling.what
        == "It takes the last token as the vector; the model takes the mean of all tokens."
    )
    assert "--pooling mean" in pooling.remedy
    missing = accused("no prompt before queries")["prompt missing"]
    assert missing.what == "No prompt goes before queries."
    assert "'query: ' before queries" in missing.remedy
