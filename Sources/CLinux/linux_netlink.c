#include "linux_netlink.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(LINUX_NETLINK_ROUTE == NETLINK_ROUTE && LINUX_NETLINK_SOCK_DIAG == NETLINK_SOCK_DIAG, "protocols");
_Static_assert(LINUX_NETLINK_GENERIC == NETLINK_GENERIC, "protocols");

static int close_with(int fd, int error) {
    close(fd);
    return -error;
}

int linux_netlink_open(int protocol) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd < 0) return -errno;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) return close_with(fd, errno);
    // Both came late (Linux 4.12, 4.20), and without them everything works, only with less to say.
    int on = 1;
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    return fd;
}

int linux_netlink_join(int fd, uint32_t group) {
    return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0 ? -errno : 0;
}

int linux_netlink_filter_commands(int fd, uint32_t commands) {
    enum { MOST = 32 };
    struct sock_filter code[MOST + 3];
    unsigned count = 0, wanted = (unsigned)__builtin_popcount(commands);
    // The command is the first byte behind the netlink header.
    code[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct genlmsghdr, cmd));
    for (unsigned command = 0; command < MOST; command++) {
        if (!(commands >> command & 1)) continue;
        // To the last statement, over those that are left and the refusal.
        code[count] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, wanted - (count - 1), 0);
        count++;
    }
    code[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    code[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF);
    struct sock_fprog program = {.len = (unsigned short)count, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ? -errno : 0;
}

int64_t linux_netlink_send(int fd, const void *bytes, size_t size) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;
    do sent = sendto(fd, bytes, size, MSG_NOSIGNAL, (struct sockaddr *)&kernel, sizeof kernel);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

static int64_t receive(int fd, void *buffer, size_t size, int flags) {
    for (;;) {
        struct sockaddr_nl from = {0};
        struct iovec part = {.iov_base = buffer, .iov_len = size};
        struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
        ssize_t count = recvmsg(fd, &message, MSG_TRUNC | flags);
        if (count < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        // Anyone may send to a port; only the kernel is port 0.
        if (message.msg_namelen == sizeof from && from.nl_pid == 0) return count;
        if (flags & MSG_PEEK) {
            char skipped;
            if (recv(fd, &skipped, sizeof skipped, MSG_DONTWAIT) < 0 && errno != EINTR) return -errno;
        }
    }
}

int64_t linux_netlink_receive(int fd, void *buffer, size_t size) { return receive(fd, buffer, size, 0); }

int64_t linux_netlink_next_size(int fd) { return receive(fd, NULL, 0, MSG_PEEK); }
