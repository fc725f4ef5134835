"""A provider for LangExtract: its extractions are copied from the text by construction, and line up with it exactly."""
