"""Makes custom models: pairs, recipes, fine-tuning, word vectors."""
