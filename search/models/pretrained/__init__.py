"""Models that somebody else made: checkpoints by folder or hub id, static vectors, servers behind an address.

`checkpoints` brings files onto this machine, reads and verifies them (safetensors only), `wordllama` is the
static model. May import prompts, registry, api and the loader of SentenceTransformers.

Start reading at add.py: a model is looked at, tried, and noted.
"""
