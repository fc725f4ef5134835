"""Vocabularies: the bytes that each token id spells, and the prefix tree of all tokens."""
