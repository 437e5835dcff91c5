"""supernet: trained, evaluated, correlated and searched; stopped runs go on with the same bytes."""

import csv
import signal
import subprocess
import time

import bar_images
import cli_support
from cli_support import CliTest, main

BAD_INPUT, FILE_TROUBLE, STOPPED = 2, 3, 5


SPACE = """kind: space
schema_version: 1
name: bars
options: {image: 32, classes: 2}
input: [1, image, image]
choices: {width: [8, 16]}
network:
  - convolution: {name: stem, channels: width, kernel: 3, stride: 2, activation: relu}
  - choose: kind
    of:
      none: []
      conv: {convolution: {name: conv, channels: width, kernel: 3, stride: 2, activation: relu}}
  - linear: {name: classifier, features: classes}
"""
STUDY = """kind: study
schema_version: 2
name: bars
networks: {space: bars.yaml, options: {image: 28, classes: 10}}
accuracy: ACCURACY
accelerators: {named: [eyeriss-168]}
objectives: [accuracy, latency]
strategy: {name: exhaustive}
"""
CHIP = "kind: accelerator\nschema_version: 1\nname: mine\ntemplate: eyeriss\npe_rows: 12\npe_columns: 14\n"


def short(epochs=2):
    return ["--images", ".", "--batch", "20", "--epochs", str(epochs)]


