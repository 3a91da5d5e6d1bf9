"""A run of auto, and what the manifest of its model says."""

from search.models.registry import find_model
from training.train import train


def run_auto(at, base, minutes, **more):
    return train(at, "auto", "mine", {"base": str(base), "minutes": minutes}, **more)


def details_of(at, name):
    return at.artifact("models", find_model(at, name).id).details
