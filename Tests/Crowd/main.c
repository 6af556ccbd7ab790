// A crowd of clients and the server that they talk to, for tests of restarts under load: one thread, no library, so that it
// runs in any machine of the tests and takes little from what is tested.
//
//   braid-crowd serve PORT…
//       Sends back what comes, on each of these ports of every address.
//   braid-crowd load RESULT RATE LONG HEAVY PATIENCE TARGET…
//       Opens LONG connections that exchange a piece of 512 bytes twice a second, and HEAVY ones that exchange 64 KiB as fast
//       as 50 times a second, in turn to each TARGET (tcp:ADDRESS:PORT or mptcp:ADDRESS:PORT). When all of them have had their
//       first answer, it begins RATE short connections a second, each of which exchanges one piece. Every byte is compared. An
//       answer may take PATIENCE seconds. After SIGTERM no connection is begun, and those that are open finish what they
//       exchange. RESULT, a file, gets the line "begin" when all long ones stand, and at the end one JSON object.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { PIECE = 512, HEAVY_PIECE = 64 << 10, SHORT_PIECE = 16, EVENTS = 512, TARGETS = 8, TIMES = 1 << 20 };

static void fail(const char *what) {
    fprintf(stderr, "braid-crowd: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static int64_t now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void raise_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void watch(int epoll, int operation, int fd, uint32_t events, void *context) {
    struct epoll_event event = {.events = events, .data.ptr = context};
    if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
}

// MARK: Server

/// What came and could not be sent back yet.
struct echo {
    int fd;
    bool listens;
    size_t waiting, sent;
    unsigned char bytes[HEAVY_PIECE];
};

static bool serve_one(int epoll, struct echo *echo) {
    for (;;) {
        while (echo->sent < echo->waiting) {
            ssize_t n = send(echo->fd, echo->bytes + echo->sent, echo->waiting - echo->sent, MSG_NOSIGNAL);
            if (n < 0 && errno == EAGAIN) {
                watch(epoll, EPOLL_CTL_MOD, echo->fd, EPOLLOUT, echo);
                return true;
            }
            if (n < 0) return false;
            echo->sent += (size_t)n;
        }
        ssize_t n = recv(echo->fd, echo->bytes, sizeof echo->bytes, 0);
        if (n < 0 && errno == EAGAIN) {
            watch(epoll, EPOLL_CTL_MOD, echo->fd, EPOLLIN, echo);
            return true;
        }
        if (n <= 0) return false;
        echo->waiting = (size_t)n;
        echo->sent = 0;
    }
}

static int serve(char **ports) {
    int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
    for (; *ports; ports++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(*ports))};
        struct echo *listener = calloc(1, sizeof *listener);
        if (!listener) fail("calloc");
        listener->listens = true;
        listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(listener->fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
        if (listen(listener->fd, 65535) < 0) fail("listen");
        watch(epoll, EPOLL_CTL_ADD, listener->fd, EPOLLIN, listener);
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct echo *echo = events[i].data.ptr;
            if (echo->listens) {
                int fd;
                while ((fd = accept4(echo->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                    struct echo *client = malloc(sizeof *client);
                    if (!client) fail("malloc");
                    client->fd = fd;
                    client->listens = false;
                    client->waiting = client->sent = 0;
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    watch(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, client);
                }
                if (errno == EMFILE) fail("accept");
            } else if (!serve_one(epoll, echo)) {
                close(echo->fd);
                free(echo);
            }
        }
    }
}

// MARK: Clients

enum kind { SHORT, LONG, HEAVY };

struct target {
    struct sockaddr_in address;
    bool mptcp;
};

struct client {
    int fd;
    enum kind kind;
    bool connected, waiting, begun;
    uint32_t number;
    size_t size, sent, received;
    /// What the next byte to send and the next to receive are made of.
    uint64_t out, in;
    /// When it began, what it waits for until when, and when it goes on.
    int64_t began, deadline, again;
    /// Open clients of one kind.
    struct client *next, *previous;
};

static struct {
    int epoll, rate;
    int64_t patience;
    struct target targets[TARGETS];
    unsigned target_count;
    struct client *open, *longs;
    unsigned open_count, long_count, begun;
    uint64_t started, done, exchanged, bytes;
    uint64_t refused, reset, ended, late, wrong, other;
    /// Of long connections, once all stood: their ends, by which they were opened again.
    uint64_t long_reset, long_ended, long_other;
    uint32_t *times;
    uint32_t numbers;
    int64_t longest_gap;
} crowd;

static volatile sig_atomic_t stopping;
static void stop(int signal) { stopping = signal; }

static unsigned char next_byte(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned char)(*state >> 56);
}

static int64_t interval(const struct client *client) { return client->kind == HEAVY ? 20000 : 500000; }

