"""A bad request, and what it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

CHATS, RESPONSES = "/v1/chat/completions", "/v1/responses"
DECISIONS, SYSTEMONE = "/v1/decisions", "/v1/systemone"
BODY_BYTES = 100_000  # that the server of these requests reads
PROMPT_CHARACTERS = 20_000
SECRET = "XYZZY-4711"  # stands in every text
KEY = "sk-QUUX"  # of the server
HALF = "\ud800"  # of a surrogate pair

SAID = [{"role": "user", "content": f"Invoice {SECRET} of Acme"}]
CHAT = {"messages": SAID}
ASKED = {"input": f"Invoice {SECRET} of Acme"}
PREDICATE = {"type": "predicate", "instructions": f"Is {SECRET} paid?"}
DECIDE = {"input": f"Invoice {SECRET}", "questions": [PREDICATE]}
STATE = {"state": f"Invoice {SECRET}", "questions": {"paid": {"type": "noul", "instructions": "Is it paid?"}}}
GOOD = {CHATS: CHAT, RESPONSES: ASKED, DECISIONS: DECIDE, SYSTEMONE: STATE}


@dataclass(frozen=True)
class Bad:
    """A bad request. status, param: of the problem that answers it; headers: beside those of JSON"""

    label: str
    path: str
    body: Any = b""
    status: int = 400
    param: str | None = None
    method: str = "POST"
    key: str | None = KEY
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
