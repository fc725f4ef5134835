"""vLLM without a server: `python -m real_vllm.offline CHECKPOINT` prints what two requests wrote, as JSON.

The second is unconstrained. Where the plugin is loaded the first is constrained, and lives longer than the second, so
that as many random numbers are drawn as without a constraint.
"""

from __future__ import annotations

import json
import os
import sys

CANVAS = 32
PATTERNS = {10_000: "[a-z ]{66,80}!", 10**6: "[a-z ]{200,300}!"}  # by the most tokens of the vocabulary

if __name__ == "__main__":
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    import torch
    from vllm import LLM, SamplingParams  # type: ignore[import-not-found]

    model = LLM(
        model=sys.argv[1],
        enforce_eager=True,
        max_model_len=256,
        max_num_seqs=2,
        max_num_batched_tokens=256,
        dtype="float32",
        limit_mm_per_prompt={"image": 0, "video": 0},
    )
    size = len(model.get_tokenizer())
    pattern = next(one for most, one in PATTERNS.items() if size < most)
    constraint = {}
    if os.environ["VLLM_PLUGINS"]:
        from structgen.integrations.vllm import extra_args

        constraint = {"extra_args": extra_args({"regex": pattern})}
    torch.manual_seed(1)
    outputs = model.generate(
        [{"prompt_token_ids": [2, 30, 31]}, {"prompt_token_ids": [2, 32]}],
        [
            SamplingParams(max_tokens=3 * CANVAS, ignore_eos=True, **constraint),
            SamplingParams(max_tokens=2 * CANVAS, ignore_eos=True),
        ],
    )
    rows = [
        {"pattern": pattern, "ids": list(output.outputs[0].token_ids), "text": output.outputs[0].text}
        for output in outputs
    ]
    print("ROWS " + json.dumps(rows))
