"""The recipes as people set them: settings, and the list of them."""
