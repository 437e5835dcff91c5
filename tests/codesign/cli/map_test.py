"""Mappings of networks on machines: printed, written, read back and refused."""

from cli_support import CliTest, main

BAD, FILE, INFEASIBLE = 2, 3, 4

NETWORK = """kind: network
schema_version: 1
name: small
layers:
  - {name: first, type: convolution, in_channels: 3, out_channels: 8, height: 16, width: 16,
     kernel: 3, pad: 1}
  - {name: pool, type: pooling, channels: 8, height: 16, width: 16, kernel: 2, stride: 2}
  - {name: second, type: convolution, in_channels: 8, out_channels: 8, height: 8, width: 8,
     kernel: 3, pad: 1, multiplicity: 2}
  - {name: third, type: convolution, in_channels: 8, out_channels: 8, height: 8, width: 8,
     kernel: 3, pad: 1}
  - {name: up, type: transposed_convolution, in_channels: 8, out_channels: 4, height: 8, width: 8,
     kernel: 2, stride: 2}
"""

MACHINE = """kind: machine
schema_version: 1
name: tiny
source: made up for this test
clock: 100MHz
levels:
  - name: DRAM
    bandwidth: 8B/cycle
  - name: buffer
    keep: all
    capacity: 4KiB
    fanout:
      - {axis: rows, size: 4}
  - name: registers
    keep: all
    capacity: 64B
constraints:
  registers:
    temporal: {dimensions: none}
"""

# 16 x 16 outputs of 8 channels, all loops outermost but four rows in parallel.
MAPPING = """kind: mappings
schema_version: 1
mappings:
  - layers: [first]
    levels:
      DRAM:
        loops:
          - {dimension: K, tile: 4}
          - {dimension: C, tile: 1}
          - {dimension: P, tile: 1}
          - {dimension: Q, tile: 1}
          - {dimension: R, tile: 1}
          - {dimension: S, tile: 1}
      buffer:
        loops:
          - {dimension: K, tile: 1, axis: rows}
"""


class MapTest(CliTest):
    def setUp(self):
        super().setUp()
        self.write("net.yaml", NETWORK)
        self.write("tiny.yaml", MACHINE)
        self.files = sorted(path.name for path in self.folder.iterdir())

    def write_mapping(self, *changes):
        text = MAPPING
        for old, new in changes:
            self.assertEqual(text.count(old), 1, f"{old!r} in the mapping")
            text = text.replace(old, new)
        self.write("m.yaml", text)

    def of_tiny(self, command, *arguments):
        return (command, "-n", "net.yaml", "-m", "tiny.yaml", *arguments)


