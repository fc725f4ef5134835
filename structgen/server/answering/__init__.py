"""Answering: from a request in the server's own words to what the model says, on a worker thread."""
