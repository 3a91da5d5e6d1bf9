"""The pages: they collect input, call one core function and draw what it returns."""
