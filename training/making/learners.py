"""The recipes that learn from pairs, by name."""

from training.making.adapter import learn_adapter
from training.making.fine_tune import learn_fine_tune
from training.making.static import learn_static
from training.making.taught import Learn

LEARNERS: dict[str, Learn] = {
    "adapter": learn_adapter,
    "fine-tune": learn_fine_tune,
    "static": learn_static,
}
