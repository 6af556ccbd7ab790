#include "CLab.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int request(const char *name, unsigned long code, struct ifreq *ifr) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -errno;
    }
    snprintf(ifr->ifr_name, sizeof ifr->ifr_name, "%s", name);
    int result = ioctl(descriptor, code, ifr) < 0 ? -errno : 0;
    close(descriptor);
    return result;
}

int clab_interface_set_up(const char *name, bool up) {
    struct ifreq ifr = {0};
    int result = request(name, SIOCGIFFLAGS, &ifr);
    if (result < 0) {
        return result;
    }
    if (up) {
        ifr.ifr_flags |= IFF_UP;
    } else {
        ifr.ifr_flags &= (short)~IFF_UP;
    }
    return request(name, SIOCSIFFLAGS, &ifr);
}

static int has_flag(const char *name, short flag) {
    struct ifreq ifr = {0};
    int result = request(name, SIOCGIFFLAGS, &ifr);
    return result < 0 ? result : (ifr.ifr_flags & flag) != 0;
}

int clab_interface_up(const char *name) { return has_flag(name, IFF_UP); }

int clab_interface_running(const char *name) { return has_flag(name, IFF_RUNNING); }

int clab_interface_plain_packets(const char *name) {
    static const unsigned features[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM};
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        struct ethtool_value off = {.cmd = features[i], .data = 0};
        struct ifreq ifr = {.ifr_data = (char *)&off};
        int result = request(name, SIOCETHTOOL, &ifr);
        if (result < 0) {
            return result;
        }
    }
    return 0;
}
