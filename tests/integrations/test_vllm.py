"""The vLLM plugin without vLLM: what requests ask for, what the server's half does, where automata stand."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import structgen as sg
from integrations.vllm_engine import Engine, Request, StockSampler
from structgen.integrations.vllm import extra_args
from structgen.integrations.vllm.asked import KEY, Asked, ThoughtMode, placed, taken
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.frontend import Frontend, Middleware
from structgen.integrations.vllm.sampler import ConstrainedSampler
from structgen_engine.lattice.lattice import BlockLattice
from tiny_gemma import CANVAS, HEAD, small_tokenizer

SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "maximum": 150}},
    "required": ["age"],
    "additionalProperties": False,
}
TAG = {
    "type": "structural_tag",
    "format": {
        "type": "triggered_tags",
        "triggers": ["<call>"],
        "tags": [
            {"begin": "<call>", "content": {"type": "json_schema", "json_schema": SCHEMA}, "end": "</call>"}
        ],
    },
}
OLD_TAG = {"structures": [{"begin": "<call>", "schema": SCHEMA, "end": "</call>"}], "triggers": ["<call>"]}
OPEN = {"type": "object", "properties": {"age": {"type": "integer"}}}
UNIQUE = {
    "type": "object",
    "properties": {"tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}},
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


@pytest.fixture(scope="module")
def compiled(tokenizer: Path) -> Constraints:
    return Constraints(lambda: tokenizer, HEAD)


class TestWhatIsAsked:
    @pytest.mark.parametrize(
        ("body", "kind", "value"),
        [
            ({"response_format": {"type": "json_object"}}, "json_object", True),
            ({"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}, "json", SCHEMA),
            ({"text": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "json", SCHEMA),
            ({"structured_outputs": {"regex": "a+"}}, "regex", "a+"),
            ({"structured_outputs": {"choice": ["a", "b"], "json": None}}, "choice", ["a", "b"]),
            ({"structured_outputs": {"grammar": 'root ::= "a"'}}, "grammar", 'root ::= "a"'),
            ({"structured_outputs": {"structural_tag": json.dumps(TAG)}}, "structural_tag", json.dumps(TAG)),
            ({"response_format": TAG}, "structural_tag", TAG),
            ({"vllm_xargs": {KEY: json.dumps({"json": SCHEMA}), "other": 1}}, "json", SCHEMA),
        ],
    )
    def test_every_spelling_is_taken_out_of_the_body(
        self, body: dict[str, Any], kind: str, value: Any
    ) -> None:
        asked = taken(body)
        assert asked is not None
        assert (asked.kind, asked.value) == (kind, value)
        assert taken(body) is None
        assert body.get("vllm_xargs", {}).get(KEY) is None
        placed(body, asked)
        assert taken(dict(body)) == asked

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"response_format": {"type": "text"}},
            {"text": {"format": {"type": "text"}}},
            {"vllm_xargs": {"a": 1}},
        ],
    )
    def test_what_is_no_constraint_stays(self, body: dict[str, Any]) -> None:
        before = json.dumps(body)
        assert taken(body) is None
        assert json.dumps(body) == before

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (
                {"structured_outputs": {"regex": "a", "choice": ["b"]}},
                "holds one of json, .* here it holds choice, regex",
            ),
            ({"structured_outputs": {}}, "here it holds nothing"),
            ({"structured_outputs": {"json": {}, "whitespace_pattern": " "}}, "whitespace_pattern"),
            ({"structured_outputs": "a"}, "is an object"),
            (
                {"structured_outputs": {"regex": "a"}, "response_format": {"type": "json_object"}},
                "more than one",
            ),
            ({"response_format": {"type": "json_schema"}}, "needs a schema"),
            ({"vllm_xargs": {KEY: "{"}}, "is a JSON text"),
            ({"vllm_xargs": {KEY: '{"preface": "loud"}'}}, "is a JSON text"),
        ],
    )
    def test_what_is_no_one_constraint_is_refused(self, body: dict[str, Any], reason: str) -> None:
        with pytest.raises(sg.StructgenError, match=reason):
            taken(body)

    @pytest.mark.parametrize(
        ("options", "accepted", "refused"),
        [
            ({"json": json.dumps(SCHEMA)}, '{"age": 7}', '{"age":-0.5}'),
            ({"json": SCHEMA, "disable_any_whitespace": True}, '{"age":7}', '{"age": 7}'),
            ({"json_object": True}, '{"a": [1]}', "[]"),
            ({"json": SCHEMA, "order": "any"}, '{"age": 7}', '{"age":-0.5}'),
            ({"json": OPEN, "additional": "open"}, '{"age": 7, "b": null}', '{"age": "7"}'),
            ({"json": {"$ref": "a.json"}, "resources": {"a.json": {"type": "null"}}}, "null", "1"),
            ({"choice": ["yes", "no"]}, "no", "maybe"),
            ({"regex": "[0-9]{2}"}, "07", "7"),
            ({"grammar": 'root ::= "(" root ")" | "x"'}, "((x))", "((x)"),
            ({"grammar": 'start: "(" start ")" | "x"'}, "((x))", "((x)"),
            ({"structural_tag": json.dumps(TAG)}, 'hm <call>{"age": 7}</call>', "hm <call>"),
            ({"structural_tag": OLD_TAG}, 'hm <call>{"age": 7}</call> ok', "<call>7</call>"),
        ],
    )
    def test_it_compiles_to_what_it_says(self, options: dict[str, Any], accepted: str, refused: str) -> None:
        asked = Asked.read(extra_args(options, thinking=False)[KEY])
        assert asked.preface is ThoughtMode.SILENT
        constraint = sg.compile(asked.source())
        assert constraint.accepts(accepted)
        assert not constraint.accepts(refused)

    def test_options_of_json_are_refused_elsewhere(self) -> None:
        with pytest.raises(sg.InvalidSource, match="order is an option of JSON Schemas, and this is a regex"):
            Asked.of({"regex": "a", "order": "any"})
        with pytest.raises(sg.InvalidSource, match="'declared' or 'any', not 'some'"):
            Asked.of({"json": SCHEMA, "order": "some"}).source()

    def test_options_may_stand_beside_a_constraint_that_is_asked_for_elsewhere(self) -> None:
        form = {"type": "json_schema", "json_schema": {"schema": OPEN}}
        options = json.dumps({"additional": "open", "order": "any"})
        body: dict[str, Any] = {"response_format": form, "vllm_xargs": {KEY: options, "other": 1}}
        asked = taken(body)
        assert asked is not None
        assert (asked.value, asked.terms) == (OPEN, {"additional": "open", "order": "any"})
        assert body["vllm_xargs"] == {"other": 1}
        assert Asked.read(asked.written()) == asked
        with pytest.raises(sg.InvalidSource, match="order, but the request asks for no constraint"):
            taken({"vllm_xargs": {KEY: '{"order": "any"}'}})

    def test_a_refusal_names_options_as_a_request_has_them(self, compiled: Constraints) -> None:
        for schema, remedy in (
            ({"requierd": ["a"]}, 'pass "unknown": "annotations" in vllm_xargs.structgen'),
            ({"$ref": "other.json"}, 'pass "resources": {"other.json": …} in vllm_xargs.structgen'),
        ):
            with pytest.raises(sg.Unsupported) as refused:
                compiled.submit(Asked("json", schema)).result()
            assert remedy in str(refused.value)

    def test_the_same_constraint_is_compiled_once(self, compiled: Constraints) -> None:
        assert compiled.submit(Asked("regex", "ab")) is compiled.submit(Asked("regex", "ab"))
        assert compiled.submit(Asked("regex", "ab")) is not compiled.submit(
            Asked("regex", "ab", preface=ThoughtMode.SILENT)
        )

    def test_what_failed_for_other_reasons_is_compiled_again(
        self, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiled, asked = Constraints(lambda: tokenizer, HEAD), Asked("regex", "ab")
        with monkeypatch.context() as patch:
            patch.setattr("structgen.integrations.vllm.constraints.compile", None)
            with pytest.raises(TypeError):
                compiled.submit(asked).result()
        assert compiled.submit(asked).result().accepts("ab")
        refused = compiled.submit(Asked("json", UNIQUE))
        assert isinstance(refused.exception(), sg.Unsupported)
        assert compiled.submit(Asked("json", UNIQUE)) is refused


class Served:
    """An application behind the plugin's layer; what reached it, and what came back."""

    def __init__(
        self,
        tokenizer: Path,
        *,
        parser: str = "gemma4",
        diffusion: bool = True,
        answer: bytes = b"ok",
        tools: str | None = None,
        size: int = HEAD,
        stream: list[bytes] | None = None,
        canvas: int | None = None,
    ) -> None:
        self.frontend, self.answer, self.stream = Frontend(), answer, stream
        self.layer = Middleware(self.app, self.frontend)
        self.bodies: list[bytes] = []
        model = SimpleNamespace(is_diffusion=diffusion, max_model_len=512, get_vocab_size=lambda: size)
        options = SimpleNamespace(reasoning_parser=parser, disable_any_whitespace=False)
        client = SimpleNamespace(
            model_config=model,
            vllm_config=SimpleNamespace(
                structured_outputs_config=options, diffusion_config=SimpleNamespace(canvas_length=canvas)
            ),
            renderer=SimpleNamespace(get_tokenizer=lambda: tokenizer),
        )
        asyncio.run(self.frontend.init_state(client, None, SimpleNamespace(tool_call_parser=tools)))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert dict(scope["headers"])[b"content-length"] == str(len(message["body"])).encode()
        self.bodies.append(message["body"])
        kind = b"application/json" if self.stream is None else b"text/event-stream; charset=utf-8"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        for part in self.stream or [self.answer]:
            await send({"type": "http.response.body", "body": part, "more_body": self.stream is not None})
        if self.stream is not None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def post(self, body: Any, path: str = "/v1/chat/completions") -> tuple[int, bytes]:
        sent = asyncio.run(self._sent(body, path))
        return sent[0]["status"], b"".join(message["body"] for message in sent[1:])

    async def status(self, body: Any, path: str = "/v1/chat/completions") -> int:
        """Of the answer to a request among others."""
        return (await self._sent(body, path))[0]["status"]

    async def _sent(self, body: Any, path: str) -> list[Any]:
        raw, sent = body if isinstance(body, bytes) else json.dumps(body).encode(), list[Any]()
        half = len(raw) // 2
        parts = [
            {"type": "http.request", "body": raw[:half], "more_body": True},
            {"type": "http.request", "body": raw[half:], "more_body": False},
        ]
        headers = [(b"content-length", str(len(raw)).encode())]

        async def receive() -> Any:
            return parts.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        await self.layer(scope, receive, send)
        return sent


