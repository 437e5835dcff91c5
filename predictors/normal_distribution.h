// The standard normal distribution.
#pragma once

namespace cosearch::predictors {

/// Probability of a value below `z`.
[[nodiscard]] double normal_cdf(double z);

/// The value below which a share `probability` in (0, 1) lies, to full precision.
[[nodiscard]] double normal_quantile(double probability);

}  // namespace cosearch::predictors
