"""The server: a loaded model behind OpenAI's protocol, with `create_app` for any ASGI server.

| part | one idea |
|---|---|
| `wire/` | the requests as clients write them, and which of their fields are refused |
| `asking/` | a request in the server's own words, whichever endpoint it came to |
| `answering/` | what the model says to it, on a worker thread |
| `replies/` | the answer as each endpoint spells it, whole or as a stream |
| `routes/` | the endpoints |
| `app.py` | the application: routes, limits, keys, errors and metrics around one model |
"""

from structgen.server.app import create_app
from structgen.server.settings import ServerSettings

__all__ = ["ServerSettings", "create_app"]
