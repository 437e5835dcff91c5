"""Finds includes that break the layering: a room may include only the rooms below it, and a heavy
library only where the design lets it in (docs/design.md, section 1).

Usage: check_layering.py ROOT    prints one line for each forbidden include; exit code 1 if any.
"""

import re
import sys
from pathlib import Path

# Each room and the rooms below it.
ROOMS = {
    "core": [],
    "accel": ["core"],
    "nas": ["core"],
    "predictors": ["core"],
    "datasets": ["core"],
    "codesign": ["core", "accel", "nas", "predictors", "datasets"],
}

# Headers of heavy libraries, as the beginning of what stands between < and >, and the folders that
# may include them.
LIBRARIES = {
    "torch/": ["nas/training", "nas/scores", "nas/supernet", "predictors/neural"],
    "ATen/": ["nas/training", "nas/scores", "nas/supernet", "predictors/neural"],
    "c10/": ["nas/training", "nas/scores", "nas/supernet", "predictors/neural"],
    "hdf5": ["datasets/hdf5"],
    "H5": ["datasets/hdf5"],
    "tbb/": ["codesign"],
    "oneapi/tbb": ["codesign"],
}

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def room_of(path):
    room = path.split("/")[0]
    return room if room in ROOMS else None


def complaint(file, line):
    """What is wrong with one line of `file` (relative to the root), or None."""
    match = INCLUDE.match(line)
    if not match:
        return None
    own, library = match.groups()
    if own:
        room, included = room_of(file), room_of(own)
        if included is None:
            # Only a file's full path from the root says which room it belongs to.
            return f'include "{own}" by its path from the root'
        if included != room and included not in ROOMS[room]:
            return f"{room} may not include {own}"
    for header, folders in LIBRARIES.items():
        if (own or library).startswith(header):
            if not any(file.startswith(folder + "/") for folder in folders):
                return f"only {', '.join(folders)} may include <{own or library}>"
    return None


def complaints_in(root):
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            file = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                text = complaint(file, line)
                if text:
                    yield f"{file}:{number}: {text}"


def main():
    root = Path(sys.argv[1])
    headers = sum(1 for room in ROOMS for _ in (root / room).rglob("*.h"))
    found = list(complaints_in(root))
    for line in found:
        print(line)
    print(f"{headers} headers and their sources: {len(found)} forbidden includes")
    return 0 if headers and not found else 1


if __name__ == "__main__":
    sys.exit(main())
