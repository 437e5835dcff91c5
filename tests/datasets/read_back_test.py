"""Reads with h5py what cosearch wrote: every column, unit, dictionary and the front, against
datasets/FORMAT.md; then compares the exported fronts with the study they came from.

Usage: read_back_test.py WRITE_EXAMPLE_STUDY
"""

import csv
import hashlib
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

POINT_TYPES = {
    "id": "<u8", "network": "<u4", "accelerator": "<u4", "feasible": "|u1", "reason": "<u2",
    "strategy": "<u2", "step": "<u8", "accuracy_source": "<u2",
}


def text(attribute):
    """A text attribute, or a list of them, as str."""
    if isinstance(attribute, np.ndarray):
        return [entry.decode() for entry in attribute]
    return attribute.decode()


def check_study(file):
    assert text(file.attrs["format"]) == "cosearch-study"
    assert file.attrs["schema_version"] == 2
    study = file["study"].attrs
    for name in ("name", "strategy", "program_version", "created", "command_line", "configuration"):
        assert text(study[name]), name
    assert text(study["name"]) == "first light \u00fc"
    assert study["seed"] == 2**64 - 1 and study["complete"] == 0
    digest = hashlib.sha256(study["configuration"]).hexdigest()
    assert text(study["configuration_hash"]) == digest
    assert text(file["study/library_versions"].attrs["HDF5"])[0].isdigit()
    study = file["study"].attrs
    assert [path.decode() for path in study["machine_file_paths"]] == ["chips/mine.yaml", "other.yaml"]
    for name in ("trials", "network_evaluations", "hardware_evaluations", "layer_evaluations"):
        assert study[name] > 0, name
    assert list(file["strategies"].asstr()) == ["exhaustive", "random"]
    assert list(file["accuracy_sources"].asstr()) == ["", "predictor"]
    assert list(file["reasons"].asstr()) == ["", "buffer of the array too small"]


def check_points(file):
    points = file["points"]
    metrics = text(points.attrs["metrics"])
    assert metrics == ["accuracy", "latency", "energy", "area"]
    assert set(points) == set(metrics) | set(POINT_TYPES) | {"accuracy_spread"}
    assert text(points["accuracy_spread"].attrs["unit"]) == "percent"
    assert set(points["accuracy_source"][:]) == {0, 1}
    for name, column in points.items():
        assert column.shape == (20_000,), name
        assert column.dtype.str == POINT_TYPES.get(name, "<f8"), name
        assert column.chunks == (16_384,) and column.shuffle, name
        assert column.compression == "gzip" and column.compression_opts == 1, name
        assert isinstance(text(column.attrs["unit"]), str), name
    units = [text(points[name].attrs["unit"]) for name in metrics]
    assert units == ["percent", "cycles", "pJ", "mm2"]
    directions = [text(points[name].attrs["direction"]) for name in metrics]
    assert directions == ["maximise", "minimise", "minimise", "minimise"]
    assert (points["id"][:] == 3 * np.arange(20_000)).all()
    assert (points["step"][:] == np.arange(20_000) // 100).all()
    none = points["accelerator"].attrs["none"]
    assert set(points["accelerator"][:]) == {0, 1, none}
    assert set(points["network"][:]) == {0, 1, 2}
    assert all(np.isfinite(points[name][:]).all() for name in metrics)


def check_dictionaries(file):
    networks = file["networks"]
    assert list(networks["id"]) == [0, 1, 2]
    assert list(networks["name"].asstr()) == ["net-0", "net-1 \u00e9", ""]
    assert networks["genotype"].asstr()[0] == "|nor_conv_3x3~0|"
    assert text(networks["accuracy"].attrs["unit"]) == "percent"
    assert networks["accuracy"][0] == 91.25 and math.isnan(networks["accuracy"][1])
    assert list(networks["macs"]) == [153_000_000, 0, 7]
    assert list(networks["parameters"]) == [1_000_000, 0, 8]
    accelerators = file["accelerators"]
    assert list(accelerators["template"].asstr()) == ["nvdla", "eyeriss"]
    assert text(accelerators.attrs["parameters"]) == ["pes", "buffer", "clock"]
    assert text(accelerators["clock"].attrs["unit"]) == "Hz" and list(accelerators["clock"]) == [2e8, 1e9]
    assert math.isnan(accelerators["buffer"][1])


def check_pandas(file):
    import pandas

    points = file["points"]
    frame = pandas.DataFrame({name: points[name][:] for name in points})
    assert len(frame) == 20_000 and frame["id"].is_unique


def front_rows(file):
    """The front as the study itself gives it: one dictionary a point, in stored order."""
    front = file["front"]
    assert text(front.attrs["objectives"]) == ["accuracy", "latency"]
    assert list(front.attrs["reference_point"]) == [0, 1e9]
    assert front.attrs["hypervolume"] == 12.5
    points = file["points"]
    rows = np.searchsorted(points["id"][:], front["id"][:])
    names = file["networks/name"].asstr()[:]
    metrics = text(points.attrs["metrics"])
    return [
        {"id": int(points["id"][row]), "network": names[points["network"][row]]}
        | {name: float(points[name][row]) for name in metrics}
        for row in rows
    ], {name: text(points[name].attrs["unit"]) for name in metrics}


def check_fronts(folder, expected, units):
    with open(folder / "front.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    labels = {name: f"{name}[{units[name]}]" if name in units else name for name in expected[0]}
    assert list(rows[0]) == list(labels.values())
    for row, want in zip(rows, expected, strict=True):
        got = {name: type(want[name])(row[labels[name]]) for name in labels}
        assert got == want, (got, want)
    document = json.loads((folder / "front.json").read_text())
    assert document == {"units": units, "rows": expected}
    with h5py.File(folder / "front.h5") as file:
        assert text(file.attrs["columns"]) == list(expected[0])
        for name in labels:
            column = file[name].asstr()[:] if name == "network" else file[name][:]
            assert list(column) == [row[name] for row in expected], name
            assert name == "network" or text(file[name].attrs["unit"]) == units.get(name, "")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.argv[1], folder], check=True)
        with h5py.File(folder / "study.h5") as file:
            check_study(file)
            check_points(file)
            check_dictionaries(file)
            check_pandas(file)
            expected, units = front_rows(file)
        check_fronts(folder, expected, units)


if __name__ == "__main__":
    main()
