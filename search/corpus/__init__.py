"""Documents in: files are read (readers/), cut into passages, written as a version of the corpus, described (report/).

May import projects and text; knows no model and no retrieval. The generic model's tokenizer is here (tokenizer.py),
because passages are measured by it.

Start reading at ingest.py (files become a version), then corpus.py (what can be asked of it) and passages.py.
labels.py holds what people say belongs together: pairs and judgments.
"""
