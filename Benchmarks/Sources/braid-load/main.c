#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: braid-load up|down|ping-pong|connect|idle LISTEN CONNECT CONNECTIONS SIZE WARM-UP SECONDS\n"
    "LISTEN, CONNECT: tcp:ADDRESS:PORT or mptcp:ADDRESS:PORT. Times in seconds.\n"
    "Prints \"begin\" when what is measured begins, then one JSON object.\n"
    "idle: prints \"begin\" when all connections stand, and ends with its standard input.\n";

static void read_address(const char *text, struct sockaddr_in *address, bool *mptcp) {
    char protocol[8], host[64];
    unsigned port;
    if (sscanf(text, "%7[^:]:%63[^:]:%u", protocol, host, &port) != 3 || port > 65535) {
        fputs(usage, stderr);
        exit(64);
    }
    *mptcp = strcmp(protocol, "mptcp") == 0;
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &address->sin_addr) != 1) exit(64);
}

static void *run_client(void *context) {
    struct load *load = context;
    switch (load->work) {
    case WORK_UP:
    case WORK_DOWN: run_bulk(load); break;
    case WORK_PING_PONG: run_ping_pong(load); break;
    case WORK_CONNECT: run_connect(load); break;
    case WORK_IDLE: run_idle(load); break;
    }
    return NULL;
}

static void pause_for(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {}
}

static void say_begin(void) {
    puts("begin");
    fflush(stdout);
}

int main(int count, char **words) {
    static const char *const works[] = {"up", "down", "ping-pong", "connect", "idle"};
    static struct load load;
    if (count != 8) {
        fputs(usage, stderr);
        return 64;
    }
    int work = -1;
    for (int index = 0; index < 5; index++)
        if (strcmp(words[1], works[index]) == 0) work = index;
    if (work < 0) {
        fputs(usage, stderr);
        return 64;
    }
    load.work = (enum work)work;
    read_address(words[2], &load.listen_address, &load.listen_mptcp);
    read_address(words[3], &load.connect_address, &load.connect_mptcp);
    load.connections = atoi(words[4]);
    load.size = (size_t)atol(words[5]);
    load.warm_up = atof(words[6]);
    load.seconds = atof(words[7]);

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    // Before the client starts, so that the far proxy never finds nobody.
    load.listener = listen_on(&load.listen_address, load.listen_mptcp);
    pthread_t server, client;
    if (pthread_create(&server, NULL, run_server, &load)) fail("pthread_create");
    if (pthread_create(&client, NULL, run_client, &load)) fail("pthread_create");
    bool answered = load.work == WORK_IDLE || load.work == WORK_PING_PONG;
    while (answered && atomic_load(&load.ready) < load.connections) pause_for(0.01);
    if (load.work == WORK_IDLE) {
        say_begin();
        char byte;
        while (read(0, &byte, 1) > 0) {}
        return 0;
    }
    pause_for(load.warm_up);
    uint64_t bytes = atomic_load(&load.bytes), done = atomic_load(&load.done);
    uint64_t begin = now_ns();
    atomic_store(&load.phase, PHASE_MEASURE);
    say_begin();
    pause_for(load.seconds);
    bytes = atomic_load(&load.bytes) - bytes;
    done = atomic_load(&load.done) - done;
    double seconds = (double)(now_ns() - begin) / 1e9;
    puts("end");
    fflush(stdout);
    atomic_store(&load.phase, PHASE_OVER);
    pthread_join(client, NULL);
    printf("{\"seconds\":%.6f,\"bytes\":%llu,\"done\":%llu,\"failed\":%llu,\"p50\":%.3f,\"p99\":%.3f}\n", seconds,
        (unsigned long long)bytes, (unsigned long long)done, (unsigned long long)atomic_load(&load.failed),
        histogram_quantile(&load.times, 0.5) / 1e3, histogram_quantile(&load.times, 0.99) / 1e3);
    return 0;
}
