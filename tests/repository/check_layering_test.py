"""Plants includes in a small tree and expects check_layering.py to name exactly the forbidden."""

import tempfile
import unittest
from pathlib import Path

from check_layering import complaints_in


def complaints_about(files):
    """What the check says of a tree with these files: {path: text}."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(complaints_in(root))


class CheckLayering(unittest.TestCase):
    def test_a_room_may_include_itself_the_rooms_below_and_the_standard_library(self):
        text = '#include "accel/cost.h"\n\n#include <vector>\n\n#include "core/layer.h"\n'
        self.assertEqual(complaints_about({"accel/cost.cpp": text}), [])

    def test_a_room_may_not_include_a_room_beside_it(self):
        text = '#pragma once\n\n#include "nas/genotype.h"\n'
        self.assertEqual(
            complaints_about({"accel/cost_model.cpp": text}),
            ["accel/cost_model.cpp:3: accel may not include nas/genotype.h"],
        )

    def test_a_room_may_not_include_a_room_above_it(self):
        self.assertEqual(
            complaints_about({"core/layer.h": '#  include "codesign/study.h"\n'}),
            ["core/layer.h:1: core may not include codesign/study.h"],
        )

    def test_an_include_says_its_path_from_the_root(self):
        self.assertEqual(
            complaints_about({"nas/space.cpp": '#include "../accel/cost.h"\n'}),
            ['nas/space.cpp:1: include "../accel/cost.h" by its path from the root'],
        )

    def test_heavy_libraries_stay_in_their_folders(self):
        found = complaints_about(
            {
                "nas/space.cpp": "#include <torch/torch.h>\n",
                "nas/training/train.cpp": "#include <torch/torch.h>\n",
                "datasets/hdf5/handle.h": "#include <hdf5.h>\n",
                "datasets/table.h": "#include <hdf5.h>\n",
                "codesign/driver.cpp": "#include <tbb/parallel_for.h>\n",
                "accel/mapper.cpp": "#include <tbb/parallel_for.h>\n",
            }
        )
        self.assertEqual(
            sorted(line.split(":")[0] for line in found),
            ["accel/mapper.cpp", "datasets/table.h", "nas/space.cpp"],
        )

    def test_a_commented_include_is_no_include(self):
        self.assertEqual(complaints_about({"accel/cost.h": '// #include "nas/space.h"\n'}), [])


if __name__ == "__main__":
    unittest.main()