class Maps(MapTest):
    def test_for_people(self):
        out = self.run_program(*self.of_tiny("map", "--nests")).stdout
        for part in ("second +1", "small on tiny:", "DRAM holds input", "in parallel on rows: for ",
                     "multiply and add", "lower bound", "bound by", "leakage", "vector lanes"):
            self.assertIn(part, out)
        self.assert_files(*self.files)

    def test_each_shape_is_one_entry_and_they_add_up(self):
        result = self.run_json(*self.of_tiny("map"))
        self.assertEqual([entry["layers"] for entry in result["layers"]],
                         [["first"], ["pool"], ["second", "third"], ["up"]])
        self.assertEqual([entry["multiplicity"] for entry in result["layers"]], [1, 1, 3, 1])
        self.assertEqual(result["latency_cycles"],
                         sum(e["multiplicity"] * e["latency_cycles"] for e in result["layers"]))
        whole = sum(e["multiplicity"] * e["energy"]["total_pj"] for e in result["layers"])
        self.assertAlmostEqual(result["energy"]["total_pj"], whole, delta=1e-9 * whole)
        self.assertEqual(result["macs"], 3 * 8 * 256 * 9 + 3 * 64 * 64 * 9 + 8 * 4 * 64 * 4)

    def test_energies_are_sums_of_their_parts(self):
        energy = self.run_json(*self.of_tiny("map"))["energy"]
        parts = sum(value for key, value in energy.items()
                    if key.endswith("_pj") and key != "total_pj")
        for where in ("levels", "network"):
            parts += sum(sum(tensors.values()) for tensors in energy[where].values())
        self.assertAlmostEqual(energy["total_pj"], parts, delta=1e-9 * parts)

    def test_the_lower_bound_proves_the_optimum(self):
        for entry in self.run_json(*self.of_tiny("map"))["layers"]:
            if entry["macs"] == 0:
                self.assertNotIn("certificate", entry)
                continue
            value = entry["latency_cycles"] * entry["energy"]["total_pj"]
            self.assertAlmostEqual(entry["certificate"]["lower_bound"], value, delta=1e-9 * value)

    def test_each_objective_is_best_at_its_own(self):
        def values(objective):
            layer = self.run_json(*self.of_tiny("map", "-l", "first", "--objective", objective))
            return layer["latency_cycles"], layer["energy"]["total_pj"]

        fast, frugal, both = values("latency"), values("energy"), values("edp")
        self.assertLessEqual(fast[0], both[0])
        self.assertLessEqual(frugal[1], both[1])
        self.assertLessEqual(both[0] * both[1], fast[0] * fast[1])
        self.assertLessEqual(both[0] * both[1], frugal[0] * frugal[1])
        cubed = values("latency^3*energy")
        self.assertLessEqual(cubed[0] ** 3 * cubed[1], both[0] ** 3 * both[1])

    def test_the_pareto_set(self):
        front = self.run_json(*self.of_tiny("map", "--pareto"))["layers"][0]["pareto"]
        points = [(run["latency_cycles"], run["energy"]["total_pj"]) for run in front]
        self.assertEqual(points, sorted(points))
        for (cycles, energy), (more, less) in zip(points, points[1:]):
            self.assertTrue(cycles < more and energy > less)
        best = self.run_json(*self.of_tiny("map", "-l", "first"))
        self.assertIn((best["latency_cycles"], best["energy"]["total_pj"]), points)
        self.assertIn("first: ", self.run_program(*self.of_tiny("map", "--pareto")).stdout)

    def test_imperfect_factors(self):
        """Nine output channels on eight rows: 3 x 3 when factors divide, else 2 steps of 5 and 4."""
        self.write("odd.yaml", NETWORK[:NETWORK.index("  - {name: pool")].replace("out_channels: 8",
                                                                                "out_channels: 9"))
        self.write("eight.yaml", MACHINE.replace("size: 4", "size: 8").replace(
            "  registers:\n", "  buffer:\n    axes:\n      rows: {dimensions: K}\n  registers:\n"))
        command = ("-n", "odd.yaml", "-m", "eight.yaml", "--json")
        by_latency = (*command, "--objective", "latency")
        cycles = {}
        for factors in ("dividing", "imperfect"):
            mapped = self.run_json("map", *by_latency, "--factors", factors, "-o", factors + ".yaml",
                                   "--per-layer")
            cycles[factors] = mapped.pop("latency_cycles")
            cost = self.run_json("cost", *command, "--mapping", factors + ".yaml")
            self.assertEqual(cost["latency_cycles"], cycles[factors])
        self.assertEqual(self.run_program("map", *by_latency).stdout,
                         self.run_program("map", *by_latency, "--factors", "dividing").stdout)
        steps = 16 * 16 * 3 * 9  # of one output channel on each row
        self.assertGreaterEqual(cycles["dividing"], 3 * steps)
        self.assertLess(cycles["imperfect"], 3 * steps)
        self.assertGreaterEqual(cycles["imperfect"], 2 * steps)
        fronts = [self.run_json("map", *command, "--pareto", "--factors", factors)
                  ["layers"][0]["pareto"] for factors in ("dividing", "imperfect")]
        for one in fronts[0]:  # each is met or beaten
            self.assertTrue(any(other["latency_cycles"] <= one["latency_cycles"]
                                and other["energy"]["total_pj"] <= one["energy"]["total_pj"]
                                for other in fronts[1]))

    def test_jobs_change_nothing(self):
        for arguments in (["map", "-n", "squeezenet-1.1", "-m", "nvdla-256", "--nests"],
                          ["map", "-n", "squeezenet-1.1", "-m", "nvdla-256", "--json"],
                          [*self.of_tiny("map", "--pareto")]):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_program(*arguments, "-j", "1").stdout,
                                 self.run_program(*arguments, "-j", "3").stdout)


class Costs(MapTest):
    def test_a_written_mapping_costs_the_same(self):
        for accounting in ("exact", "timeloop"):
            with self.subTest(accounting=accounting):
                rule = ("--accounting", accounting)
                mapped = self.run_json(*self.of_tiny("map", "-o", "m.yaml", "--per-layer", *rule))
                cost = self.run_json(*self.of_tiny("cost", "--mapping", "m.yaml", "--per-layer",
                                                   *rule))
                mapped.pop("objective")
                for entry in mapped["layers"]:
                    entry.pop("certificate", None)
                self.assertEqual(cost, mapped)
                again = self.run_json(*self.of_tiny("cost", "--per-layer", *rule))
                for entry in again["layers"]:
                    entry.pop("certificate", None)
                self.assertEqual(again, cost)

    def test_for_people(self):
        out = self.run_program(*self.of_tiny("cost", "--per-layer", "--nests")).stdout
        for part in ("second  ", "third  ", "small on tiny:", "multiply and add"):
            self.assertIn(part, out)

    def test_one_layer_of_a_file_of_all(self):
        self.run_program(*self.of_tiny("map", "-o", "m.yaml"))
        out = self.run_program(*self.of_tiny("cost", "--mapping", "m.yaml", "-l", "up")).stdout
        self.assertIn("small (up) on tiny:", out)

    def test_a_mapping_written_by_hand(self):
        self.write_mapping()
        cost = self.run_json(*self.of_tiny("cost", "--mapping", "m.yaml", "-l", "first",
                                           "--per-layer"))
        # Two groups of four channels, and every other loop one step at a time.
        self.assertEqual(cost["layers"][0]["latency"]["compute"], 2 * 3 * 256 * 9)

    def test_a_machine_with_parameters(self):
        self.assertEqual(self.run_json("cost", "-n", "net.yaml", "-m", "nvdla:pe_rows=8")["machine"],
                         "nvdla:pe_rows=8")


