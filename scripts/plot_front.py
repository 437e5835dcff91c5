#!/usr/bin/python3
"""Draws a stored study: every design grey, what nothing else beats in colour.

    scripts/plot_front.py STORE.h5 [-o FILE.svg|FILE.png] [--colour energy|template]

Accuracy over latency. Faint rings are designs that break a constraint; the stair is the best
accuracy within a latency; colours give the energy (or the template), shapes the template of the
designs on the study's front. The same store gives the same bytes.

Needs python3-matplotlib and python3-h5py; the store is described in datasets/FORMAT.md.
Exit codes: 0 done, 2 bad usage or input, 3 the picture cannot be written.
"""

import argparse
import pathlib
import sys

try:
    import h5py
    import matplotlib
    import numpy as np
except ModuleNotFoundError as error:
    sys.exit(f"plot_front: {error}. Install python3-matplotlib and python3-h5py (Debian, Ubuntu)")

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402  (the backend comes first)
from matplotlib.colors import LogNorm  # noqa: E402
from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter  # noqa: E402

# Okabe and Ito's colours, which people with any common colour blindness tell apart.
TEMPLATE_COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"]
TEMPLATE_MARKERS = ["o", "s", "^", "D", "v", "P"]
WIDE_TICKS = [0, 20, 40, 60, 70, 80, 85, 90, 92, 94, 96, 97, 98, 99]
INK, GREY, FAINT = "#222222", "#b4b4b4", "#dcdcdc"


class BadInput(Exception):
    """The store cannot be drawn; the text says why, for the user."""


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Study:
    """What the picture needs of a store: columns over its points, names, units, the front."""

    def __init__(self, path):
        try:
            file = h5py.File(path)
        except OSError as error:
            reason = "not an HDF5 file" if pathlib.Path(path).is_file() else "cannot be read"
            raise BadInput(f"{path}: {reason} ({error})") from error
        with file:
            if text(file.attrs.get("format", b"")) != "cosearch-study":
                raise BadInput(f"{path}: not a cosearch study (its attribute 'format' is missing)")
            if file.attrs["schema_version"] > 2:
                raise BadInput(f"{path}: schema version {file.attrs['schema_version']}; 2 is the newest known")
            try:
                self._read(file)
            except KeyError as error:
                raise BadInput(f"{path}: incomplete: {error}") from error

    def _read(self, file):
        points = file["points"]
        self.name = text(file["study"].attrs["name"])
        self.metrics = {}
        self.units = {}
        for metric in ("accuracy", "latency", "energy"):
            if metric not in points:
                raise KeyError(f"no '{metric}' among its points")
            self.metrics[metric] = points[metric][:]
            self.units[metric] = text(points[metric].attrs["unit"])
        drawable = np.isfinite(list(self.metrics.values())).all(axis=0) & (self.metrics["latency"] > 0)
        if not drawable.any():
            raise KeyError("no point has an accuracy, a latency and an energy")
        self.evaluated = len(drawable)
        self.feasible = drawable & (points["feasible"][:] == 1)
        self.infeasible = drawable & ~self.feasible
        front = file["front"]
        self.front = np.searchsorted(points["id"][:], front["id"][:])
        self.objectives = [text(name) for name in front.attrs["objectives"]]
        templates = file["accelerators/template"].asstr()[:]
        self.templates = list(dict.fromkeys(templates))
        accelerators = points["accelerator"][:][self.front]
        self.front_templates = np.array([templates[i] for i in accelerators], dtype=object)


def thinned(x, y):
    """Indices of points, one for each spot of the picture: a study may hold millions."""
    spots = np.stack([np.round(np.log10(x) * 400), np.round(y * 25)], axis=1)
    return np.unique(spots, axis=0, return_index=True)[1]


def stair(latency, accuracy):
    """Corners of the best accuracy within a latency."""
    order = np.lexsort((-accuracy, latency))
    best = np.maximum.accumulate(accuracy[order])
    rises = np.concatenate([[True], best[1:] > best[:-1]])
    return latency[order][rises], best[rises]


def label(name, unit):
    return f"{name} [{'%' if unit == 'percent' else unit}]" if unit else name


def draw_cloud(axes, study):
    latency, accuracy = study.metrics["latency"], study.metrics["accuracy"]
    for chosen, style in (
        (study.infeasible, {"facecolors": "none", "edgecolors": FAINT, "linewidths": 0.6, "s": 9}),
        (study.feasible, {"color": GREY, "alpha": 0.55, "linewidths": 0, "s": 7}),
    ):
        x, y = latency[chosen], accuracy[chosen]
        keep = thinned(x, y)
        axes.scatter(x[keep], y[keep], rasterized=True, zorder=1, **style)


