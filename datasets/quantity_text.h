// Quantities as people write them in files and read them on screens: "256KiB", "200MHz", "1.2 pJ".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/quantity.h"
#include "core/user_error.h"

namespace cosearch::datasets {

// Each function reads a number of at least 0, optional spaces and a unit. It throws UserError at
// `where` (nowhere by default) that says which unit is expected and which are known. Prefixes are
// case-sensitive: kB is 1000 bytes, KiB is 1024, and KB, which is used for both, is refused.

/// B, kB, MB, GB, TB, KiB, MiB, GiB, TiB; a whole number of bytes.
[[nodiscard]] Bytes parse_bytes(std::string_view text, const SourceLocation& where = {});
/// Hz, kHz, MHz, GHz.
[[nodiscard]] Hertz parse_hertz(std::string_view text, const SourceLocation& where = {});
/// aJ, fJ, pJ, nJ, uJ, mJ, J.
[[nodiscard]] Picojoules parse_picojoules(std::string_view text, const SourceLocation& where = {});
/// um2, mm2, cm2.
[[nodiscard]] SquareMillimetres parse_square_millimetres(std::string_view text,
                                                         const SourceLocation& where = {});
/// Bytes per clock cycle: B/cycle, kB/cycle, KiB/cycle, MiB/cycle.
[[nodiscard]] double parse_bytes_per_cycle(std::string_view text, const SourceLocation& where = {});
/// bit, bits, and bytes as in parse_bytes; a whole number of bits.
[[nodiscard]] std::int64_t parse_bits(std::string_view text, const SourceLocation& where = {});
/// The same, and words of `word_bits`.
[[nodiscard]] std::int64_t parse_capacity_bits(std::string_view text, std::int64_t word_bits,
                                               const SourceLocation& where = {});
/// word, words; a whole number of them.
[[nodiscard]] std::int64_t parse_words(std::string_view text, const SourceLocation& where = {});
/// Words of `word_bits` per cycle of `clock`: words/cycle, bits/cycle, bytes per cycle as in
/// parse_bytes_per_cycle, and B/s, MB/s, GB/s, TB/s.
[[nodiscard]] double parse_words_per_cycle(std::string_view text, std::int64_t word_bits,
                                           Hertz clock, const SourceLocation& where = {});
/// nW, uW, mW, W; the result is in mW.
[[nodiscard]] double parse_milliwatts(std::string_view text, const SourceLocation& where = {});
/// aJ/bit, fJ/bit, pJ/bit, nJ/bit; the result is in pJ/bit.
[[nodiscard]] double parse_picojoules_per_bit(std::string_view text,
                                              const SourceLocation& where = {});
/// cycles, cycle, kcycles, Mcycles, Gcycles, or no unit at all; a whole number of cycles.
[[nodiscard]] Cycles parse_cycles(std::string_view text, const SourceLocation& where = {});
/// ns, us, ms, s, min, h, d; the result is in seconds.
[[nodiscard]] double parse_seconds(std::string_view text, const SourceLocation& where = {});

// For people: the largest unit that leaves at least 1 before the point, four significant digits at
// most: "256 KiB", "1.2 nJ". What these return, the functions above read.
[[nodiscard]] std::string format_bytes(Bytes size);
[[nodiscard]] std::string format_hertz(Hertz frequency);
[[nodiscard]] std::string format_picojoules(Picojoules energy);
[[nodiscard]] std::string format_square_millimetres(SquareMillimetres area);
[[nodiscard]] std::string format_cycles(Cycles latency);
[[nodiscard]] std::string format_seconds(double seconds);

}  // namespace cosearch::datasets
