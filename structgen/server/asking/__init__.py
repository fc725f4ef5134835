"""Requests in the server's own words: the conversation, what the answer has to be, and how many answers."""
