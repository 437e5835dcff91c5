"""Images that a network learns to tell apart within a few steps."""

import gzip
import random
import struct

SIDE, CLASSES = 28, 10
IMAGES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k")
          for kind in ("images-idx3", "labels-idx1")]


def idx(magic, extents, data):
    return struct.pack(f">I{len(extents)}I", magic, *extents) + bytes(data)


def images(count, seed):
    """Noise with a bright bar at a height that tells the class."""
    draw = random.Random(seed)
    labels = [i % CLASSES for i in range(count)]
    pixels = bytearray()
    for label in labels:
        for y in range(SIDE):
            bright = 128 if y // 2 == label + 2 else 0
            pixels += bytes(draw.randrange(64) + bright for _ in range(SIDE))
    return (idx(0x803, [count, SIDE, SIDE], pixels), idx(0x801, [count], labels))


def write_gzip(path, data):
    path.write_bytes(gzip.compress(data, mtime=0))


def write(folder):
    """240 training and 60 test images as Fashion-MNIST's files."""
    for part, count in (("train", 240), ("t10k", 60)):
        pixels, labels = images(count, part)
        write_gzip(folder / f"{part}-images-idx3-ubyte.gz", pixels)
        write_gzip(folder / f"{part}-labels-idx1-ubyte.gz", labels)


def skip_without_training(test):
    training = next(row for row in test.run_json("doctor") if row["what"].startswith("training"))
    if not training["good"]:
        test.skipTest("built without LibTorch")