static void begin_piece(struct client *client, int64_t now) {
    client->sent = client->received = 0;
    client->waiting = false;
    client->deadline = now + crowd.patience;
    watch(crowd.epoll, EPOLL_CTL_MOD, client->fd, EPOLLOUT, client);
}

static void count_errno(int error) {
    if (error == ECONNREFUSED) crowd.refused++;
    else if (error == ECONNRESET || error == EPIPE) crowd.reset++;
    else crowd.other++;
}

static void begin(struct client *client, int64_t now) {
    const struct target *target = &crowd.targets[client->number % crowd.target_count];
    int on = 1;
    client->connected = client->waiting = false;
    client->sent = client->received = 0;
    client->out = client->in = client->number * 2654435761u + 1;
    client->began = now;
    client->deadline = now + crowd.patience;
    client->fd = socket(
        AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, target->mptcp ? IPPROTO_MPTCP : IPPROTO_TCP);
    if (client->fd < 0) fail("socket");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (ntohl(target->address.sin_addr.s_addr) == INADDR_LOOPBACK) {
        // From several addresses: one has not enough ports for a long crowd.
        struct sockaddr_in source = {.sin_family = AF_INET};
        source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + client->number / crowd.target_count % 30);
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(client->fd, (struct sockaddr *)&source, sizeof source) < 0) fail("bind");
    }
    watch(crowd.epoll, EPOLL_CTL_ADD, client->fd, EPOLLOUT, client);
    if (connect(client->fd, (const struct sockaddr *)&target->address, sizeof target->address) < 0 &&
        errno != EINPROGRESS)
        fail("connect");
}

static struct client *add(enum kind kind, int64_t now) {
    struct client *client = calloc(1, sizeof *client);
    if (!client) fail("calloc");
    client->kind = kind;
    client->number = crowd.numbers++;
    client->size = kind == HEAVY ? HEAVY_PIECE : kind == LONG ? PIECE : SHORT_PIECE;
    struct client **list = kind == SHORT ? &crowd.open : &crowd.longs;
    client->next = *list;
    if (client->next) client->next->previous = client;
    *list = client;
    if (kind == SHORT) {
        crowd.open_count++;
        crowd.started++;
    } else {
        crowd.long_count++;
    }
    begin(client, now);
    return client;
}

static void drop(struct client *client) {
    struct client **list = client->kind == SHORT ? &crowd.open : &crowd.longs;
    if (client->previous) client->previous->next = client->next;
    else *list = client->next;
    if (client->next) client->next->previous = client->previous;
    if (client->kind == SHORT) crowd.open_count--;
    else crowd.long_count--;
    close(client->fd);
    free(client);
}

enum step { GOES_ON, DONE, ENDED, WRONG, BROKEN };

static enum step step(struct client *client, uint32_t events) {
    static unsigned char bytes[HEAVY_PIECE];
    if (!client->connected) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            errno = error;
            return BROKEN;
        }
        if (!(events & EPOLLOUT)) return GOES_ON;
        client->connected = true;
    }
    while (client->sent < client->size) {
        size_t left = client->size - client->sent;
        uint64_t state = client->out;
        for (size_t i = 0; i < left; i++) bytes[i] = next_byte(&state);
        ssize_t n = send(client->fd, bytes, left, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) return BROKEN;
        for (ssize_t i = 0; i < n; i++) next_byte(&client->out);
        client->sent += (size_t)n;
        if (client->sent == client->size) watch(crowd.epoll, EPOLL_CTL_MOD, client->fd, EPOLLIN, client);
    }
    while (client->received < client->size || client->waiting) {
        ssize_t n = recv(client->fd, bytes, client->waiting ? 1 : client->size - client->received, 0);
        if (n < 0 && errno == EAGAIN) return GOES_ON;
        if (n < 0) return BROKEN;
        if (n == 0) return ENDED;
        if (client->waiting) return WRONG;
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != next_byte(&client->in)) return WRONG;
        client->received += (size_t)n;
        crowd.bytes += (uint64_t)n;
    }
    return DONE;
}

static void piece_done(struct client *client, int64_t now) {
    if (client->kind == SHORT) {
        int64_t took = now - client->began;
        if (crowd.done < TIMES) crowd.times[crowd.done] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
        crowd.done++;
        drop(client);
        return;
    }
    crowd.exchanged++;
    if (!client->begun) {
        client->begun = true;
        crowd.begun++;
    }
    if (stopping) return drop(client);
    // The long ones do not all speak at once.
    client->waiting = true;
    client->again = now + interval(client) / 2 + (int64_t)(client->number * 7919u % (unsigned)interval(client));
    client->deadline = INT64_MAX;
}

static void broken(struct client *client, enum step how, int error, int64_t now) {
    if (how == WRONG) crowd.wrong++;
    else if (client->kind != SHORT && client->connected) {
        if (how == ENDED) crowd.long_ended++;
        else if (error == ECONNRESET || error == EPIPE) crowd.long_reset++;
        else crowd.long_other++;
    } else if (how == ENDED) crowd.ended++;
    else count_errno(error);
    if (client->kind == SHORT || stopping) return drop(client);
    close(client->fd);
    begin(client, now);
}

