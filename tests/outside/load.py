"""Many clients at once: each asks for a number that only its own document has, and must get that one."""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import time
from dataclasses import dataclass, field

import httpx2

from outside.servers import Server

SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string", "x-verbatim": True}},
    "required": ["order"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "order", "schema": SCHEMA}}


@dataclass
class Load:
    """What happened under a load. seconds: of each answer; kilobytes: of memory, at several times"""

    duration: float
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    errors: list[str] = field(default_factory=list)
    mixed: int = 0
    kilobytes: list[int] = field(default_factory=list)

    def row(self) -> dict[str, str]:
        """The figures for a table."""
        cuts = statistics.quantiles(self.seconds, n=20) if len(self.seconds) > 1 else [0.0] * 19
        half = self.kilobytes[len(self.kilobytes) // 2 :] or [1]
        return {
            "answers": f"{len(self.seconds):,}",
            "a second": f"{len(self.seconds) / self.duration:.1f}",
            "p50 / p95, s": f"{cuts[9]:.2f} / {cuts[18]:.2f}",
            "429": f"{self.refused:,}",
            "other errors": str(len(self.errors)),
            "mixed": str(self.mixed),
            "memory, second half": f"{min(half) / 1024:.0f}–{max(half) / 1024:.0f} MiB",
        }


async def loaded(server: Server, clients: int, duration: float) -> Load:
    """Ask as so many clients for so many seconds; a client that gets 429 waits as long as it is told."""
    begun = time.monotonic()
    load, end = Load(duration), begun + duration
    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(base_url=server.url, timeout=300, limits=limits) as http:

        async def client() -> None:
            while time.monotonic() < end:
                await _one(http, load)

        async def watch() -> None:
            while time.monotonic() < end:
                load.kilobytes.append(server.kilobytes)
                await asyncio.sleep(1)

        await asyncio.gather(watch(), *(client() for _ in range(clients)))
    load.duration = time.monotonic() - begun  # the last answers come after the end
    return load


async def _one(http: httpx2.AsyncClient, load: Load) -> None:
    nonce, begun = secrets.token_hex(5), time.monotonic()
    said = [{"role": "user", "content": f"Order {nonce} has been sent."}]
    try:
        reply = await http.post("/v1/chat/completions", json={"messages": said, "response_format": FORMAT})
    except httpx2.HTTPError as error:
        load.errors.append(repr(error))
        return
    if reply.status_code == 429:
        load.refused += 1
        await asyncio.sleep(float(reply.headers["retry-after"]))
        return
    if reply.status_code != 200:
        load.errors.append(reply.text[:200])
        return
    load.seconds.append(time.monotonic() - begun)
    order = json.loads(reply.json()["choices"][0]["message"]["content"])["order"]
    load.mixed += order not in said[0]["content"]


async def leaving(server: Server, clients: int) -> int:
    """How many requests are still answered ten seconds after so many clients have left in the middle of a stream."""
    said = [{"role": "user", "content": "Order 1 has been sent."}]
    body = {"messages": said, "response_format": FORMAT, "stream": True, "structgen": {"canvas": True}}
    async with httpx2.AsyncClient(base_url=server.url, timeout=300) as http:

        async def leave() -> None:
            async with http.stream("POST", "/v1/chat/completions", json=body) as reply:
                async for _ in reply.aiter_lines():
                    return

        await asyncio.gather(*(leave() for _ in range(clients)))
    for _ in range(100):
        if not await asyncio.to_thread(server.pending):
            return 0
        await asyncio.sleep(0.1)
    return server.pending()


async def stopping(server: Server) -> tuple[int, int]:
    """The status of an answer that was under way when the server was told to stop, and the server's exit code."""
    said = [{"role": "user", "content": "Order 1 has been sent."}]
    body = {"messages": said, "response_format": FORMAT, "n": 8, "structgen": {"details": True}}
    async with httpx2.AsyncClient(base_url=server.url, timeout=300) as http:
        asked = asyncio.create_task(http.post("/v1/chat/completions", json=body))
        while not await asyncio.to_thread(server.pending):
            await asyncio.sleep(0.05)
        server.process.terminate()
        reply = await asked
    return reply.status_code, await asyncio.to_thread(server.process.wait, 120)