def draw_front(figure, axes, study, colour):
    latency, accuracy, energy = (study.metrics[m][study.front] for m in ("latency", "accuracy", "energy"))
    colours_of = dict(zip(study.templates, TEMPLATE_COLOURS * 9))
    norm = LogNorm(energy.min(), energy.max() * (1 + 1e-9))
    for template, marker in zip(study.templates, TEMPLATE_MARKERS * 9):
        chosen = study.front_templates == template
        if not chosen.any():
            continue
        fill = {"c": energy[chosen], "cmap": "viridis", "norm": norm}
        if colour == "template":
            fill = {"color": colours_of[template]}
        axes.scatter(latency[chosen], accuracy[chosen], s=44, marker=marker, edgecolors=INK,
                     linewidths=0.7, zorder=3, **fill)
        legend_fill = colours_of[template] if colour == "template" else "white"
        axes.scatter([], [], s=44, marker=marker, color=legend_fill, edgecolors=INK, linewidths=0.9, label=template)
    if colour == "energy":
        add_energy_bar(figure, axes, norm, study.units["energy"])


def add_energy_bar(figure, axes, norm, unit):
    bar = figure.colorbar(plt.cm.ScalarMappable(norm, "viridis"), ax=axes, pad=0.02, aspect=32)
    bar.outline.set_visible(False)
    use_plain_numbers(bar.ax.yaxis)
    if unit == "pJ":
        joules = EngFormatter(unit="J")
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda picojoules, _: joules(picojoules * 1e-12)))
        unit = ""
    bar.ax.set_title(label("energy", unit), fontsize=10, color=INK, pad=9)


def use_plain_numbers(axis):
    """Ticks of a logarithmic axis as 2k, 5k, 10k."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(EngFormatter(sep=""))
    axis.set_minor_formatter(NullFormatter())


def spread_small_errors(axes, accuracy):
    """From 10 % to 5 % error is as far as from 20 % to 10 %: so the best networks lie apart."""
    if accuracy.max() > 99.9:
        return
    spread = lambda a: -np.log2(np.maximum(100.0 - a, 1e-3))  # noqa: E731
    axes.set_yscale("function", functions=(spread, lambda s: 100.0 - np.exp2(-s)))
    low, high = spread(accuracy.min()), spread(accuracy.max())
    margin = 0.04 * (high - low) + 0.02
    axes.set_ylim(100.0 - np.exp2(-low + margin), 100.0 - np.exp2(-high - margin))
    wide = high - low > 2
    axes.yaxis.set_major_locator(FixedLocator(WIDE_TICKS) if wide else MaxNLocator(12, steps=[1, 2, 5, 10]))


def summary(study):
    evaluated = f"{study.evaluated:,} designs evaluated"
    if not len(study.front):
        return f"{evaluated}; none meets every constraint"
    return f"{evaluated}; nothing beats {len(study.front):,} of them in {', '.join(study.objectives)}"


def draw(study, colour):
    figure, axes = plt.subplots(figsize=(8.2, 4.9), constrained_layout=True)
    draw_cloud(axes, study)
    latency, accuracy = study.metrics["latency"], study.metrics["accuracy"]
    if study.feasible.any():
        x, y = stair(latency[study.feasible], accuracy[study.feasible])
        end = latency[study.feasible | study.infeasible].max()
        axes.step(np.append(x, end), np.append(y, y[-1]), where="post", color=INK, linewidth=1.1, zorder=2,
                  label="best accuracy within a latency")
    if study.infeasible.any():
        axes.scatter([], [], s=14, facecolors="none", edgecolors=GREY, label="breaks a constraint")
    if len(study.front):
        draw_front(figure, axes, study, colour)
    axes.set_xscale("log")
    use_plain_numbers(axes.xaxis)
    if study.units["accuracy"] == "percent":
        spread_small_errors(axes, accuracy[study.feasible | study.infeasible])
    axes.set_xlabel(label("latency", study.units["latency"]))
    axes.set_ylabel(label("accuracy", study.units["accuracy"]))
    axes.set_title(study.name, loc="left", fontsize=13, fontweight="bold", color=INK, pad=24)
    axes.text(0, 1.025, summary(study), transform=axes.transAxes, fontsize=9.5, color="#555555")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def save(figure, path):
    # Without a date and with a fixed salt, one store gives one picture, byte for byte.
    metadata = {"Date": None} if path.suffix == ".svg" else {}
    figure.savefig(path, dpi=160, metadata=metadata, facecolor="white")


def main():
    parser = argparse.ArgumentParser(description="Draws the front of a stored study.")
    parser.add_argument("store", metavar="STORE.h5", help="what `cosearch run` wrote")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="a .svg or .png file (default: STORE.svg)")
    parser.add_argument("--colour", choices=["energy", "template"], default="energy", help="what colours show")
    options = parser.parse_args()
    output = options.output or pathlib.Path(options.store).with_suffix(".svg")
    if output.suffix not in (".svg", ".png"):
        parser.error(f"{output}: expected a name ending in .svg or .png")
    matplotlib.rcParams.update({"svg.hashsalt": "cosearch", "font.size": 10, "axes.edgecolor": "#888888",
                                "axes.labelcolor": INK, "xtick.color": "#555555", "ytick.color": "#555555"})
    try:
        figure = draw(Study(options.store), options.colour)
    except BadInput as error:
        print(f"plot_front: {error}", file=sys.stderr)
        return 2
    try:
        save(figure, output)
    except OSError as error:
        print(f"plot_front: {output}: {error.strerror or error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
