"""Keyword search over a corpus file that belongs to no project."""

from search.corpus.corpus import Corpus
from search.retrieval.bm25.index import TermIndex, build
from search.retrieval.bm25.tokenizer import Analysis
from search.retrieval.sparse import BM25Retriever


def keyword_searcher(corpus: Corpus, analysis: Analysis = Analysis()) -> BM25Retriever:
    """Index the corpus in a folder beside its file."""
    folder = corpus.path.parent / "words"
    folder.mkdir()
    build(corpus.embedded_texts(0, corpus.passages), analysis, folder)
    return BM25Retriever(corpus, TermIndex.load(folder, analysis, corpus.passages))
