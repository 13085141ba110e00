// SPDX-License-Identifier: Apache-2.0

/// Whose write it is: the client may set what a processor only reaches in steps.
enum Writer {
  case guest
  case client
}
