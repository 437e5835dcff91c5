// What a caught error says, for tests of messages.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/user_error.h"

namespace cosearch::test {

/// The message of the `Error` that `action` throws; a failure and "" when it throws none.
template <class Error = UserError, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace cosearch::test
