"""The recipes that learn from pairs, by name."""

from typing import NamedTuple

from training.adapter.recipe import learn_adapter
from training.adapter.settings import AdapterSettings
from training.fine_tune.recipe import learn_fine_tune
from training.fine_tune.settings import FineTuneSettings
from training.result import Learn
from training.settings import RecipeSettings
from training.static.recipe import learn_static
from training.static.settings import StaticSettings


class PairRecipe(NamedTuple):
    """A recipe that learns from pairs: its settings, and the function that learns by them."""

    settings: type[RecipeSettings]
    learn: Learn


LEARNERS = {
    "adapter": PairRecipe(AdapterSettings, learn_adapter),
    "fine-tune": PairRecipe(FineTuneSettings, learn_fine_tune),
    "static": PairRecipe(StaticSettings, learn_static),
}
