"""Texts into vectors: any model, whatever computes it. `api` are servers, `pretrained` models that somebody else
made, `encoding` whole corpora and what is remembered of them; `cross_encoders` reads again what was found.

May import corpus, projects, text and indexes. Only load.py and what stands beside it know the kinds of model; who
needs a model takes an `Encoder`.

Start reading at encoder.py (what every model is), registry.py (the models of a project, known without loading) and
load.py (a format decides which loader is imported).
"""