class BadMappings(MapTest):
    def refused_mapping(self, *changes, says, layer="first"):
        self.write_mapping(*changes)
        return self.refused(*self.of_tiny("cost", "--mapping", "m.yaml", "-l", layer), expect=BAD,
                            says=says)

    def test_an_overflow(self):
        # Four channels' whole output: 4 * 16 * 16 sums of 4 bytes, twice, of 4 KiB.
        message = self.refused_mapping(
            ("          - {dimension: P, tile: 1}\n          - {dimension: Q, tile: 1}\n", ""),
            ("          - {dimension: K, tile: 1, axis: rows}\n",
             "          - {dimension: P, tile: 1}\n          - {dimension: Q, tile: 1}\n"
             "          - {dimension: K, tile: 1, axis: rows}\n"),
            says=["m.yaml:12:7: layer 'first': level buffer: is ", "bits too small", "output 65536"])
        self.assertIn("of 32768 bits", message)

    def test_a_layer_that_is_not_covered(self):
        self.refused_mapping(("dimension: P, tile: 1", "dimension: P, tile: 2"),
                             says=["m.yaml:4:5: layer 'first': the loops over P leave pieces of 2"])

    def test_a_loop_that_grows(self):
        self.refused_mapping(("dimension: K, tile: 4", "dimension: K, tile: 12"),
                             says=["m.yaml:8:34: layer 'first': level DRAM: the loop over K has "
                                   "tile 12: must be in [1, 8]"])

    def test_an_axis_that_does_not_exist(self):
        self.refused_mapping(("axis: rows", "axis: row"),
                             says=["m.yaml:16:43: ", "level buffer has no axis 'row'",
                                   "did you mean 'rows'?"])

    def test_an_axis_that_is_too_short(self):
        self.refused_mapping(("{dimension: K, tile: 4}", "{dimension: K, tile: 8}"),
                             says=["m.yaml:14:7: ", "8 children along axis rows: it has 4"])

    def test_an_unknown_level_dimension_and_key(self):
        self.refused_mapping(("buffer:", "bufer:"), says=["m.yaml:14:7: ", "did you mean 'buffer'?"])
        self.refused_mapping(("dimension: C", "dimension: c"),
                             says=["m.yaml:9:25: ", "no dimension 'c'"])
        self.refused_mapping(("dimension: P, tile", "dimension: P, tiles"),
                             says=["m.yaml:10:", "did you mean 'tile'?"])

    def test_a_unit(self):
        self.refused_mapping(("dimension: P, tile: 1", "dimension: P, tile: 1B"),
                             says=["m.yaml:10:34: ", "a whole number without a unit"])

    def test_a_layer_without_a_mapping(self):
        self.write_mapping()
        self.refused(*self.of_tiny("cost", "--mapping", "m.yaml"), expect=BAD,
                     says=["no mapping for layers 'second', 'third', 'up'"])

    def test_a_layer_that_the_network_lacks(self):
        self.refused_mapping(("[first]", "[firs]"),
                             says=["m.yaml:4:14: ", "did you mean 'first'?"])

    def test_a_file_that_is_none(self):
        self.refused(*self.of_tiny("cost", "--mapping", "none.yaml"), expect=FILE,
                     says=["none.yaml: cannot open"])
        self.refused(*self.of_tiny("cost", "--mapping", "tiny.yaml"), expect=BAD,
                     says=["tiny.yaml:1:"])


