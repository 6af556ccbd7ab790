// The project's own copy of what the kernel says about MPTCP and TCP connections: structures and constants with our own
// names, so that a build does not depend on how new the system's headers are. linux/mptcp.h and linux/tcp.h of Linux 6.18.
//
// The kernel only ever appends to these structures, and tells how much it filled: an older kernel fills fewer bytes, a newer
// one has more than we ask for. So every reader zeroes the structure first and keeps the length that came back.
#ifndef BRAID_MPTCP_UAPI_H
#define BRAID_MPTCP_UAPI_H

#include <stddef.h>
#include <stdint.h>

enum {
    /// getsockopt(2) names at level SOL_MPTCP (284). FULL_INFO exists from Linux 6.5 on, the others from 5.16 on.
    LINUX_MPTCP_INFO = 1,
    LINUX_MPTCP_TCPINFO = 2,
    LINUX_MPTCP_SUBFLOW_ADDRS = 3,
    LINUX_MPTCP_FULL_INFO = 4,
    /// Bits of `flags`.
    LINUX_MPTCP_FLAG_FALLBACK = 1,
    LINUX_MPTCP_FLAG_REMOTE_KEY_RECEIVED = 2,
    /// getsockopt(2) at level SOL_TCP.
    LINUX_TCP_INFO = 11,
};

/// `struct mptcp_info`.
struct linux_mptcp_info {
    uint8_t subflows; // besides the first
    uint8_t add_addr_signal;
    uint8_t add_addr_accepted;
    uint8_t subflows_max;
    uint8_t add_addr_signal_max;
    uint8_t add_addr_accepted_max;
    uint16_t hole6;
    uint32_t flags;
    uint32_t token;
    uint64_t write_seq;
    uint64_t snd_una;
    uint64_t rcv_nxt;
    uint8_t local_addr_used; // from here on Linux 5.15
    uint8_t local_addr_max;
    uint8_t csum_enabled;
    uint8_t hole43;
    uint32_t retransmits; // from here on Linux 6.5
    uint64_t bytes_retrans;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t bytes_acked;
    uint8_t subflows_total; // from here on Linux 6.7; with the first
    uint8_t hole81[3];
    uint32_t last_data_sent; // from here on Linux 6.10; milliseconds ago
    uint32_t last_data_recv;
    uint32_t last_ack_recv;
};

/// `struct tcp_info`.
struct linux_tcp_info {
    uint8_t state;
    uint8_t ca_state;
    uint8_t retransmits;
    uint8_t probes;
    uint8_t backoff;
    uint8_t options;
    uint8_t window_scales;
    uint8_t rate_flags;
    uint32_t rto; // microseconds
    uint32_t ato;
    uint32_t snd_mss;
    uint32_t rcv_mss;
    uint32_t unacked; // segments
    uint32_t sacked;
    uint32_t lost;
    uint32_t retrans;
    uint32_t fackets;
    uint32_t last_data_sent; // milliseconds ago
    uint32_t last_ack_sent;
    uint32_t last_data_recv;
    uint32_t last_ack_recv;
    uint32_t pmtu;
    uint32_t rcv_ssthresh;
    uint32_t rtt; // microseconds
    uint32_t rttvar;
    uint32_t snd_ssthresh;
    uint32_t snd_cwnd; // segments
    uint32_t advmss;
    uint32_t reordering;
    uint32_t rcv_rtt;
    uint32_t rcv_space;
    uint32_t total_retrans;
    uint64_t pacing_rate; // bytes a second; from here on Linux 3.15
    uint64_t max_pacing_rate;
    uint64_t bytes_acked;
    uint64_t bytes_received;
    uint32_t segs_out;
    uint32_t segs_in;
    uint32_t notsent_bytes;
    uint32_t min_rtt;
    uint32_t data_segs_in;
    uint32_t data_segs_out;
    uint64_t delivery_rate; // bytes a second
    uint64_t busy_time;
    uint64_t rwnd_limited;
    uint64_t sndbuf_limited;
    uint32_t delivered;
    uint32_t delivered_ce;
    uint64_t bytes_sent; // from here on Linux 4.19
    uint64_t bytes_retrans;
    uint32_t dsack_dups;
    uint32_t reord_seen;
    uint32_t rcv_ooopack; // from here on Linux 5.4
    uint32_t snd_wnd;
    uint32_t rcv_wnd; // from here on Linux 6.2
    uint32_t rehash;
    uint16_t total_rto; // from here on Linux 6.7
    uint16_t total_rto_recoveries;
    uint32_t total_rto_time; // milliseconds
    uint32_t received_ce;    // from here on Linux 6.18
    uint32_t delivered_e1_bytes;
    uint32_t delivered_e0_bytes;
    uint32_t delivered_ce_bytes;
    uint32_t received_e1_bytes;
    uint32_t received_e0_bytes;
    uint32_t received_ce_bytes;
    uint16_t accecn_fail_mode;
    uint16_t accecn_opt_seen;
};

/// `struct mptcp_subflow_data`: what stands before the array of TCPINFO and SUBFLOW_ADDRS.
struct linux_mptcp_array {
    uint32_t size_header;
    uint32_t count;       // set by the kernel, must be 0 before
    uint32_t size_kernel; // set by the kernel, must be 0 before
    uint32_t size_user;
} __attribute__((aligned(8)));

/// `struct mptcp_subflow_addrs`: two `struct __kernel_sockaddr_storage`.
struct linux_mptcp_addresses {
    uint8_t local[128] __attribute__((aligned(sizeof(void *))));
    uint8_t remote[128];
};

/// `struct mptcp_subflow_info`.
struct linux_mptcp_subflow_info {
    uint32_t id;
    struct linux_mptcp_addresses addresses;
};

/// `struct mptcp_full_info`.
struct linux_mptcp_full_info {
    uint32_t size_tcpinfo_kernel; // set by the kernel, must be 0 before
    uint32_t size_tcpinfo_user;
    uint32_t size_sfinfo_kernel; // set by the kernel, must be 0 before
    uint32_t size_sfinfo_user;
    uint32_t num_subflows; // set by the kernel, must be 0 before
    uint32_t size_arrays_user;
    uint64_t subflow_info __attribute__((aligned(8))); // address of an array
    uint64_t tcp_info __attribute__((aligned(8)));     // address of an array
    struct linux_mptcp_info mptcp_info;
};

_Static_assert(sizeof(struct linux_mptcp_info) == 96, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, flags) == 8, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, write_seq) == 16, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, local_addr_used) == 40, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, retransmits) == 44, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, bytes_acked) == 72, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, subflows_total) == 80, "mptcp_info");
_Static_assert(offsetof(struct linux_mptcp_info, last_ack_recv) == 92, "mptcp_info");
_Static_assert(sizeof(struct linux_tcp_info) == 280, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, rtt) == 68, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, total_retrans) == 100, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, pacing_rate) == 104, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, bytes_acked) == 120, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, delivery_rate) == 160, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, bytes_sent) == 200, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, rcv_ooopack) == 224, "tcp_info");
_Static_assert(offsetof(struct linux_tcp_info, total_rto_time) == 244, "tcp_info");
_Static_assert(sizeof(struct linux_mptcp_array) == 16, "mptcp_subflow_data");
_Static_assert(sizeof(struct linux_mptcp_addresses) == 256, "mptcp_subflow_addrs");
_Static_assert(sizeof(struct linux_mptcp_subflow_info) == 256 + sizeof(void *), "mptcp_subflow_info");
_Static_assert(offsetof(struct linux_mptcp_full_info, mptcp_info) == 40, "mptcp_full_info");

#endif
