"""Documents: the text of a file of any kind that people extract from, and where on its pages each part of it stands."""

from structgen.documents.document import Document
from structgen.documents.places import Box, Page

__all__ = ["Box", "Document", "Page"]
