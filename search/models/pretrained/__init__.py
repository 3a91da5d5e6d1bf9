"""Models that somebody else made: checkpoints by folder or hub id, static vectors, servers behind an address."""
