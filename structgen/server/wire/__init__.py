"""Requests as clients write them: one module for each endpoint, and what they share."""
