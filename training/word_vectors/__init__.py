"""Word2Vec and FastText from scratch: how a corpus is read, the training, and how it goes on after a kill."""