class TestTheServersHalf:
    def test_a_constraint_travels_where_vllm_does_not_look(self, tokenizer: Path) -> None:
        server = Served(tokenizer)
        form = {"type": "json_schema", "json_schema": {"schema": SCHEMA}}
        assert server.post({"model": "m", "response_format": form, "max_tokens": 64}) == (200, b"ok")
        body = json.loads(server.bodies[0])
        assert "response_format" not in body
        assert Asked.read(body["vllm_xargs"][KEY]) == Asked("json", SCHEMA, preface=ThoughtMode.SILENT)

    def test_other_requests_pass_byte_by_byte(self, tokenizer: Path) -> None:
        server = Served(tokenizer)
        bodies = [b'{"model":  "m"}', b"no JSON", b"[1]", b'{"response_format":{"type":"text"}}']
        for body in bodies:
            assert server.post(body)[0] == 200
        assert server.bodies == bodies

    def test_a_model_that_is_no_diffusion_model_is_left_alone(self, tokenizer: Path) -> None:
        server = Served(tokenizer, diffusion=False)
        parts = [{"type": "http.request", "body": b'{"structured_outputs":{}}', "more_body": False}]
        received = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            received.append((await receive())["body"])

        async def receive() -> Any:
            return parts.pop()

        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}
        asyncio.run(Middleware(app, server.frontend)(scope, receive, receive))
        assert received == [b'{"structured_outputs":{}}']

    @pytest.mark.parametrize(
        ("body", "reason", "pointer"),
        [
            ({"structured_outputs": {"json": UNIQUE}}, "uniqueItems", "/properties/tags/uniqueItems"),
            ({"structured_outputs": {"regex": "[a"}}, "[a", None),
            ({"structured_outputs": {"regex": "a"}, "vllm_xargs": ["a"]}, "vllm_xargs is an object", None),
            (
                {"structured_outputs": {"regex": "x{90}"}, "max_tokens": 20},
                "takes 95 tokens; this request may have 20",
                None,
            ),
            ({"structured_outputs": {"regex": "x{600}"}}, "this request may have 511", None),
            (
                {"structured_outputs": {"regex": "x"}, "vllm_xargs": {"diffusion_read_only": 1}},
                "diffusion_read_only",
                None,
            ),
        ],
    )
    def test_what_cannot_be_had_is_answered_400_with_the_reason(
        self, tokenizer: Path, body: dict[str, Any], reason: str, pointer: str | None
    ) -> None:
        server = Served(tokenizer)
        status, answer = server.post(body)
        error = json.loads(answer)["error"]
        assert status == error["code"] == 400
        assert reason in error["message"]
        assert error["param"] == pointer
        assert server.bodies == []

    def test_what_stands_before_an_answer_is_the_chats_affair(self, tokenizer: Path) -> None:
        def preface(server: Served, path: str = "/v1/chat/completions", **more: Any) -> ThoughtMode:
            assert server.post({"structured_outputs": {"regex": "x"}, **more}, path)[0] == 200
            return Asked.read(json.loads(server.bodies[-1])["vllm_xargs"][KEY]).preface

        thinking = {"chat_template_kwargs": {"enable_thinking": True}}
        server, plain = Served(tokenizer), Served(tokenizer, parser="")
        assert preface(server) is ThoughtMode.SILENT
        assert preface(server, **thinking) is ThoughtMode.THINKING
        assert preface(server, "/v1/completions") is ThoughtMode.NONE
        assert preface(plain) is ThoughtMode.NONE
        status, answer = plain.post({"structured_outputs": {"regex": "x"}, **thinking})
        assert status == 400
        assert b"--reasoning-parser gemma4" in answer

    def test_an_empty_thought_is_not_streamed(self, tokenizer: Path) -> None:
        event = b'data: {"choices":[{"delta":{"content":"<|channel>thought\\n<channel|>{\\"age\\""}}]}\n\n'
        server = Served(tokenizer, answer=event)
        body = {"structured_outputs": {"json": SCHEMA}, "stream": True}
        assert server.post(body)[1] == b'data: {"choices":[{"delta":{"content":"{\\"age\\""}}]}\n\n'
        assert server.post({"stream": True})[1] == event


