"""Draw the learning curve of a run's log.

python -m training.plot runs/mini/log.jsonl curve.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def plot(log: Path, image: Path) -> None:
    """Loss over prompts seen, each line of the log and their moving average over ten."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    if not lines:
        raise SystemExit(f"{log} has no line yet")
    prompts, losses = [line["prompts"] / 1000 for line in lines], [line["loss"] for line in lines]
    smooth = [
        sum(losses[max(0, k - 9) : k + 1]) / len(losses[max(0, k - 9) : k + 1]) for k in range(len(losses))
    ]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    axes.plot(prompts, losses, color="0.75", linewidth=0.8)
    axes.plot(prompts, smooth, color="C0")
    axes.set(xlabel="thousand prompts seen", ylabel="loss, nats a token", title=str(log))
    axes.grid(alpha=0.3)
    figure.savefig(image, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("image", type=Path)
    options = parser.parse_args()
    plot(options.log, options.image)
