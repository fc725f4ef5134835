"""LLaDA: a Llama that reads both ways, by the published names of its weights; it settles the surest positions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

import structgen as sg
from strategies import padded_dfas
from structgen_engine.automata.dfa import Dfa
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import StepEvent, decode
from structgen_engine.decoding.noise import Absorbing
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.policy import TopK
from structgen_engine.models.llada import Llada, LladaConfig, LladaDenoiser, load_llada
from tiny_gemma import HEAD, SPECIAL, small_tokenizer

MASK = SPECIAL.index("<mask>")
CONFIG = {
    "model_type": "llada",
    "block_type": "llama",
    "d_model": 32,
    "n_heads": 4,
    "n_kv_heads": 2,
    "n_layers": 2,
    "mlp_hidden_size": 48,
    "vocab_size": HEAD,
    "mask_token_id": MASK,
    "rope_theta": 500000.0,
    "max_sequence_length": 256,
}
PROMPTS = [[5, 3, 80, 11, 91, 9], [7, 70]]
LLAMA_NAMES = {
    "attn_norm": "input_layernorm",
    "q_proj": "self_attn.q_proj",
    "k_proj": "self_attn.k_proj",
    "v_proj": "self_attn.v_proj",
    "attn_out": "self_attn.o_proj",
    "ff_norm": "post_attention_layernorm",
    "ff_proj": "mlp.gate_proj",
    "up_proj": "mlp.up_proj",
    "ff_out": "mlp.down_proj",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as it is published, of random weights, in two shards."""
    path = tmp_path_factory.mktemp("llada")
    torch.manual_seed(0)
    network = Llada(LladaConfig.of(CONFIG))
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    weights = sorted(network.state_dict().items())
    for shard, part in enumerate((weights[:9], weights[9:]), 1):
        save_file(dict(part), path / f"model-{shard:05}-of-00002.safetensors")
    (path / "config.json").write_text(json.dumps(CONFIG))
    small_tokenizer(path / "tokenizer.json")
    return path


@pytest.fixture(scope="module")
def denoiser(folder: Path) -> LladaDenoiser:
    return LladaDenoiser.from_pretrained(folder, device="cpu", dtype="float32")


def canvases(rows: int) -> Tensor:
    return torch.randint(0, HEAD, (rows, 32), generator=torch.Generator().manual_seed(rows))


def near(x: Tensor, y: Tensor) -> bool:
    return x.shape == y.shape and torch.allclose(x, y, atol=1e-4)


def test_the_weights_bear_the_published_names(denoiser: LladaDenoiser) -> None:
    block = "model.transformer.blocks.1."
    parts = ["attn_norm", "q_proj", "k_proj", "v_proj", "attn_out", "ff_norm", "ff_proj", "up_proj", "ff_out"]
    names = set(denoiser.network.state_dict())
    assert {block + part + ".weight" for part in parts} == {name for name in names if name.startswith(block)}
    rest = {"wte", "ln_f", "ff_out"}
    assert {f"model.transformer.{part}.weight" for part in rest} == {n for n in names if ".blocks." not in n}


def test_it_is_a_llama_without_a_causal_mask(denoiser: LladaDenoiser) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra structgen-dlm[transformers]")
    config = transformers.LlamaConfig(
        vocab_size=HEAD,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
        tie_word_embeddings=False,
        attn_implementation="eager",
    )
    llama = transformers.LlamaForCausalLM(config).eval()
    llama.load_state_dict({_llama_name(name): value for name, value in denoiser.network.state_dict().items()})
    canvas = canvases(1)
    ids = torch.cat([torch.tensor(PROMPTS[:1]), canvas], 1)
    everywhere = torch.zeros(1, 1, ids.shape[1], ids.shape[1])
    with torch.inference_mode():
        logits = llama(input_ids=ids, attention_mask=everywhere).logits[:, -32:]
    assert near(denoiser(denoiser.start(PROMPTS[:1]), canvas), logits)


def _llama_name(name: str) -> str:
    name = name.removeprefix("model.transformer.")
    if name.startswith("blocks."):
        _, layer, part, _ = name.split(".")
        return f"model.layers.{layer}.{LLAMA_NAMES[part]}.weight"
    outer = {"wte": "model.embed_tokens", "ln_f": "model.norm", "ff_out": "lm_head"}
    return outer[name.removesuffix(".weight")] + ".weight"


def test_padding_changes_nothing(denoiser: LladaDenoiser) -> None:
    canvas = canvases(2)
    both = denoiser(denoiser.start(PROMPTS), canvas)
    assert near(both[1:], denoiser(denoiser.start(PROMPTS[1:]), canvas[1:]))
    for order in ([1], [1, 0, 1]):
        rows = torch.tensor(order)
        assert near(denoiser(denoiser.start(PROMPTS).select(rows), canvas[rows]), both[rows])


def test_a_committed_block_is_read_like_a_prompt(denoiser: LladaDenoiser) -> None:
    canvas, block = canvases(1), canvases(2)[:1]
    extended = denoiser.extend(denoiser.start(PROMPTS[:1]), block)
    as_prompt = denoiser.start([PROMPTS[0] + block[0].tolist()])
    assert near(denoiser(extended, canvas), denoiser(as_prompt, canvas))


def test_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match="block_type"):
        LladaConfig.of({**CONFIG, "block_type": "sequential"})


@settings(max_examples=25)
@given(dfa=padded_dfas(), seed=st.integers(0, 99), k=st.integers(1, 3))
def test_the_published_rule_settles_the_same_number_at_every_step(dfa: Dfa, seed: int, k: int) -> None:
    """Low-confidence remasking: each step settles the k open positions whose best token is likeliest, no others."""
    size, length = len(dfa.alphabet.class_of), 6
    if int(dfa.distance[dfa.start]) > length:
        return
    settled: list[int] = []

    def count(event: StepEvent) -> None:
        settled.append(int(event.accepted.sum()))

    decode(
        RandomDenoiser(Absorbing(0), length, size, seed),
        [[0]],
        [dfa],
        max_tokens=length,
        generators=[torch.Generator().manual_seed(seed)],
        on_step=count,
        options=DecodingOptions(steps=-(-length // k), policy=TopK(k)),
    )
    assert settled == [min(length, k * (step + 1)) for step in range(-(-length // k))]


def test_everything_it_generates_is_accepted(folder: Path) -> None:
    """sg.load finds the family by its model_type; one to three blocks of 32."""
    model = sg.load(folder, device="cpu", dtype="float32")
    sources: list[Any] = [
        sg.Regex(r"[a-z]{3,70}-(yes|no)"),
        {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    ]
    for seed, source in enumerate(sources):
        done = model.generate("Say it.", source, details=True, max_tokens=96, steps=8, seed=seed)
        assert sg.compile(source, model.vocabulary).accepts(done.text)
        assert MASK not in done.ids
    with pytest.raises(sg.InvalidOption, match="LLaDA has no option thinking"):
        sg.load(folder, thinking=True)
    assert load_llada(folder).model["transformer"]["wte"].weight.dtype == torch.bfloat16
