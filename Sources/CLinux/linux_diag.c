#include "linux_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// linux/mptcp.h, which old headers lack.
enum { SUBFLOW_ATTR_FLAGS = 8, SUBFLOW_ATTR_ID_REMOTE = 9, SUBFLOW_ATTR_ID_LOCAL = 10, ULP_INFO = 19, ULP_MPTCP = 3 };
_Static_assert(ULP_INFO == INET_DIAG_ULP_INFO && ULP_MPTCP == INET_ULP_INFO_MPTCP, "inet_diag");

int linux_diag_open(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    return fd < 0 ? -errno : fd;
}

/// The attribute of a kind among `length` bytes, or NULL.
static const struct rtattr *find(const void *first, size_t length, unsigned short kind) {
    int left = (int)length;
    for (const struct rtattr *a = first; RTA_OK(a, left); a = RTA_NEXT(a, left))
        if ((a->rta_type & NLA_TYPE_MASK) == kind) return a;
    return NULL;
}

static const struct rtattr *find_in(const struct rtattr *outer, unsigned short kind) {
    return outer ? find(RTA_DATA(outer), RTA_PAYLOAD(outer), kind) : NULL;
}

static int parse(const struct nlmsghdr *message, struct linux_subflow_role *out) {
    size_t head = NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct inet_diag_msg)));
    if (message->nlmsg_len < head) return -EBADMSG;
    const struct rtattr *ulp =
        find((const char *)message + head, message->nlmsg_len - head, ULP_INFO);
    const struct rtattr *mptcp = find_in(ulp, ULP_MPTCP);
    const struct rtattr *flags = find_in(mptcp, SUBFLOW_ATTR_FLAGS);
    if (!flags || RTA_PAYLOAD(flags) < sizeof out->flags) return -ENOENT;
    out->local_id = out->remote_id = 0;
    memcpy(&out->flags, RTA_DATA(flags), sizeof out->flags);
    const struct rtattr *id = find_in(mptcp, SUBFLOW_ATTR_ID_LOCAL);
    if (id && RTA_PAYLOAD(id) >= 1) memcpy(&out->local_id, RTA_DATA(id), 1);
    id = find_in(mptcp, SUBFLOW_ATTR_ID_REMOTE);
    if (id && RTA_PAYLOAD(id) >= 1) memcpy(&out->remote_id, RTA_DATA(id), 1);
    return 0;
}

static int ask(
    int diag, const struct linux_address *local, const struct linux_address *remote, unsigned interface,
    struct linux_subflow_role *out) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .body =
            {
                .sdiag_family = (uint8_t)local->family,
                .sdiag_protocol = IPPROTO_TCP,
                .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                .idiag_states = ~0u,
                .id = {
                    .idiag_sport = htons(local->port),
                    .idiag_dport = htons(remote->port),
                    .idiag_if = interface,
                    .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
                },
            },
    };
    memcpy(request.body.id.idiag_src, local->bytes, sizeof request.body.id.idiag_src);
    memcpy(request.body.id.idiag_dst, remote->bytes, sizeof request.body.id.idiag_dst);
    if (send(diag, &request, sizeof request, 0) < 0) return -errno;

    _Alignas(struct nlmsghdr) char answer[8192];
    ssize_t length;
    do length = recv(diag, answer, sizeof answer, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -errno;
    const struct nlmsghdr *message = (const void *)answer;
    if (!NLMSG_OK(message, (size_t)length)) return -EBADMSG;
    if (message->nlmsg_type == NLMSG_ERROR) {
        if (message->nlmsg_len < NLMSG_LENGTH(sizeof(int))) return -EBADMSG;
        int error;
        memcpy(&error, NLMSG_DATA(message), sizeof error);
        return error < 0 ? error : -EBADMSG;
    }
    return message->nlmsg_type == SOCK_DIAG_BY_FAMILY ? parse(message, out) : -EBADMSG;
}

/// The interface that has an address, or 0.
static unsigned interface_of(const struct linux_address *address) {
    struct ifaddrs *list;
    if (getifaddrs(&list) < 0) return 0;
    unsigned index = 0;
    for (struct ifaddrs *entry = list; entry && !index; entry = entry->ifa_next) {
        if (!entry->ifa_addr || entry->ifa_addr->sa_family != address->family) continue;
        size_t size = address->family == AF_INET ? 4 : 16;
        const void *bytes = address->family == AF_INET
                                ? (const void *)&((const struct sockaddr_in *)(const void *)entry->ifa_addr)->sin_addr
                                : (const void *)&((const struct sockaddr_in6 *)(const void *)entry->ifa_addr)->sin6_addr;
        if (memcmp(bytes, address->bytes, size) == 0) index = if_nametoindex(entry->ifa_name);
    }
    freeifaddrs(list);
    return index;
}

int linux_diag_subflow_role(
    int diag, const struct linux_address *local, const struct linux_address *remote, uint32_t interface,
    struct linux_subflow_role *out) {
    if (local->family != AF_INET && local->family != AF_INET6) return -EAFNOSUPPORT;
    if (!interface) interface = local->scope;
    out->interface = interface;
    int answer = ask(diag, local, remote, interface, out);
    if (answer != -ENOENT || local->scope) return answer;
    // A subflow that an endpoint bound to an interface is only found by it.
    out->interface = interface ? 0 : interface_of(local);
    return interface || out->interface ? ask(diag, local, remote, out->interface, out) : answer;
}
