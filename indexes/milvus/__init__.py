"""Indexes on a Milvus server or cluster, behind the same protocol as those on this machine.

`server` asks and says its errors in words, `types` knows what Milvus calls an index, `index` searches. May import
what stands beside it in indexes; pymilvus is imported when it is used.

Start reading at lifecycle.py (build, open, put in service, discard), then index.py.
"""
