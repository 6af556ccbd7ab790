#include "linux_mptcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "linux_socket.h"

_Static_assert(LINUX_TCP_INFO == TCP_INFO, "TCP_INFO");

static int read_structure(int fd, int level, int name, void *out, size_t size) {
    socklen_t length = (socklen_t)size;
    memset(out, 0, size);
    if (getsockopt(fd, level, name, out, &length) < 0) return -errno;
    return (int)length;
}

int linux_mptcp_info(int fd, struct linux_mptcp_info *out) {
    return read_structure(fd, LINUX_SOL_MPTCP, LINUX_MPTCP_INFO, out, sizeof *out);
}

int linux_tcp_info(int fd, struct linux_tcp_info *out) {
    return read_structure(fd, IPPROTO_TCP, LINUX_TCP_INFO, out, sizeof *out);
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void set_addresses(struct linux_subflow *subflow, const struct linux_mptcp_addresses *addresses) {
    linux_address_from_sockaddr(addresses->local, sizeof addresses->local, &subflow->local);
    linux_address_from_sockaddr(addresses->remote, sizeof addresses->remote, &subflow->remote);
}

int linux_mptcp_full_info(
    int fd, struct linux_mptcp_info *info, uint32_t *info_length, struct linux_subflow *out, uint32_t capacity) {
    struct linux_mptcp_subflow_info subflows[LINUX_SUBFLOWS_MAX];
    struct linux_tcp_info tcp[LINUX_SUBFLOWS_MAX];
    capacity = smaller(capacity, LINUX_SUBFLOWS_MAX);
    struct linux_mptcp_full_info full = {
        .size_tcpinfo_user = sizeof tcp[0],
        .size_sfinfo_user = sizeof subflows[0],
        .size_arrays_user = capacity,
        .subflow_info = (uint64_t)(uintptr_t)subflows,
        .tcp_info = (uint64_t)(uintptr_t)tcp,
    };
    socklen_t length = sizeof full;
    if (getsockopt(fd, LINUX_SOL_MPTCP, LINUX_MPTCP_FULL_INFO, &full, &length) < 0) return -errno;

    uint32_t before = offsetof(struct linux_mptcp_full_info, mptcp_info);
    *info = full.mptcp_info;
    *info_length = length > before ? length - before : 0;
    // The kernel answers the smaller of its own sizes and ours, and steps through the arrays by what it answered.
    uint32_t subflow_size = smaller(full.size_sfinfo_user, sizeof subflows[0]);
    uint32_t tcp_size = smaller(full.size_tcpinfo_user, sizeof tcp[0]);
    uint32_t filled = smaller(full.num_subflows, capacity);
    for (uint32_t i = 0; i < filled; i++) {
        struct linux_mptcp_subflow_info subflow = {0};
        memcpy(&subflow, (const char *)subflows + (size_t)i * subflow_size, subflow_size);
        memset(&out[i], 0, sizeof out[i]);
        out[i].id = subflow.id;
        out[i].tcp_length = tcp_size;
        memcpy(&out[i].tcp, (const char *)tcp + (size_t)i * tcp_size, tcp_size);
        set_addresses(&out[i], &subflow.addresses);
    }
    return (int)full.num_subflows;
}

int linux_mptcp_subflow_arrays(int fd, struct linux_subflow *out, uint32_t capacity) {
    struct {
        struct linux_mptcp_array header;
        struct linux_tcp_info tcp[LINUX_SUBFLOWS_MAX];
    } statistics;
    struct {
        struct linux_mptcp_array header;
        struct linux_mptcp_addresses addresses[LINUX_SUBFLOWS_MAX];
    } ends;
    capacity = smaller(capacity, LINUX_SUBFLOWS_MAX);
    memset(out, 0, sizeof *out * capacity);

    statistics.header = (struct linux_mptcp_array){
        .size_header = sizeof statistics.header, .size_user = sizeof statistics.tcp[0]};
    socklen_t length = (socklen_t)(sizeof statistics.header + sizeof statistics.tcp[0] * capacity);
    if (getsockopt(fd, LINUX_SOL_MPTCP, LINUX_MPTCP_TCPINFO, &statistics, &length) < 0) return -errno;
    uint32_t size = smaller(statistics.header.size_user, sizeof statistics.tcp[0]);
    uint32_t count = smaller(statistics.header.count, capacity);
    for (uint32_t i = 0; i < count; i++) {
        out[i].tcp_length = size;
        memcpy(&out[i].tcp, (const char *)statistics.tcp + (size_t)i * size, size);
    }

    ends.header =
        (struct linux_mptcp_array){.size_header = sizeof ends.header, .size_user = sizeof ends.addresses[0]};
    length = (socklen_t)(sizeof ends.header + sizeof ends.addresses[0] * capacity);
    if (getsockopt(fd, LINUX_SOL_MPTCP, LINUX_MPTCP_SUBFLOW_ADDRS, &ends, &length) < 0) return -errno;
    // Between the two calls a subflow may have come or gone: only what both know is an answer.
    uint32_t total = smaller(statistics.header.count, ends.header.count);
    for (uint32_t i = 0; i < smaller(total, capacity); i++) set_addresses(&out[i], &ends.addresses[i]);
    return (int)total;
}

int linux_tcp_as_subflow(int fd, struct linux_subflow *out) {
    memset(out, 0, sizeof *out);
    int length = linux_tcp_info(fd, &out->tcp);
    if (length < 0) return length;
    out->tcp_length = (uint32_t)length;
    int answer = linux_local_address(fd, &out->local);
    if (answer == 0) answer = linux_peer_address(fd, &out->remote);
    return answer;
}
