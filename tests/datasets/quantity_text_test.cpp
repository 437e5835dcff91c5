#include "datasets/quantity_text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;

TEST(QuantityText, ReadsEveryKindOfQuantity) {
  EXPECT_EQ(parse_bytes("256KiB").value, 262144);
  EXPECT_EQ(parse_bytes("1.5MiB").value, 1572864);
  EXPECT_EQ(parse_bytes("16B").value, 16);
  EXPECT_EQ(parse_bytes("1.1 kB").value, 1100);
  EXPECT_EQ(parse_hertz("200MHz").value, 200e6);
  EXPECT_EQ(parse_picojoules("1.2pJ").value, 1.2);
  EXPECT_EQ(parse_picojoules("3 nJ").value, 3000);
  EXPECT_EQ(parse_square_millimetres("3mm2").value, 3);
  EXPECT_EQ(parse_bytes_per_cycle("64B/cycle"), 64);
  EXPECT_EQ(parse_cycles("1e6cycles").value, 1000000);
  EXPECT_EQ(parse_cycles("250000").value, 250000);
  EXPECT_EQ(parse_seconds("10min"), 600);
  EXPECT_EQ(parse_seconds("0.5s"), 0.5);
}

TEST(QuantityText, ReadsWhatDescribesAMachine) {
  EXPECT_EQ(parse_bits("16bit"), 16);
  EXPECT_EQ(parse_bits("16 bits"), 16);
  EXPECT_EQ(parse_bits("2KiB"), 16384);
  EXPECT_EQ(parse_capacity_bits("192 words", 16), 3072);
  EXPECT_EQ(parse_capacity_bits("1 word", 24), 24);
  EXPECT_EQ(parse_capacity_bits("1.5kB", 16), 12000);
  EXPECT_EQ(parse_words("4 words"), 4);
  EXPECT_EQ(parse_milliwatts("3uW"), 3e-3);
  EXPECT_EQ(parse_milliwatts("1.5 W"), 1500);
  EXPECT_EQ(parse_picojoules_per_bit("20fJ/bit"), 0.02);
  const Hertz clock{500e6};
  EXPECT_EQ(parse_words_per_cycle("16 words/cycle", 24, clock), 16);
  EXPECT_EQ(parse_words_per_cycle("32B/cycle", 16, clock), 16);
  EXPECT_EQ(parse_words_per_cycle("64 bits/cycle", 8, clock), 8);
  EXPECT_EQ(parse_words_per_cycle("1GB/s", 16, clock), 1);
  EXPECT_EQ(message_of([] { (void)parse_words("4"); }),
            "'4' as a number of words: the unit is missing; expected one of: word, words");
  EXPECT_THROW((void)parse_capacity_bits("0.3 words", 8), UserError);
}

TEST(QuantityText, NamesTheUnitsWhenOneIsMissingOrUnknown) {
  EXPECT_EQ(message_of([] { (void)parse_hertz("200"); }),
            "'200' as a frequency: the unit is missing; expected one of: Hz, kHz, MHz, GHz");
  EXPECT_EQ(message_of([] { (void)parse_hertz("200Mhz"); }),
            "'200Mhz' as a frequency: unknown unit 'Mhz' (did you mean 'MHz'?); expected one of: "
            "Hz, kHz, MHz, GHz");
  EXPECT_EQ(message_of([] { (void)parse_square_millimetres("big"); }),
            "'big' as an area: expected a number and a unit, one of: um2, mm2, cm2");
}

TEST(QuantityText, RefusesTheAmbiguousKilobyte) {
  EXPECT_NE(message_of([] { (void)parse_bytes("64KB"); }).find("may mean 1000 or 1024"),
            std::string::npos);
}

TEST(QuantityText, RefusesNegativeInfiniteAndFractionalAmounts) {
  EXPECT_THROW((void)parse_bytes("-1B"), UserError);
  EXPECT_THROW((void)parse_seconds("infs"), UserError);
  EXPECT_THROW((void)parse_seconds("nan s"), UserError);
  EXPECT_THROW((void)parse_seconds("1e999s"), UserError);
  EXPECT_THROW((void)parse_bytes("1e30B"), UserError);
  EXPECT_THROW((void)parse_seconds(""), UserError);
  EXPECT_EQ(message_of([] { (void)parse_bytes("0.3B"); }),
            "'0.3B' as a size in bytes: expected a whole number");
}

TEST(QuantityText, SaysWhereWhenItKnows) {
  EXPECT_EQ(message_of([] {
              (void)parse_cycles("2.5", {"study.yaml", 3, 9});
            }),
            "study.yaml:3:9: '2.5' as a number of cycles: expected a whole number");
}

TEST(QuantityText, WritesForPeople) {
  EXPECT_EQ(format_bytes({262144}), "256 KiB");
  EXPECT_EQ(format_bytes({1000}), "1000 B");
  EXPECT_EQ(format_bytes({0}), "0 B");
  EXPECT_EQ(format_hertz({200e6}), "200 MHz");
  EXPECT_EQ(format_picojoules({1234.5}), "1.234 nJ");
  EXPECT_EQ(format_square_millimetres({3.25}), "3.25 mm2");
  EXPECT_EQ(format_cycles({1234567}), "1.235 Mcycles");
  EXPECT_EQ(format_seconds(600), "10 min");
  EXPECT_EQ(format_seconds(1e9), "11574 d");
}

TEST(QuantityText, ReadsWhatItWritesToFourDigits) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed, "quantity");
    const double value = std::pow(10.0, random.uniform() * 12 - 3);
    EXPECT_NEAR(parse_picojoules(format_picojoules({value})).value / value, 1, 1e-3);
    EXPECT_NEAR(parse_seconds(format_seconds(value)) / value, 1, 1e-3);
    EXPECT_NEAR(parse_hertz(format_hertz({value})).value / value, 1, 1e-3);
  }
}

}  // namespace
}  // namespace cosearch::datasets
