"""Suites that people wrote who never saw this server: OpenAI's, LangChain's, JevBench and Schemathesis; and a load."""
