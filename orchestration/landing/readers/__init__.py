"""Readers: a file's bytes as batches of lines, documents, records or rows, each by its format."""
