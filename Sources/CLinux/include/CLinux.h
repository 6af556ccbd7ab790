// The kernel's calls as Swift can use them: every function answers a value, or a negative errno. Nothing here keeps state.
#ifndef BRAID_CLINUX_H
#define BRAID_CLINUX_H

#include "linux_address.h"
#include "linux_channel.h"
#include "linux_command.h"
#include "linux_descriptor.h"
#include "linux_diag.h"
#include "linux_environment.h"
#include "linux_epoll.h"
#include "linux_memory.h"
#include "linux_mptcp.h"
#include "linux_multipath.h"
#include "linux_netlink.h"
#include "linux_pipe.h"
#include "linux_poll.h"
#include "linux_process.h"
#include "linux_resolve.h"
#include "linux_signal.h"
#include "linux_secret.h"
#include "linux_socket.h"
#include "linux_successor.h"
#include "linux_terminal.h"
#include "linux_time.h"
#include "linux_transparent.h"
#include "linux_counter.h"

#endif
