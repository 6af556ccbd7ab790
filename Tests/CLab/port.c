#include "CLab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { ring_frames = 2048, most_packets = 64 };

static int set(int fd, int option, const void *value, socklen_t size) {
    return setsockopt(fd, SOL_PACKET, option, value, size) < 0 ? -errno : 0;
}

// TPACKET_V2 rather than V3: a V3 block is handed over only when full or after a millisecond.
static int configure(int fd, const char *interface, unsigned mtu, struct clab_port *port) {
    int one = 1, version = TPACKET_V2, result;
    unsigned frame_size = 2048;
    while (frame_size < mtu + 128) {
        frame_size *= 2;
    }
    unsigned block_size = frame_size < 65536 ? 65536 : frame_size;
    struct tpacket_req ring = {
        .tp_block_size = block_size,
        .tp_block_nr = (unsigned)((size_t)frame_size * ring_frames / block_size),
        .tp_frame_size = frame_size,
        .tp_frame_nr = ring_frames,
    };
    if ((result = set(fd, PACKET_VERSION, &version, sizeof version)) < 0 ||
        (result = set(fd, PACKET_IGNORE_OUTGOING, &one, sizeof one)) < 0 ||
        (result = set(fd, PACKET_QDISC_BYPASS, &one, sizeof one)) < 0 ||
        (result = set(fd, PACKET_RX_RING, &ring, sizeof ring)) < 0) {
        return result;
    }
    port->frame_size = frame_size;
    port->frame_count = ring_frames;
    port->ring_size = (size_t)frame_size * ring_frames;
    void *memory = mmap(NULL, port->ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    port->ring = memory;
    // Bound last: the socket was opened for no protocol, so nothing of another interface can be in the ring.
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    if (address.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        result = -errno;
        munmap(port->ring, port->ring_size);
        return result;
    }
    return 0;
}

int clab_port_open(const char *interface, unsigned mtu, struct clab_port *port) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    *port = (struct clab_port){.fd = fd};
    int result = configure(fd, interface, mtu, port);
    if (result < 0) {
        close(fd);
    }
    return result;
}

void clab_port_close(struct clab_port *port) {
    munmap(port->ring, port->ring_size);
    close(port->fd);
}

static struct tpacket2_hdr *frame_at(const struct clab_port *port) {
    return (struct tpacket2_hdr *)(void *)(port->ring + (size_t)port->next * port->frame_size);
}

int clab_port_next(struct clab_port *port, struct clab_frame *frame) {
    for (;;) {
        struct tpacket2_hdr *header = frame_at(port);
        unsigned status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
        if ((status & TP_STATUS_USER) == 0) {
            return 0;
        }
        if (header->tp_snaplen < header->tp_len) {
            // Larger than the wire carries: as an Ethernet would, lose it.
            clab_port_release(port);
            continue;
        }
        frame->bytes = (unsigned char *)header + header->tp_mac;
        frame->length = header->tp_snaplen;
        frame->arrival = (int64_t)header->tp_sec * 1000000000 + header->tp_nsec;
        return 1;
    }
}

void clab_port_release(struct clab_port *port) {
    __atomic_store_n(&frame_at(port)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    port->next = port->next + 1 == port->frame_count ? 0 : port->next + 1;
}

int clab_port_send(const struct clab_port *port, const struct clab_packet *packets, unsigned count) {
    struct iovec vectors[most_packets];
    struct mmsghdr messages[most_packets];
    if (count > most_packets) {
        count = most_packets;
    }
    for (unsigned i = 0; i < count; i++) {
        vectors[i] = (struct iovec){.iov_base = (void *)packets[i].bytes, .iov_len = packets[i].length};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1}};
    }
    int sent = sendmmsg(port->fd, messages, count, MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

int clab_port_take_error(const struct clab_port *port) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
        return -errno;
    }
    return -error;
}

int clab_port_take_drops(const struct clab_port *port) {
    struct tpacket_stats statistics;
    socklen_t size = sizeof statistics;
    if (getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) < 0) {
        return -errno;
    }
    return (int)statistics.tp_drops;
}
