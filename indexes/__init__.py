"""Vectors and positions only: knows no text, no model, no project, and imports nothing of this program.

`flat`, `hnsw` and `ivf` search in a folder on this machine, through FAISS (`faiss_engine`, which also chooses
the type); `milvus` on a server.
Every index has its vectors beside it (`stored_vectors`), so scores are exact whatever finds the candidates.

Start reading at vector_index.py (the protocol, and the one `Vectors` type), then opening.py (build, open, discard),
approximate.py (what hnsw and ivf share, and how a search width is chosen: by counted work, not by time).
"""
