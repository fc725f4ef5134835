"""Answers as each endpoint spells them, whole or as a stream of server-sent events."""