static void look_at_times(int64_t now) {
    for (struct client *client = crowd.longs, *next; client; client = next) {
        next = client->next;
        if (client->waiting && stopping) drop(client);
        else if (client->waiting && client->again <= now) begin_piece(client, now);
        else if (client->deadline <= now) {
            crowd.late++;
            drop(client);
        }
    }
    for (struct client *client = crowd.open, *next; client; client = next) {
        next = client->next;
        if (client->deadline > now) continue;
        crowd.late++;
        drop(client);
    }
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(const char *path, const char *line) {
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, strlen(line)) < 0) fail(path);
    close(fd);
}

static int load(int count, char **words) {
    if (count < 6) return 64;
    const char *result = words[0];
    crowd.rate = atoi(words[1]);
    int longs = atoi(words[2]), heavy = atoi(words[3]);
    crowd.patience = atoll(words[4]) * 1000000;
    for (char **word = words + 5; *word && crowd.target_count < TARGETS; word++) {
        char protocol[8], host[64];
        unsigned port;
        struct target *target = &crowd.targets[crowd.target_count++];
        if (sscanf(*word, "%7[^:]:%63[^:]:%u", protocol, host, &port) != 3) return 64;
        target->mptcp = strcmp(protocol, "mptcp") == 0;
        target->address.sin_family = AF_INET;
        target->address.sin_port = htons((uint16_t)port);
        if (inet_pton(AF_INET, host, &target->address.sin_addr) != 1) return 64;
    }
    crowd.times = calloc(TIMES, sizeof *crowd.times);
    crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
    signal(SIGTERM, stop);
    int64_t now = now_us(), looked = now, first = 0;
    int opened = 0;
    uint64_t due = 0;
    while (!stopping || crowd.open_count || crowd.long_count) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(crowd.epoll, events, EVENTS, 1);
        now = now_us();
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            enum step how = step(client, events[i].events);
            if (how == GOES_ON) continue;
            if (how == DONE) piece_done(client, now);
            else broken(client, how, errno, now);
        }
        // So many at once that no backlog overflows for that reason.
        for (int batch = 0; !stopping && opened < longs + heavy && batch < 20 && opened < (int)crowd.begun + 100; batch++)
            add(opened++ < heavy ? HEAVY : LONG, now);
        if (!first && opened == longs + heavy && crowd.begun == (unsigned)opened) {
            first = now;
            report(result, "begin\n");
        }
        if (first && !stopping) {
            due = (uint64_t)((now - first) * crowd.rate / 1000000);
            while (crowd.started < due) add(SHORT, now);
        }
        if (now - looked > crowd.longest_gap) crowd.longest_gap = now - looked;
        looked = now;
        static int64_t swept;
        if (now - swept >= 10000) {
            look_at_times(now);
            swept = now;
        }
    }
    uint64_t known = crowd.done < TIMES ? crowd.done : TIMES;
    qsort(crowd.times, known, sizeof *crowd.times, by_size);
#define QUANTILE(q) (known ? crowd.times[(uint64_t)((double)(known - 1) * (q))] : 0u)
    static char line[1024];
    snprintf(line, sizeof line,
        "{\"seconds\":%.1f,\"started\":%llu,\"done\":%llu,\"refused\":%llu,\"reset\":%llu,\"ended\":%llu,\"late\":%llu,"
        "\"wrong\":%llu,\"other\":%llu,\"long\":%u,\"long_exchanges\":%llu,\"long_reset\":%llu,\"long_ended\":%llu,"
        "\"long_other\":%llu,\"bytes\":%llu,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"own_gap_us\":%lld}\n",
        first ? (double)(now - first) / 1e6 : 0, (unsigned long long)crowd.started, (unsigned long long)crowd.done,
        (unsigned long long)crowd.refused, (unsigned long long)crowd.reset, (unsigned long long)crowd.ended,
        (unsigned long long)crowd.late, (unsigned long long)crowd.wrong, (unsigned long long)crowd.other, crowd.begun,
        (unsigned long long)crowd.exchanged, (unsigned long long)crowd.long_reset, (unsigned long long)crowd.long_ended,
        (unsigned long long)crowd.long_other, (unsigned long long)crowd.bytes, QUANTILE(0.5), QUANTILE(0.99), QUANTILE(1),
        (long long)crowd.longest_gap);
    report(result, line);
    return 0;
}

int main(int count, char **words) {
    raise_limit();
    if (count > 2 && strcmp(words[1], "serve") == 0) return serve(words + 2);
    if (count > 2 && strcmp(words[1], "load") == 0) return load(count - 2, words + 2);
    fputs("usage: braid-crowd serve PORT… | load RESULT RATE LONG HEAVY PATIENCE TARGET…\n", stderr);
    return 64;
}
