"""From a recipe to a published model: one room a recipe."""