class BadUsage(MapTest):
    def test_machines_networks_and_layers_that_do_not_exist(self):
        self.refused("map", "-n", "resnet18", "-m", "eyeris-v1", expect=BAD,
                     says=["did you mean 'eyeriss-v1'?"])
        self.refused("map", "-n", "resnet81", "-m", "nvdla", expect=BAD, says=["resnet"])
        self.refused(*self.of_tiny("map", "-l", "frst"), expect=BAD,
                     says=["network small has no layer 'frst'", "did you mean 'first'?"])
        self.refused("map", "-n", "net.yaml", "-m", "none.yaml", expect=FILE, says=["none.yaml"])

    def test_a_machine_with_a_wrong_unit(self):
        self.write("tiny.yaml", MACHINE.replace("4KiB", "4KB"))
        self.refused(*self.of_tiny("map"), expect=BAD,
                     says=["tiny.yaml:11:15: level 'buffer', capacity: ", "1000 or 1024"])

    def test_objectives_and_accountings_that_are_none(self):
        self.refused(*self.of_tiny("map", "--objective", "latnecy"), expect=BAD,
                     says=["did you mean 'latency'?"])
        self.refused(*self.of_tiny("map", "--objective", "latency^0"), expect=BAD, says=["'0'"])
        self.refused(*self.of_tiny("map", "--accounting", "timelop"), expect=BAD,
                     says=["did you mean 'timeloop'?"])
        self.refused(*self.of_tiny("map", "--factors", "imperfct"), expect=BAD,
                     says=["did you mean 'imperfect'?"])
        self.refused(*self.of_tiny("map", "--factors", "imperfect", "--accounting", "timeloop"),
                     expect=BAD, says=["--accounting exact"])

    def test_too_many_ways_to_spread_a_layer(self):
        self.write("wide.yaml", MACHINE[:MACHINE.index("constraints:")].replace(
            "      - {axis: rows, size: 4}\n", "".join(f"      - {{axis: a{i}, size: 4}}\n"
                                                      for i in range(2))).replace(
            "  - name: registers\n", "".join(
                f"  - name: L{i}\n    keep: all\n    capacity: 1MiB\n    fanout:\n"
                f"      - {{axis: b{i}, size: 256}}\n"
                for i in range(3)) + "  - name: registers\n"))
        self.refused("map", "-n", "resnet50", "-m", "wide.yaml", "--factors", "imperfect", "-l",
                     "layer3.0.conv2", expect=BAD, says=["1000000 ways", "constrain"])

    def test_options_that_exclude_each_other(self):
        self.refused("cost", "-n", "net.yaml", expect=BAD, says=["--accelerator or --machine"])
        self.refused(*self.of_tiny("cost", "-a", "nvdla-256"), expect=BAD,
                     says=["--accelerator or --machine"])
        self.refused("cost", "-n", "net.yaml", "-a", "nvdla-256", "--mapping", "m.yaml", expect=BAD,
                     says=["--machine"])
        self.refused(*self.of_tiny("map", "--pareto", "-o", "m.yaml"), expect=BAD, says=["--pareto"])
        self.refused(*self.of_tiny("map", "--jobs", "0"), expect=BAD, says=["--jobs"])

    def test_outputs_that_cannot_be_written(self):
        self.refused(*self.of_tiny("map", "-o", "nowhere/m.yaml"), expect=FILE,
                     says=["nowhere/m.yaml"])
        self.refused(*self.of_tiny("map", "-o", "./net.yaml"), expect=BAD, says=["net.yaml"])
        self.assert_files(*self.files)

    def test_a_template_says_which_layers_are_beyond_it(self):
        self.refused("cost", "-n", "net.yaml", "-a", "nvdla-256", expect=INFEASIBLE,
                     says=["layer 'up' (transposed convolution", "let the optimal mapper map them"])


class NothingFits(MapTest):
    def test_all_layers_are_listed_with_level_tensors_and_bytes(self):
        self.write("tiny.yaml", MACHINE.replace("64B", "8B"))
        message = self.refused(*self.of_tiny("map", "-o", "m.yaml"), expect=INFEASIBLE,
                               says=["layer 'first'", "layers 'second', 'third'", "layer 'up'"])
        # One input, one weight and one sum of 4 bytes, twice: 12 of 8 bytes.
        self.assertEqual(message.count("level registers is at least 32 bits (4 bytes, 4 words) too "
                                       "small"), 3)
        for tensor in ("2 words of input", "2 words of weights", "8 words of output"):
            self.assertIn(tensor, message)
        self.assert_files(*self.files)
        self.refused(*self.of_tiny("cost"), expect=INFEASIBLE, says=["layer 'first'"])

    def test_memory_bound_layers_too(self):
        self.write("tiny.yaml", MACHINE.replace("4KiB", "8B"))
        self.refused("map", "-n", "net.yaml", "-m", "tiny.yaml", "-l", "pool", expect=INFEASIBLE,
                     says=["layer 'pool'", "level buffer is ", "bits too small", "input 64"])


if __name__ == "__main__":
    main()
