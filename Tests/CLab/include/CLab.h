// What the lab needs of Linux and cannot say in Swift. Every function answers a value, or -errno.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Clocks and waiting (clock.c)

/// Nanoseconds of CLOCK_MONOTONIC.
int64_t clab_monotonic_ns(void);
/// Nanoseconds of CLOCK_REALTIME: what the kernel stamps packets with.
int64_t clab_realtime_ns(void);
/// ppoll(2); a negative timeout waits for ever. How many descriptors are ready, 0 at the timeout.
int clab_poll(struct pollfd *descriptors, unsigned count, int64_t timeout_ns);
/// An eventfd, close-on-exec and non-blocking.
int clab_event_open(void);
/// Adds one to an eventfd.
int clab_event_signal(int event);
/// Takes everything out of an eventfd.
int clab_event_clear(int event);
/// Makes the calling thread wake at the nanosecond it asked for, and run before others where the system allows it.
void clab_prefer_this_thread(const char *name);

// MARK: Descriptors (descriptors.c)

/// Bytes read, 0 at the end, or -errno.
ssize_t clab_read(int descriptor, void *bytes, size_t count);
/// Bytes written, or -errno; never raises SIGPIPE.
ssize_t clab_write(int descriptor, const void *bytes, size_t count);
/// Opens with O_CLOEXEC.
int clab_open(const char *path, int flags);
int clab_close(int descriptor);
/// pipe2(O_CLOEXEC): [0] is read, [1] written.
int clab_pipe(int ends[2]);
/// Switches O_NONBLOCK on.
int clab_set_nonblocking(int descriptor);
/// The inode number of an open file: what tells one namespace from another.
int64_t clab_inode(int descriptor);

// MARK: Network namespaces (netns.c)

/// Makes a network namespace with `lo` up, and answers a descriptor that holds it.
int clab_netns_create(void);
/// Runs `body(context)` in a fresh thread inside the namespace and waits for it. 0, or -errno of entering.
int clab_netns_run(int netns, void (*body)(void *context), void *context);
/// 1 if process `pid` is in the network namespace with this inode number, 0 if not.
int clab_process_in_netns(pid_t pid, int64_t inode);

// MARK: Interfaces (interface.c); all of the calling thread's namespace

/// Sets an interface administratively up or down.
int clab_interface_set_up(const char *name, bool up);
/// 1 if the interface is administratively up, else 0.
int clab_interface_up(const char *name);
/// 1 if the interface has carrier (IFF_RUNNING), else 0.
int clab_interface_running(const char *name);
/// Switches segmentation and checksum offload off, so that what leaves the interface are packets as on a wire.
int clab_interface_plain_packets(const char *name);

// MARK: Processes (spawn.c)

struct clab_spawn_request {
    const char *const *argv;
    const char *const *envp;
    /// Where to start, or NULL.
    const char *directory;
    /// A network namespace, or -1.
    int netns;
    /// Descriptors that become 0, 1, 2, … of the process; it gets no others.
    const int *descriptors;
    unsigned descriptor_count;
    /// A process group of its own, ended together with it.
    bool own_group;
};

struct clab_spawned {
    pid_t pid;
    int pidfd;
    /// What failed, when something did; a string constant.
    const char *failed_step;
};

/// Starts a process that is killed when this one ends, however it ends. 0, or -errno with `failed_step`.
int clab_spawn(const struct clab_spawn_request *request, struct clab_spawned *spawned);

struct clab_exit {
    bool exited;
    int status;
    /// The signal that ended it, or 0.
    int signal;
    int64_t user_us;
    int64_t system_us;
    /// Most resident memory, in KiB.
    int64_t max_rss;
};

/// Asks whether a child has ended, without waiting; `reap` frees its process id. 1 ended, 0 still running.
int clab_wait(pid_t pid, bool reap, struct clab_exit *result);
int clab_kill(pid_t pid, int signal);
/// Kills a process that must be in the network namespace with this inode number, safe against reuse of the id.
int clab_kill_in_netns(pid_t pid, int64_t inode);
/// Forgets a process group that has ended, for the guardian. Call before reaping its leader.
void clab_forget_group(pid_t group);

// MARK: Stream sockets in the file system (unixsocket.c)

/// A listening Unix stream socket at a path.
int clab_unix_listen(const char *path);
/// A connection to the Unix stream socket at a path.
int clab_unix_connect(const char *path);
/// The next connection; waits for it.
int clab_unix_accept(int listener);
/// Ends what this side writes, so that the other side sees the end.
int clab_unix_finish(int connection);

// MARK: The emulator's ends of the wires (port.c)

struct clab_port {
    int fd;
    unsigned char *ring;
    size_t ring_size;
    unsigned frame_size;
    unsigned frame_count;
    unsigned next;
};

struct clab_frame {
    const unsigned char *bytes;
    uint32_t length;
    /// When it arrived, in nanoseconds of CLOCK_REALTIME.
    int64_t arrival;
};

struct clab_packet {
    const void *bytes;
    size_t length;
};

/// A packet socket with a receive ring on an interface of the calling thread's namespace.
int clab_port_open(const char *interface, unsigned mtu, struct clab_port *port);
void clab_port_close(struct clab_port *port);
/// The next frame that arrived: 1, or 0 when there is none. It stays valid until released.
int clab_port_next(struct clab_port *port, struct clab_frame *frame);
/// Gives the frame back to the kernel.
void clab_port_release(struct clab_port *port);
/// Sends up to 64 frames: how many went, or -errno for the first.
int clab_port_send(const struct clab_port *port, const struct clab_packet *packets, unsigned count);
/// Takes and clears the socket's pending error (ENETDOWN after the interface went down).
int clab_port_take_error(const struct clab_port *port);
/// Frames the kernel had no room for since the last call.
int clab_port_take_drops(const struct clab_port *port);
