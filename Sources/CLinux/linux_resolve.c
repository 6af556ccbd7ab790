#include "linux_resolve.h"

#include <netdb.h>
#include <sys/socket.h>

_Static_assert(EAI_NONAME < 0 && EAI_SYSTEM < 0, "errors of getaddrinfo are negative here");

int linux_resolve(const char *host, uint16_t port, struct linux_address *out, int capacity) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(host, NULL, &hints, &list);
    if (error) return error;
    int count = 0;
    for (struct addrinfo *entry = list; entry && count < capacity; entry = entry->ai_next) {
        if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
        linux_address_from_sockaddr(entry->ai_addr, entry->ai_addrlen, &out[count]);
        out[count++].port = port;
    }
    freeaddrinfo(list);
    return count > 0 ? count : EAI_NONAME;
}

const char *linux_resolve_message(int error) { return gai_strerror(error); }
