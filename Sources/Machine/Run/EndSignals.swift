// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Signals that end a run: they are blocked in every thread and read from a descriptor, so that
/// none of them cuts the cleaning up short.
public enum EndSignals {
  static var set: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&set, signal) }
    return set
  }

  /// Blocks them in the calling thread, and in those that it starts afterwards.
  static func block() {
    var set = set
    pthread_sigmask(SIG_BLOCK, &set, nil)
    // Whoever read the console may be gone, and a terminal may have moved to another job.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGTTIN, SIG_IGN)
  }

  /// Lets them end the process again, once nothing of the host's is held any more. Those that
  /// came since the run ended have had their way: they are forgotten.
  public static func release() {
    var set = set
    var atOnce = timespec()
    while sigtimedwait(&set, nil, &atOnce) > 0 {}
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }
}
