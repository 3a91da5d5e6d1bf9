"""The recipes that learn from pairs, by name."""

from training.adapter.recipe import learn_adapter
from training.fine_tune.recipe import learn_fine_tune
from training.result import Learn
from training.static.recipe import learn_static

LEARNERS: dict[str, Learn] = {
    "adapter": learn_adapter,
    "fine-tune": learn_fine_tune,
    "static": learn_static,
}
