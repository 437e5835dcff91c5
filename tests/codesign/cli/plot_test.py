"""The picture of a stored study: drawn, the same bytes twice, and bad input told."""

import subprocess
import sys

from cli_support import REPOSITORY, CliTest, main


class PlotTest(CliTest):
    def plot(self, *arguments):
        return subprocess.run([sys.executable, REPOSITORY / "scripts/plot_front.py", *arguments],
                              cwd=self.folder, capture_output=True, text=True)

    def test_the_same_study_gives_the_same_picture(self):
        self.run_program("run", "study.yaml", "-o", "study.h5")
        for name in ("first.svg", "second.svg"):
            result = self.plot("study.h5", "-o", name)
            self.assertEqual(result.returncode, 0, result.stderr)
        first = (self.folder / "first.svg").read_bytes()
        self.assertIn(b"latency", first)
        self.assertEqual(first, (self.folder / "second.svg").read_bytes())

    def test_a_file_that_is_no_study_is_told(self):
        (self.folder / "text.h5").write_text("not HDF5")
        result = self.plot("text.h5", "-o", "picture.svg")
        self.assertEqual(result.returncode, 2)
        self.assertIn("text.h5", result.stderr)
        self.assertFalse((self.folder / "picture.svg").exists())


if __name__ == "__main__":
    main()
