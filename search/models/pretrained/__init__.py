"""Models that somebody else made: checkpoints by folder or hub id, static vectors, servers behind an address.

`checkpoints` brings files onto this machine, reads and verifies them (safetensors only), `kinds` says what is no
embedding model, `peft_folders` merges what PEFT saved, `longest_text` finds how much is really read, `opening` puts these
together for models that are added and for starts of trainings, `wordllama` is the static model. May import prompts, registry, api and the loader of SentenceTransformers.

Start reading at add.py: a model is looked at, tried, and noted.
"""
