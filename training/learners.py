"""The recipes that learn from pairs, by name."""

from typing import NamedTuple

from training.adapter.recipe import learn_adapter
from training.adapter.settings import Adapter
from training.fine_tune.recipe import learn_fine_tune
from training.fine_tune.settings import FineTune
from training.result import Learn
from training.settings import Recipe
from training.static.recipe import learn_static
from training.static.settings import Static


class PairRecipe(NamedTuple):
    """A recipe that learns from pairs: its settings, and the function that learns by them."""

    settings: type[Recipe]
    learn: Learn


LEARNERS = {
    "adapter": PairRecipe(Adapter, learn_adapter),
    "fine-tune": PairRecipe(FineTune, learn_fine_tune),
    "static": PairRecipe(Static, learn_static),
}
