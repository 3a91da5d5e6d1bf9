"""Documents ranked for a query: by meaning (dense), by words (sparse), by both (hybrid), read again (reranked).

`bm25` holds the keyword index, `indexing` builds and finds the indexes of models. May import models, corpus, projects,
text and indexes; knows no query set and no verdict.

Start reading at retriever.py (what a retriever is), then search.py (columns become retrievers, and search).
"""
