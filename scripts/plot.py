#!/usr/bin/python3
"""Draws what cosearch writes.

    scripts/plot.py front STORE.h5 [-o FILE] [--colour energy|template]
    scripts/plot.py hypervolume NAME=TRACE.csv[,TRACE.csv...] ... [-o FILE]
    scripts/plot.py ranks RANKS.csv [-o FILE]
    scripts/plot.py energy COST.json [-o FILE]

front        every design, and those that nothing else beats (scripts/plot_front.py has the details)
hypervolume  how good the front was after how many evaluations: one line per NAME, the median of its
             traces, in a band from the worst to the best seed. Traces: `cosearch pareto --trace`
ranks        a heat map of rank correlations between accelerators. `cosearch rank STUDY -o RANKS.csv`
energy       where the energy of each layer goes. `cosearch cost --per-layer --json > COST.json`, or
             `cosearch show --json`

FILE ends in .svg (default: the first input's name) or .png. The same input gives the same bytes.
Needs python3-matplotlib and python3-h5py. Exit codes: 0 done, 2 bad usage or input, 3 the picture
cannot be written.
"""

import argparse
import csv
import json
import pathlib
import sys

import plot_front
from plot_front import BadInput, INK, TEMPLATE_COLOURS, matplotlib, np, plt


def read_csv(path):
    try:
        with open(path, newline="") as file:
            return list(csv.reader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error


def read_trace(path):
    """(evaluations, hypervolume), as a step function that begins at 0."""
    header, *rows = read_csv(path) or [[]]
    if header[:2] != ["evaluations", "hypervolume"] or not rows:
        raise BadInput(f"{path}: no trace; expected what `cosearch pareto --trace` writes")
    values = np.array([[float(row[0]), float(row[1])] for row in rows])
    return values[:, 0], values[:, 1]


def at(steps, where):
    """The step function's values."""
    evaluations, volumes = steps
    index = np.searchsorted(evaluations, where, side="right")
    return np.concatenate(([0.0], volumes))[index]


def draw_hypervolume(arguments):
    figure, axes = plt.subplots(figsize=(8, 5))
    for number, argument in enumerate(arguments):
        name, _, files = argument.rpartition("=")
        traces = [read_trace(path) for path in files.split(",")]
        where = np.unique(np.concatenate([steps[0] for steps in traces]))
        values = np.array([at(steps, where) for steps in traces])
        colour = TEMPLATE_COLOURS[number % len(TEMPLATE_COLOURS)]
        label = name or pathlib.Path(files.split(",")[0]).stem
        if len(traces) > 1:
            axes.fill_between(where, values.min(axis=0), values.max(axis=0), step="post",
                              color=colour, alpha=0.2, linewidth=0)
            label += f" ({len(traces)} seeds)"
        axes.step(where, np.median(values, axis=0), where="post", color=colour, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("evaluations")
    axes.set_ylabel("hypervolume, share of the box of all feasible costs")
    axes.legend(frameon=False, loc="lower right")
    return figure


def draw_ranks(arguments):
    header, *rows = read_csv(arguments[0]) or [[]]
    try:
        values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    except ValueError as error:
        raise BadInput(f"{arguments[0]}: no table of correlations ({error})") from error
    if values.ndim != 2 or values.size == 0:
        raise BadInput(f"{arguments[0]}: no table of correlations")
    figure, axes = plt.subplots(figsize=(8, 7))
    image = axes.imshow(values, vmin=min(0, np.nanmin(values)), vmax=1, cmap="viridis",
                        interpolation="nearest", aspect="auto")
    figure.colorbar(image, label="rank correlation")
    if len(rows) <= 40:
        axes.set_xticks(range(len(header) - 1), header[1:], rotation=90, fontsize=7)
        axes.set_yticks(range(len(rows)), [row[0] for row in rows], fontsize=7)
    return figure


def energy_parts(energy):
    """(part, pJ) of one layer: levels as a whole, their networks, then what is in no level."""
    parts = {name: sum(value.values()) for name, value in energy["levels"].items()}
    parts["networks"] = sum(sum(value.values()) for value in energy["network"].values())
    for name, value in energy.items():
        if name.endswith("_pj") and name != "total_pj":
            parts[name.removesuffix("_pj")] = value
    return parts


def draw_energy(arguments):
    try:
        cost = json.loads(pathlib.Path(arguments[0]).read_text())
        layers = [(layer["name"], energy_parts(layer["energy"]), layer["multiplicity"])
                  for layer in cost["layers"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{arguments[0]}: not what `cosearch cost --per-layer --json` prints "
                       f"({error})") from error
    figure, axes = plt.subplots(figsize=(9, 5))
    left = np.zeros(len(layers))
    for number, part in enumerate(sorted({part for _, parts, _ in layers for part in parts})):
        heights = np.array([parts.get(part, 0) * times for _, parts, times in layers]) / 1e6
        axes.bar(range(len(layers)), heights, bottom=left, label=part.replace("_", " "),
                 color=TEMPLATE_COLOURS[number % len(TEMPLATE_COLOURS)])
        left += heights
    axes.set_title(f"{cost['network']} on {cost['machine']}", loc="left", color=INK)
    axes.set_ylabel("energy [uJ]")
    if len(layers) <= 60:
        axes.set_xticks(range(len(layers)), [name for name, _, _ in layers], rotation=90, fontsize=7)
    axes.legend(frameon=False, fontsize=9)
    return figure


KINDS = {"hypervolume": draw_hypervolume, "ranks": draw_ranks, "energy": draw_energy}


def draw(kind, options):
    if kind == "front":
        return plot_front.draw(plot_front.Study(options.inputs[0]), options.colour)
    figure = KINDS[kind](options.inputs)
    for axes in figure.axes[:1]:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.tight_layout()
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["front", *KINDS])
    parser.add_argument("inputs", nargs="+", metavar="INPUT")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="a .svg or .png file")
    parser.add_argument("--colour", choices=["energy", "template"], default="energy",
                        help="of a front: what colours show")
    options = parser.parse_args()
    first = options.inputs[0].rpartition("=")[2].split(",")[0]
    output = options.output or pathlib.Path(first).with_suffix(".svg")
    if output.suffix not in (".svg", ".png"):
        parser.error(f"{output}: expected a name ending in .svg or .png")
    if options.kind != "hypervolume" and len(options.inputs) != 1:
        parser.error(f"{options.kind} takes one input")
    matplotlib.rcParams.update({"svg.hashsalt": "cosearch", "font.size": 10})
    try:
        figure = draw(options.kind, options)
    except BadInput as error:
        print(f"plot: {error}", file=sys.stderr)
        return 2
    try:
        plot_front.save(figure, output)
    except OSError as error:
        print(f"plot: {output}: {error.strerror or error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
