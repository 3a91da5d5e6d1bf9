"""Indexes on a Milvus server or cluster, behind the same protocol as those on this machine."""
