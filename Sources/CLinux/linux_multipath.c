#include "linux_multipath.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

// The head of the kernel's struct mptcp_info; kernels answer as much of it as they know.
struct info {
    uint8_t additional_subflows;
    uint8_t unused[7];
    uint32_t flags;
    uint8_t more[68];
    uint8_t total_subflows;
    uint8_t rest[43];
};

enum { LEVEL_MPTCP = 284, OPTION_INFO = 1, FLAG_FALLBACK = 1 };

int linux_multipath_subflows(int fd) {
    struct info info;
    memset(&info, 0, sizeof info);
    socklen_t length = sizeof info;
    if (getsockopt(fd, LEVEL_MPTCP, OPTION_INFO, &info, &length) < 0)
        return errno == EOPNOTSUPP || errno == ENOPROTOOPT ? 0 : -errno;
    if (info.flags & FLAG_FALLBACK) return 0;
    // Kernels before 6.6 do not answer the total: then the first subflow is assumed to live.
    if (length > (socklen_t)__builtin_offsetof(struct info, total_subflows))
        return info.total_subflows > 0 ? info.total_subflows : 1;
    return info.additional_subflows + 1;
}
