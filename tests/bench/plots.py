"""`python -m bench plots`: the charts of docs/benchmarks.md, drawn from the figures kept beside its pages.

A figure file is what `--json` of the command on its page wrote. Colours are told apart by people with any kind of
colour vision (Okabe & Ito), and every chart stands on white, so that it can be read on a dark page too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import material

FIGURES = material.ROOT / "docs" / "benchmarks"
IMAGES = material.ROOT / "docs" / "images"
COLOURS = ("#D55E00", "#E69F00", "#56B4E9", "#0072B2", "#009E73", "#999999")
SPLITS = {"values": "unseen values", "names": "unseen names", "handwritten": "written by hand"}
AIMS = {"values": 90, "names": 75, "handwritten": 60}  # % of the fields
OUTCOMES = {
    "right": ("fully right", COLOURS[4]),
    "rejects": ("rejects a valid instance", COLOURS[1]),
    "refused": ("refused", COLOURS[5]),
    "slow": ("no answer in 20 s", COLOURS[2]),
    "accepts": ("accepts an invalid instance", COLOURS[0]),
}
SCHEMAS = {"flat": "2 fields", "invoice": "invoice, 15 fields", "maxLength 40": "invoice,\nstrings of ≤ 40"}
QUANTILES = ("p50 ms", "p90 ms", "p99 ms")


def run(folder: Path = IMAGES) -> Iterator[Path]:
    """Draw every chart; yields the files."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "structgen", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
    )
    for name, draw in CHARTS.items():
        path = folder / f"{name}.svg"
        figure = draw(json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8")))
        figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
        yield path
    yield lattice(folder)


def lattice(folder: Path = IMAGES) -> Path:
    """Write the picture of the worked example; it needs no figures, for it is computed."""
    from bench.lattice import picture

    path = folder / "lattice.svg"
    path.write_text(picture(), encoding="utf-8")
    return path


def step(figures: dict[str, Any]) -> Any:
    """One refinement step against one softmax, in two types; and its cost against the edges of the automaton."""
    figure, (bars, edges) = _axes(2)
    for place, (kind, colour) in enumerate((("float32", COLOURS[3]), ("bfloat16", COLOURS[2]))):
        ratios = [figures[kind][f"step, {name}"]["softmaxes"] for name in SCHEMAS]
        middles = [number + 0.36 * (place - 0.5) for number in range(len(SCHEMAS))]
        bars.bar_label(bars.bar(middles, ratios, color=colour, width=0.34, label=kind), fmt="%.2f")
    bars.set_xticks(range(len(SCHEMAS)), list(SCHEMAS.values()))
    bars.axhline(1, color=COLOURS[0], linestyle="--")
    bars.set_ylabel("time of a refinement step / softmax")
    bars.legend(frameon=False)
    known = {name: figures["compile"][name] for name in SCHEMAS}
    points = [(row["edges"], figures["float32"][f"step, {name}"]["ms"]) for name, row in known.items()]
    points += [(row["edges"], row["step_ms"]) for row in figures["explosions"].values() if "edges" in row]
    edges.plot(*zip(*sorted(points), strict=True), "o", color=COLOURS[3])
    edges.axhline(figures["float32"]["softmax"]["ms"], color=COLOURS[0], linestyle="--")
    edges.set(xscale="log", xlabel="edges of the automaton", ylabel="CPU ms of a step (dashed: softmax)")
    edges.set_ylim(0, None)
    return figure


def schema(figures: dict[str, Any]) -> Any:
    """What becomes of 60 real schemas in each engine, and how long compiling takes."""
    figure, (outcomes, times) = _axes(2)
    engines = figures["figures"]
    begun = dict.fromkeys(engines, 0)
    for kind, (label, colour) in OUTCOMES.items():
        counts = [engine[kind] for engine in engines.values()]
        outcomes.barh(list(engines), counts, left=list(begun.values()), color=colour, label=label)
        begun = {name: before + count for (name, before), count in zip(begun.items(), counts, strict=True)}
    outcomes.invert_yaxis()
    outcomes.set_xlabel("schemas")
    outcomes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, frameon=False)
    for place, quantile in enumerate(QUANTILES):
        heights = [engine[quantile] for engine in engines.values()]
        middles = [number + 0.27 * (place - 1) for number in range(len(engines))]
        times.bar(middles, heights, width=0.25, color=COLOURS[1 + place], label=quantile.removesuffix(" ms"))
    times.set_yscale("log")
    times.set_xticks(range(len(engines)), list(engines))
    times.set_ylabel("ms of CPU until ready to step")
    times.legend(frameon=False)
    return figure