class Supernet(CliTest):
    def setUp(self):
        super().setUp()
        bar_images.write(self.folder)
        bar_images.skip_without_training(self)

    def train(self, output, *arguments, epochs=2, expect=0):
        return self.run_program(*self.training(output, epochs), *arguments, expect=expect)

    def training(self, output, epochs):
        """As many positions as the networks of the table have."""
        positions = len(self.rows("table.csv")[0]["genotype"])
        return ["supernet", "train", "--option", f"positions={positions}", *short(epochs), "-o",
                output]

    def stop(self, command, output, number=signal.SIGINT):
        """Stops the command once an epoch of it is kept."""
        process = subprocess.Popen([cli_support.PROGRAM, *command], cwd=self.folder,
                                   stderr=subprocess.DEVNULL)
        while process.poll() is None and not (self.folder / f"{output}.part").exists():
            time.sleep(0.005)
        process.send_signal(number)
        self.assertEqual(process.wait(), STOPPED if number == signal.SIGINT else -number)

    def evaluate(self, *arguments):
        return self.run_json("supernet", "evaluate", "s.pt", "--images", ".", *arguments)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def rows(self, name):
        with open(self.folder / name, encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_a_supernet_ranks_networks_and_feeds_a_study(self):
        self.train("s.pt", "--sampling", "sandwich", "--random-paths", "1", epochs=4)
        found = self.evaluate("--table", "table.csv", "--accuracy", "accuracy", "-o", "a.csv")
        self.assertEqual(found["networks"], len(self.rows("table.csv")))
        for name in ("spearman", "kendall"):
            low, high = found[f"{name}_interval"]
            self.assertLessEqual(low, found[name])
            self.assertLessEqual(found[name], high)
        rows = self.rows("a.csv")
        self.assertEqual([row["alone_percent"] for row in rows],
                         [row["accuracy"] for row in self.rows("table.csv")])
        self.assertGreater(max(float(row["accuracy_percent"]) for row in rows), 20)
        # The same networks, whatever else is evaluated and however many at a time.
        self.run_program("supernet", "evaluate", "s.pt", "--images", ".", "--sample", "9",
                         "--jobs", "2", "-o", "b.csv")
        one_shot = {row["genotype"]: row["accuracy_percent"] for row in rows}
        for row in self.rows("b.csv"):
            self.assertEqual(row["accuracy_percent"],
                             one_shot.get(row["genotype"], row["accuracy_percent"]))
        self.write_study(("accuracy: accuracy}", "accuracy: accuracy_percent}"),
                         ("table.csv", "a.csv"))
        self.run_json("run", "study.yaml")

    def test_a_stopped_training_ends_with_the_same_bytes(self):
        self.train("whole.pt", epochs=5)
        for number in (signal.SIGINT, signal.SIGKILL):
            self.stop(self.training("s.pt", 5), "s.pt", number)
        self.assertFalse((self.folder / "s.pt").exists())
        self.assertIn("learning_rate is 0.15 there and 0.1 here",
                      self.train("s.pt", "--learning-rate", "0.1", epochs=5,
                                 expect=BAD_INPUT).stderr)
        self.train("s.pt", epochs=5)
        self.assertEqual(self.read("s.pt"), self.read("whole.pt"))
        self.assertFalse((self.folder / "s.pt.part").exists())

    def test_a_search_counts_latency_on_an_accelerator(self):
        found = self.run_json("supernet", "search", *short(), "--variant", "first-order",
                              "--accelerator", "nvdla-256", "--latency-weight", "1000",
                              "--architecture-learning-rate", "0.1", "--training-images", "60",
                              "-o", "trace.csv")
        smallest = "0" * len(found["genotype"])
        self.assertEqual(found["genotype"], smallest)
        cost = self.run_json("cost", "-n", f"fashion-macro:{smallest}", "-a", "nvdla-256")
        self.assertEqual(found["latency_cycles"], cost["latency_cycles"])
        trace = self.rows("trace.csv")
        self.assertEqual([row["epoch"] for row in trace], ["1", "2"])
        self.assertAlmostEqual(sum(float(trace[1][f"choice3_alternative{i}"]) for i in range(3)), 1,
                               places=5)
        self.assertEqual(float(trace[1]["expected_latency_cycles"]),
                         found["expected_latency_cycles"])
        for variant in ("second-order", "implicit"):
            self.run_json("supernet", "search", *short(), "--variant", variant,
                          "--training-images", "20", "--validation-images", "20", "-o", "other.csv")

    def test_a_stopped_search_keeps_to_its_accelerator(self):
        self.write("chip.yaml", CHIP)
        command = ["supernet", "search", *short(8), "--variant", "first-order", "--accelerator",
                   "chip.yaml", "--latency-weight", "1", "--training-images", "100", "-o", "t.csv"]
        self.stop(command, "t.csv")
        self.write("chip.yaml", CHIP.replace("columns: 14", "columns: 3"))
        self.refused(*command, expect=BAD_INPUT, says=["t.csv.part", "latencies is [", "there and ["])
        self.write("chip.yaml", CHIP.replace("mine", "another name"))
        self.run_program(*command)
        self.assertEqual(len(self.rows("t.csv")), 8)

    def test_a_space_in_a_file_goes_with_its_supernet(self):
        self.write("bars.yaml", SPACE)
        command = ["supernet", "train", "--space", "bars.yaml", *short(6), "-o", "s.pt"]
        self.stop(command, "s.pt")
        self.write("bars.yaml", SPACE.replace("[8, 16]", "[8, 24]"))
        said = self.refused(*command, expect=BAD_INPUT, says=["s.pt.part", "space_file is"])
        self.assertNotIn("activation", said)
        self.write("bars.yaml", SPACE)
        self.run_program(*command)
        (self.folder / "bars.yaml").unlink()
        self.run_program("supernet", "evaluate", "s.pt", "--images", ".", "-o", "a.csv")
        rows = self.rows("a.csv")
        self.assertEqual([row["genotype"] for row in rows],
                         ["8;none", "8;conv", "16;none", "16;conv"])
        self.assertGreater(max(float(row["accuracy_percent"]) for row in rows), 20)

    def test_studies_hold_what_they_read_to_the_text_of_their_space(self):
        self.write("bars.yaml", SPACE)
        self.run_program("supernet", "train", "--space", "bars.yaml", *short(), "-o", "s.pt")
        recipe = "training_images: 100, batch: 20, epochs: 1"
        for accuracy, says in (("{supernet: {file: s.pt, images: .}}", "described when it was made"),
                               (f"{{train: {{images: ., {recipe}}}}}", "space_file is")):
            self.write("bars.yaml", SPACE)
            self.write("study.yaml", STUDY.replace("ACCURACY", accuracy))
            run = ["run", "study.yaml", "-o", "out.h5"]
            self.run_program(*run)
            (self.folder / "out.h5").unlink()
            self.write("bars.yaml", SPACE.replace("kernel: 3, stride: 2, activation: relu}}",
                                                  "kernel: 5, stride: 2, activation: relu}}"))
            self.refused(*run, expect=BAD_INPUT, says=[says])
            for path in self.folder.glob("out.h5.*"):
                path.unlink()

    def test_bad_input_is_named(self):
        self.train("s.pt")
        whole = self.read("s.pt")
        ask = ["supernet", "evaluate", "s.pt", "--images", ".", "-o", "a.csv"]
        for content, says in ((b"PK", "is no supernet of cosearch"),
                              (whole.replace(b"supernet 1", b"supernet 7", 1),
                               "of version 7; this program reads version 1"),
                              (whole[:-3], "is damaged")):
            (self.folder / "s.pt").write_bytes(content)
            self.refused(*ask, expect=BAD_INPUT, says=["s.pt", says])
        (self.folder / "s.pt").unlink()
        self.refused(*ask, expect=FILE_TROUBLE, says=["s.pt"])
        (self.folder / "s.pt").write_bytes(whole)
        self.refused(*ask, "--validation-images", "1000", expect=BAD_INPUT,
                     says=["validation_images = 1000: must be from 1 to the 40 of 240"])
        pixels, labels = bar_images.images(240, "others")
        bar_images.write_gzip(self.folder / "train-images-idx3-ubyte.gz", pixels)
        bar_images.write_gzip(self.folder / "train-labels-idx1-ubyte.gz", labels)
        self.refused(*ask, expect=BAD_INPUT, says=["s.pt", "trained on other images"])
        self.assertIn("is there already", self.train("s.pt", expect=BAD_INPUT).stderr)
        self.assertIn("the loss became not a number at step",
                      self.train("t.pt", "--learning-rate", "1e30", expect=BAD_INPUT).stderr)
        command = ["supernet", "train", "--images", ".", "-o", "t.pt"]
        for arguments, says in ((["--space", "gpt"], "reads tokens, not images"),
                                (["--sampling", "sandwhich"], "did you mean 'sandwich'"),
                                (["--sharing", "slice"], "did you mean 'slices'"),
                                (["--array-layout", "chw"], "expected nchw or nhwc"),
                                (["--batch", "1"], "recipe.batch = 1: must be at least 2")):
            self.refused(*command, *arguments, expect=BAD_INPUT, says=[says])
        command[1] = "search"
        for arguments, says in ((["--space", "resnet-9"], "cannot be searched by gradients"),
                                (["--space", "bars.yaml"], "a space in a file cannot be searched"),
                                (["--latency-weight", "1"], "none is given"),
                                (["--variant", "third-order"], "expected one of: first-order")):
            self.refused(*command, *arguments, expect=BAD_INPUT, says=[says])
        self.assert_files("study.yaml", "table.csv", *bar_images.IMAGES, "s.pt")


if __name__ == "__main__":
    main()
