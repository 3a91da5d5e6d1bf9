"""Files into documents, pairs and judgments, with errors that a user understands."""