def extract(figures: dict[str, Any]) -> Any:
    """Fields that the embedded model gets right, way by way, with the aim of each split."""
    figure, (axes,) = _axes(1)
    ways = list(dict.fromkeys(row["decoding"] for row in figures["rows"]))
    shares = {(row["split"], row["decoding"]): 100 * row["exact"] for row in figures["rows"]}
    for place, way in enumerate(ways):
        middles = [number + 0.14 * (place - 2.5) for number in range(len(SPLITS))]
        heights = [shares[split, way] for split in SPLITS]
        axes.bar(middles, heights, width=0.13, color=COLOURS[-1 - place], label=way)
    for number, split in enumerate(SPLITS):
        axes.hlines(AIMS[split], number - 0.45, number + 0.45, color="black", linestyle=":")
    axes.set_xticks(range(len(SPLITS)), list(SPLITS.values()))
    axes.set_ylim(0, 100)
    axes.set_ylabel("fields exactly right, % (dotted: aim)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, frameon=False)
    return figure


def laws(figures: dict[str, Any]) -> Any:
    """What each part of a step costs by the size that it grows with, and the line that fits."""
    figure, rows = _axes(len(figures) // 2 + len(figures) % 2, 2)
    for axes, (name, law) in zip(rows, figures.items(), strict=False):
        sizes = law["sizes"]
        axes.plot(sizes, law["ms"], "o", color=COLOURS[3])
        line = [law["fixed_ms"] + law["ns"] * size / 1e6 for size in (0, sizes[-1])]
        axes.plot([0, sizes[-1]], line, color=COLOURS[0], label=f"{law['ns']:.3g} ns a {law['unit']}")
        axes.set(title=name, ylabel="CPU ms", ylim=(0, None))
        axes.legend(frameon=False)
    return figure


def calibrate(figures: dict[str, Any]) -> Any:
    """The share of right values in each tenth of confidence, as the model says it and calibrated."""
    sets = figures["sets"]
    figure, rows = _axes(len(sets) // 2 + len(sets) % 2, 2)
    for axes, (name, found) in zip(rows, sets.items(), strict=False):
        axes.plot([0, 1], [0, 1], color=COLOURS[5], linestyle=":")
        for (key, label), colour in zip(
            (("before", "as the model says"), ("after", "calibrated")), (COLOURS[0], COLOURS[3]), strict=True
        ):
            tenths = found[key]["bins"]
            sizes = [20 + 2 * one["count"] for one in tenths]
            axes.scatter(
                [one["confidence"] for one in tenths],
                [one["right"] for one in tenths],
                s=sizes, color=colour, alpha=0.8, label=f"{label}: ECE {found[key]['ece']:.2f}",
            )  # fmt: skip
        axes.set(
            title=name, xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xlabel="confidence", ylabel="share right"
        )
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def batch(figures: dict[str, Any]) -> Any:
    """Documents for each CPU second, and peak memory, against the documents in flight."""
    figure, (speed, memory) = _axes(2)
    alone, *rows = figures["rows"]
    sizes = [int(row["rows in flight"]) for row in rows]
    speed.plot(sizes, [row["documents_per_cpu_second"] for row in rows], "o-", color=COLOURS[3])
    speed.axhline(alone["documents_per_cpu_second"], color=COLOURS[0], linestyle="--")
    speed.set(ylabel="documents / CPU second (dashed: one by one)")
    memory.plot(sizes, [row["peak_mb"] for row in rows], "o-", color=COLOURS[3])
    memory.set(ylabel="peak MB of the process")
    for axes in (speed, memory):
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, list(map(str, sizes)))
        axes.set_xlabel("documents in flight")
        axes.set_ylim(0, None)
    return figure


CHARTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "step": step,
    "laws": laws,
    "schema": schema,
    "extract": extract,
    "calibrate": calibrate,
    "batch": batch,
}


def _axes(count: int, rows: int = 1) -> tuple[Any, tuple[Any, ...]]:
    """A figure of `rows` times `count` charts, and these in order."""
    from matplotlib.figure import Figure

    wide = 6.5 * count if rows == 1 and count > 1 else 4 * count if rows > 1 else 8
    figure = Figure(figsize=(wide, 3.5 * rows if rows > 1 else 4), layout="constrained", facecolor="white")
    return figure, tuple(figure.subplots(rows, count, squeeze=False).flatten())
