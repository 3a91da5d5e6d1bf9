"""The keyword index: texts as terms (tokenizer), stems and function words by language (languages), postings with their BM25 parts (index), kept as artifacts (store).

Imports no other part of retrieval. Start reading at index.py.
"""
