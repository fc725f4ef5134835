"""DiffusionGemma in small: the real architecture with random weights, and a tokenizer with Gemma 4's names.

Gemma 4's vocabulary is Gemma 3's with some unused slots renamed, so `gemma4_tokenizer` makes the one from the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, normalizers
from tokenizers.models import BPE

CANVAS = 32  # tokens
SPECIAL = [
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<mask>",
    "<|channel>",
    "<channel|>",
    "<|turn>",
    "<turn|>",
    "<|think|>",
]
PIECES = ["▁", '{"', '":', '","', '"}', "thought", "true", "▁the", "00", "▁▁", "name", "age"]
HEAD = (
    len(SPECIAL) + 256 + len(PIECES)
)  # ids that the model knows; the tokenizer has one more, as the released one
RENAMED = {
    4: "<mask>",
    46: "<|tool>",
    47: "<tool|>",
    48: "<|tool_call>",
    49: "<tool_call|>",
    50: "<|tool_response>",
    51: "<tool_response|>",
    52: '<|"|>',
    98: "<|think|>",
    100: "<|channel>",
    101: "<channel|>",
    105: "<|turn>",
    106: "<turn|>",
}
TEMPLATE = (
    "{{ bos_token }}{% if enable_thinking %}<|turn>system\n<|think|><turn|>\n{% endif %}"
    "{% for m in messages %}<|turn>{{ m['role'] }}\n{{ m['content'] }}<turn|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn>model\n{% endif %}"
)


def needs_transformers() -> Any:
    """transformers with DiffusionGemma; the test is skipped without."""
    transformers = pytest.importorskip("transformers", reason="needs the extra structgen-dlm[transformers]")
    if not hasattr(transformers, "DiffusionGemmaForBlockDiffusion"):
        pytest.skip(f"transformers {transformers.__version__} has no DiffusionGemma")
    return transformers


def small_tokenizer(path: Path, more: Sequence[str] = ()) -> Path:
    """A tokenizer of single bytes, a few longer pieces, Gemma 4's names and more of them, written to `path`."""
    pieces = [*SPECIAL, *more, *(f"<0x{byte:02X}>" for byte in range(256)), *PIECES, "<image_soft_token>"]
    ids = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(BPE(ids, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    names = [*SPECIAL, *more, "<image_soft_token>"]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    tokenizer.save(str(path))
    return path


def gemma4_tokenizer(gemma3: Path, path: Path) -> Path:
    """Gemma 4's tokenizer as far as it is public, written to `path`: Gemma 3's with the slots renamed."""
    tokenizer = json.loads(gemma3.read_text())
    pieces = tokenizer["model"]["vocab"]
    old = {index: piece for piece, index in pieces.items() if index in RENAMED}
    for index, name in RENAMED.items():
        del pieces[old[index]]
        pieces[name] = index
    for entry in tokenizer["added_tokens"]:
        if entry["id"] in RENAMED:
            entry |= {"content": RENAMED[entry["id"]], "special": True}
    path.write_text(json.dumps(tokenizer))
    return path


def tiny_model(
    *, vocabulary: int = HEAD, canvas: int = CANVAS, seed: int = 0, hidden: int = 32, head: int = 16
) -> Any:
    """A DiffusionGemmaForBlockDiffusion of random weights in evaluation mode; head: width of an attention head."""
    transformers = needs_transformers()
    text = transformers.DiffusionGemmaTextConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=head,
        global_head_dim=2 * head,
        num_global_key_value_heads=1,
        max_position_embeddings=2048,
        sliding_window=48,
        layer_types=["sliding_attention", "full_attention"],
        num_experts=4,
        top_k_experts=2,
        moe_intermediate_size=16,
        use_bidirectional_attention="vision",
    )
    vision = transformers.Gemma4VisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, head_dim=8
    )
    config = transformers.DiffusionGemmaConfig(
        text_config=text,
        vision_config=vision,
        canvas_length=canvas,
        boi_token_id=vocabulary - 1,
        eoi_token_id=vocabulary - 2,
        image_token_id=vocabulary - 3,
    )
    torch.manual_seed(seed)
    model = transformers.DiffusionGemmaForBlockDiffusion(config).eval()
    for weight in model.parameters():  # as initialised, every logit is nearly 0
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.3)
    return model


def save_checkpoint(folder: Path, model: Any, tokenizer_file: Path, **generation: Any) -> Path:
    """The model with its tokenizer as a folder that `from_pretrained` reads."""
    transformers = needs_transformers()
    kind = type(model.generation_config)
    model.generation_config = kind(pad_token_id=0, bos_token_id=2, **generation)
    model.save_pretrained(folder)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tokenizer_file), bos_token="<bos>", eos_token="<eos>", pad_token="<pad>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
    return folder
