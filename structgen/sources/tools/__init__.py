"""Tools as sources: what a model may call, and the reply that it gives."""

from .choice import ToolChoice
from .reply import Call, Reply
from .schemas import rebased
from .source import Tools
from .tool import Tool

__all__ = ["Call", "Reply", "Tool", "ToolChoice", "Tools", "rebased"]