def asks(*, thinking: bool | None = False, **options: Any) -> dict[str, str]:
    return extra_args(options, thinking=thinking)


class TestTheEnginesHalf:
    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    @pytest.mark.parametrize("seed", range(3))
    def test_every_constrained_request_is_accepted_over_several_canvases(
        self, compiled: Constraints, seed: int, dtype: torch.dtype
    ) -> None:
        asked = [
            asks(regex=r"[a-z]{3,60}-(yes|no)"),
            asks(json=SCHEMA),
            asks(thinking=None, json={"type": "array", "maxItems": 3}),
        ]
        requests = [Request(place, 3 * CANVAS, arguments) for place, arguments in enumerate([*asked, None])]
        torch.manual_seed(seed)
        Engine(
            ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled, seed=seed),
            CANVAS,
            seed=seed,
            dtype=dtype,
        ).run(requests)
        for request, arguments in zip(requests, asked, strict=False):
            constraint = compiled.submit(Asked.read(arguments[KEY])).result()
            assert len(request.ids) == 3 * CANVAS
            assert constraint.accepts_ids(request.ids)

    def test_unconstrained_requests_are_the_stock_samplers(self, compiled: Constraints) -> None:
        """Token by token, over as many steps, drawn with the same random numbers."""

        def written(sampler: Any, arguments: Any) -> list[Request]:
            torch.manual_seed(0)
            requests = [Request(0, 96), Request(1, 96, arguments), Request(2, 64)]
            Engine(sampler, CANVAS).run(requests)
            return requests

        stock = written(StockSampler(CANVAS, HEAD), None)
        ours = written(
            ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled),
            asks(regex="[a-z]{70,80}", thinking=None),
        )
        assert stock[0].ids == ours[0].ids
        assert stock[2].ids == ours[2].ids
        assert stock[1].ids != ours[1].ids

    @pytest.mark.parametrize("budget", [13, CANVAS + 1, 2 * CANVAS - 3])
    def test_an_answer_closes_before_the_cut(self, compiled: Constraints, budget: int) -> None:
        """A request may write a number of tokens that is no multiple of the canvas."""
        arguments = asks(thinking=None, regex="[a-z]{9,200}!")
        constraint = compiled.submit(Asked.read(arguments[KEY])).result()
        for seed in range(3):
            request = Request(0, budget, arguments)
            torch.manual_seed(seed)
            Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled), CANVAS, seed=seed).run([request])
            assert len(request.ids) == budget
            assert constraint.accepts_ids(request.ids)

    def test_canvases_may_be_narrower_than_the_models(self, compiled: Constraints) -> None:
        arguments = asks(thinking=None, regex="[a-z]{9,200}!")
        request = Request(0, 3 * CANVAS, arguments)
        sampler = ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled)
        Engine(sampler, CANVAS).run([request], width=CANVAS - 5)
        assert compiled.submit(Asked.read(arguments[KEY])).result().accepts_ids(request.ids)

    def test_a_request_that_was_interrupted_goes_on_where_it_was(self, compiled: Constraints) -> None:
        arguments = asks(thinking=None, regex="[a-z]{40,60}!")
        constraint = compiled.submit(Asked.read(arguments[KEY])).result()
        sampler = ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled)
        request = Request(0, 3 * CANVAS, arguments)
        engine = Engine(sampler, CANVAS)
        sampler.add_request(0, SimpleNamespace(max_tokens=3 * CANVAS, extra_args=arguments))
        while not request.ids:
            engine.step([request], CANVAS)
        sampler.tell(2, 3 * CANVAS, list(request.ids))
        request.place = 2
        engine.run([request])
        assert constraint.accepts_ids(request.ids)

    def test_what_is_written_fits_the_models_length_too(self, compiled: Constraints) -> None:
        arguments = asks(thinking=None, regex="[a-z]{9,200}!")
        sampler = ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled)
        sampler.tell(0, 40, [])
        request = Request(0, 3 * CANVAS, arguments)
        Engine(sampler, CANVAS).run([request])
        assert compiled.submit(Asked.read(arguments[KEY])).result().accepts_ids(request.ids[:40])

    @pytest.mark.parametrize(
        ("arguments", "budget"),
        [
            ({KEY: "nothing of the kind"}, 64),
            (asks(json=UNIQUE), 64),
            (asks(regex="x{90}"), 64),
            ({**asks(regex="x"), "diffusion_constrained": 1}, 64),
        ],
    )
    def test_what_the_server_would_have_refused_is_ended_without_output(
        self, compiled: Constraints, caplog: pytest.LogCaptureFixture, arguments: dict[str, Any], budget: int
    ) -> None:
        """An error would end the engine."""
        requests = [Request(0, budget, arguments), Request(1, 64)]
        vocabulary = compiled.vocabulary(ThoughtMode.NONE)
        with caplog.at_level("ERROR", "vllm.structgen"):
            Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled), CANVAS).run(requests)
        assert vocabulary.end is not None
        assert requests[0].ids[0] == vocabulary.special[vocabulary.end]
        assert vocabulary.decode(requests[0].ids) == b""
        assert "is ended with no output" in caplog.text

    def test_a_slot_that_is_used_again_forgets(self, compiled: Constraints) -> None:
        sampler = ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled)
        Engine(sampler, CANVAS).run([Request(0, CANVAS, asks(regex="x"))])
        torch.manual_seed(5)
        again = Request(0, CANVAS)
        Engine(sampler, CANVAS, seed=5).run([again])
        torch.manual_seed(5)
        fresh = Request(0, CANVAS)
        Engine(StockSampler(CANVAS, HEAD), CANVAS, seed=5).run([fresh])
        assert again.ids == fresh.ids

    def test_a_canvas_with_one_answer_takes_two_steps(self, compiled: Constraints) -> None:
        """Of one answer with one tokenization: the second finds what the first did; the third writes it out."""
        engine = Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD, steps=48), compiled), CANVAS)
        engine.run([Request(0, CANVAS, asks(choice=["xyz"], thinking=None))])
        assert engine.steps == 3

    def test_a_step_is_done_before_the_first_request(
        self, compiled: Constraints, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """So that no request waits for the kernels; an error there is no reason not to serve."""
        done: list[str] = []
        for name in ("sample", "beliefs", "argmax"):
            real = getattr(BlockLattice, name)
            monkeypatch.setattr(
                BlockLattice,
                name,
                lambda *given, real=real, name=name: (done.append(name), real(*given))[1],
            )
        sampler = ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled)
        sampler.warm()
        assert done == ["sample", "beliefs", "argmax"]
        assert not caplog.records
        monkeypatch.setattr(Constraints, "submit", None)
        sampler.warm()
        assert "compiled when a request needs them" in caplog.text

    def test_the_rest_of_the_sampler_is_vllms(self, compiled: Constraints) -> None:
        inner = StockSampler(CANVAS, HEAD)
        assert ConstrainedSampler(inner, compiled).req_states is inner.req_states


