"""Spaces in files from the command line: wherever a space's name is asked for."""

import shutil

from cli_support import REPOSITORY, CliTest, main

SPACE = """kind: space
schema_version: 1
name: tiny
options: {image: 16}
input: [3, image, image]
choices: {width: [8, 16]}
network:
  - convolution: {name: stem, channels: width, kernel: 3, activation: relu}
  - repeat: 2
    name: block{i}
    steps:
      - choose: kind
        of:
          none: []
          conv: {choices: {kernel: [1, 3]}, steps: [{convolution: {name: conv, channels: width, kernel: kernel}}]}
  - global_pool: {name: pool}
  - linear: {name: classifier, features: 10}
"""


class Spaces(CliTest):
    def setUp(self):
        super().setUp()
        self.write("tiny.yaml", SPACE)
        self.write_study(("  space: fashion-macro\n", "  space: tiny.yaml\n"),
                         ("  table: {file: table.csv, genotype: genotype, accuracy: accuracy}\n", ""),
                         ("[accuracy, latency, energy]", "[latency, energy]"))

    def test_listed_by_its_file_with_its_choices(self):
        rows = self.run_json("list", "spaces", "tiny.yaml")
        self.assertEqual([row["genotypes"] for row in rows], ["18"])
        rows = self.run_json("list", "spaces", "--choices", "tiny.yaml")
        self.assertEqual([row["choice"] for row in rows],
                         ["width", "block0.kind", "block0.conv.kernel", "block1.kind",
                          "block1.conv.kernel"])
        self.refused("list", "spaces", "--choices", "nas-bench-201", expect=2, says=["a file"])

    def test_costed_by_file_and_genotype(self):
        arguments = ("--accelerator", "eyeriss-168")
        for file, name, genotype in (("nas_bench_macro", "nas-bench-macro", "01201201"),
                                     ("resnet_9", "resnet-9", "64;128;2;256;0;512;2")):
            path = REPOSITORY / "examples" / "spaces" / f"{file}.yaml"
            shutil.copy(path, self.folder / f"{file}.yaml")
            self.assertEqual(
                self.run_json("cost", "--network", f"{file}.yaml:{genotype}", *arguments),
                self.run_json("cost", "--network", f"{name}:{genotype}", *arguments))
        self.refused("cost", "--network", "tiny.yaml:8;conv;-;none;-", *arguments, expect=2,
                     says=["character 8", "block0.conv.kernel"])
        self.refused("cost", "--network", "lost.yaml:8", *arguments, expect=3,
                     says=["lost.yaml: cannot open"])

    def test_searched_shown_and_searched_again_without_its_file(self):
        self.run_program("run", "study.yaml", "-o", "a.h5", "--quiet")
        self.assertEqual(self.study_attributes("a.h5")["trials"], 18 * 6)
        self.run_program("run", "study.yaml", "-o", "a.h5", "--quiet", "--resume")
        self.write("tiny.yaml", SPACE.replace("[1, 3]", "[1, 5]"))
        self.refused("run", "study.yaml", "-o", "a.h5", "--resume", expect=2,
                     says=["a.h5: cannot be resumed", "the file of the space is not what it was"])
        (self.folder / "tiny.yaml").unlink()
        shown = self.run_json("show", "a.h5", "7", "-o", "point")
        again = self.run_json("run", "point/study.yaml", "-o", "again.h5")
        self.assertEqual((self.folder / "point" / "space.yaml").read_text(), SPACE)
        self.assertEqual(self.study_attributes("again.h5")["trials"], 1)
        self.assertTrue(shown["network"].startswith("tiny "), shown["network"])
        self.assertIn(str(shown["latency_cycles"]), str(again))

    def test_studies_of_different_files_are_not_merged(self):
        self.run_program("run", "study.yaml", "-o", "a.h5", "--quiet")
        self.write("tiny.yaml", SPACE.replace("[1, 3]", "[1, 5]"))
        self.run_program("run", "study.yaml", "-o", "b.h5", "--quiet")
        self.refused("merge", "a.h5", "b.h5", "-o", "both.h5", expect=2,
                     says=["b.h5: its space is described by another file than that of a.h5"])

    def test_stopped_and_resumed(self):
        self.run_program("run", "study.yaml", "-o", "whole.h5", "--quiet")
        self.run_program("run", "study.yaml", "-o", "part.h5", "--quiet", "--max-evaluations", "20",
                         expect=5)
        self.run_program("run", "study.yaml", "-o", "part.h5", "--quiet", "--resume")
        for store in ("whole", "part"):
            self.run_program("pareto", f"{store}.h5", "-o", f"{store}.csv")
        self.assertEqual((self.folder / "part.csv").read_text(),
                         (self.folder / "whole.csv").read_text())

    def test_mistakes_are_found_at_their_line(self):
        self.write("tiny.yaml", SPACE.replace("kernel: kernel", "kernel: kernal"))
        self.refused("run", "study.yaml", "-o", "out.h5", expect=2,
                     says=["study.yaml:6:10: tiny.yaml:15:105: ", "did you mean 'kernel'?"])
        self.assert_files("study.yaml", "table.csv", "tiny.yaml")
        self.refused("score", "--space", "lost.yaml", "--scores", "macs", "-o", "s.csv", expect=3,
                     says=["lost.yaml: cannot open"])

    def test_scored(self):
        self.run_program("score", "--space", "tiny.yaml", "--scores", "parameters,macs",
                         "-o", "s.csv")
        self.assertEqual(len((self.folder / "s.csv").read_text().splitlines()), 19)

    def test_predicted_without_its_file(self):
        genotypes = [f"{width};{a};{b}" for width in (8, 16) for a in ("none;-", "conv;1", "conv;3")
                     for b in ("none;-", "conv;1", "conv;3")]
        self.write("table.csv", "genotype,accuracy\n" + "".join(
            f"{genotype},{50 + len(genotype)}\n" for genotype in genotypes))
        self.run_program("predictor", "train", "table.csv", "--space", "tiny.yaml", "--target",
                         "accuracy", "--model", "ridge", "-o", "p.h5")
        (self.folder / "tiny.yaml").unlink()
        self.assertEqual(len(self.run_json("predictor", "predict", "p.h5", "table.csv")), 18)


if __name__ == "__main__":
    main()
