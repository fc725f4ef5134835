"""Bad requests to every route: the right status, one sentence that says what is wrong and where, and nothing in a log.

PYTHONPATH=.:engine:tests python -m server.test_bad_requests        prints all sentences, for a person to read
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import anyio.from_thread
import httpx2
import pytest

from minis import hasty
from structgen.server import ServerSettings, create_app

from . import bad_requests, bad_sources
from .bad import BODY_BYTES, KEY, PROMPT_CHARACTERS, SECRET, Bad

GROUPS = {
    group.__name__: group
    for group in (
        bad_requests.everywhere,
        bad_requests.about,
        bad_requests.fields,
        bad_requests.texts,
        bad_requests.questions,
        bad_sources.formats,
        bad_sources.tools,
    )
}
LONGEST = 450  # characters of a sentence
SETTINGS = ServerSettings(
    names=("toy",),
    keys=(KEY,),
    body_bytes=BODY_BYTES,
    prompt_characters=PROMPT_CHARACTERS,
    compile_seconds=1,
)


def replies(requests: Iterator[Bad]) -> list[tuple[Bad, httpx2.Response]]:
    """What a server with a toy model says to each request."""
    app = create_app(hasty(), SETTINGS)

    async def run() -> list[tuple[Bad, httpx2.Response]]:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=60) as http:
            return [(bad, await _asked(http, bad)) for bad in requests]

    try:
        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(run)
    finally:
        app.state.service.workers.close()


async def _asked(http: httpx2.AsyncClient, bad: Bad) -> httpx2.Response:
    headers = {"content-type": "application/json", **dict(bad.headers)}
    key = {} if bad.key is None else {b"authorization": b"Bearer " + bad.key.encode("latin-1")}
    given = [*key.items(), *((name.encode(), value.encode()) for name, value in headers.items())]
    return await http.request(bad.method, bad.path, content=bad.content, headers=given)


@pytest.mark.parametrize("group", GROUPS)
def test_bad_requests_get_the_right_status_and_one_sentence(group: str, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        found = replies(GROUPS[group]())
    wrong = [f"{bad.path} {bad.label}: {fault}" for bad, reply in found for fault in faults(bad, reply)]
    assert not wrong, "\n".join(wrong)
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]
    said = "\n".join(str(vars(record)) for record in ours)
    assert len(ours) >= len(found)
    for private in (SECRET, KEY, "Traceback"):
        assert private not in said


def faults(bad: Bad, reply: httpx2.Response) -> Iterator[str]:
    """What is wrong with a reply."""
    if reply.status_code != bad.status:
        yield f"status {reply.status_code}, not {bad.status}: {reply.text[:200]}"
        return
    if reply.json().keys() != {"error"} or reply.json()["error"].keys() != {
        "message",
        "type",
        "param",
        "code",
    }:
        yield f"the error has another shape: {reply.text[:200]}"
        return
    error = reply.json()["error"]
    if error["param"] != bad.param:
        yield f"param {error['param']!r:.100}, not {bad.param!r:.100}"
    if error["type"] != "invalid_request_error":
        yield f"type {error['type']}"
    message = error["message"]
    if not message or len(message) > LONGEST or "\n" in message or message.endswith(".") or ". " in message:
        yield f"this is not one sentence: {message[:500]}"
    if "x-request-id" not in reply.headers or reply.headers.get("x-should-retry") != "false":
        yield "a header is missing"


def main() -> None:
    """Print what each bad request is told."""
    for group in GROUPS.values():
        for bad, reply in replies(group()):
            error = reply.json()["error"]
            print(f"{bad.method} {bad.path[:60]} · {bad.label}")
            print(f"    {reply.status_code} {error['message']}  [{error['param']}, {error['code']}]")
            for fault in faults(bad, reply):
                print(f"    ** {fault}")


if __name__ == "__main__":
    main()
