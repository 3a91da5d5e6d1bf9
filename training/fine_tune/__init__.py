"""Fine-tuning a SentenceTransformer on pairs."""