class StockState:
    """vLLM's state of the model, as far as ours calls it."""

    def custom_sampler(self, sampler: Any) -> tuple[Any, None]:
        return StockSampler(CANVAS, HEAD), None

    def add_request(self, place: int, request: Any) -> None:
        self.last = request


class TestTheModel:
    def test_its_state_makes_the_sampler_and_tells_it_what_was_written_before(
        self, tokenizer: Path, compiled: Constraints, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A request that the engine takes up again comes with a prompt that its answer has been added to."""
        from structgen.integrations.vllm import model

        tokenizers = SimpleNamespace(cached_tokenizer_from_config=lambda config: tokenizer)
        monkeypatch.setattr(model.importlib, "import_module", {"vllm.tokenizers": tokenizers}.get)
        state: Any = type("State", (model.StateWithConstraints, StockState), {})()
        state.model_config = SimpleNamespace(
            get_vocab_size=lambda: HEAD, seed=3, max_model_len=4 * CANVAS, skip_tokenizer_init=False
        )
        sampler, rejection = state.custom_sampler(None)
        assert isinstance(sampler, ConstrainedSampler)
        assert rejection is None

        arguments = asks(thinking=None, regex="[a-z]{40,60}!")
        constraint = compiled.submit(Asked.read(arguments[KEY])).result()
        front = constraint.vocabulary.encode("abcde")
        prompt = list(range(20, 40))
        data = SimpleNamespace(prompt_token_ids=prompt, prefill_token_ids=prompt + front)
        state.add_request(0, data)
        assert state.last is data
        request = Request(0, 3 * CANVAS - len(front), arguments, front)
        Engine(sampler, CANVAS).run([request])
        assert constraint.accepts_ids(request.ids)

    def test_it_is_registered_by_a_name_that_vllm_resolves_where_it_needs_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from structgen.integrations import vllm

        registered: list[tuple[str, str]] = []
        registry = SimpleNamespace(register_model=lambda *names: registered.append(names))
        monkeypatch.setattr(
            vllm.importlib, "import_module", {"vllm": SimpleNamespace(ModelRegistry=registry)}.get
        )
        vllm.register()
        ((architecture, name),) = registered
        assert architecture == "DiffusionGemmaForBlockDiffusion"
        assert name == "structgen.integrations.vllm.model:ConstrainedDiffusionGemma"
