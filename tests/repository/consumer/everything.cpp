// Lists the search strategies with the installed library.
#include <iostream>

#include "codesign/search/registry.h"

int main() {
  for (const auto& strategy : cosearch::codesign::strategies()) std::cout << strategy.name << '\n';
  return cosearch::codesign::strategies().empty() ? 1 : 0;
}
