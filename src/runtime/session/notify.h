// Telling others how far the run is: systemd (NOTIFY_SOCKET), and tests that wait for the attaching.
#pragma once

namespace awl {

// Everything is attached: READY=1 to the service manager; with __BPFTRACE_NOTIFY_PROBES_ATTACHED in the environment
// that word as a line to `output_fd`.
void notify_attached(int output_fd);
// STOPPING=1
void notify_stopping();

}  // namespace awl
