#include "nas/named_networks.h"

#include "core/user_error.h"
#include "nas/named_network_families.h"

namespace cosearch::nas {

const std::vector<NamedNetwork>& named_networks() {
  static const std::vector<NamedNetwork> all = [] {
    std::vector<NamedNetwork> networks;
    for (const auto& family : {plain_networks(), residual_networks(), transformer_networks()})
      networks.insert(networks.end(), family.begin(), family.end());
    return networks;
  }();
  return all;
}

Network named_network(const std::string& name) {
  std::vector<std::string> known;
  for (const NamedNetwork& network : named_networks()) {
    if (network.name == name) return network.build();
    known.push_back(network.name);
  }
  throw UserError("no network is called '" + name + "'" + did_you_mean(name, known));
}

}  // namespace cosearch::nas
