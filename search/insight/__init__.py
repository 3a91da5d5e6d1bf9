"""Why a hit moved, what words mean to a model, what a corpus looks like to it."""
