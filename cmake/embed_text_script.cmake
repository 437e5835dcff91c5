# Writes a C++ file that holds `source` as hexadecimal bytes: no limit on length, no escaping.
file(READ ${source} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${output} "#include <string_view>
namespace {
constexpr unsigned char kBytes[] = {${bytes}0};
}
namespace ${namespace} {
extern const std::string_view ${name};
const std::string_view ${name}(reinterpret_cast<const char*>(kBytes), sizeof(kBytes) - 1);
}
")
