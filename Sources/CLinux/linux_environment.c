#include "linux_environment.h"

#include <unistd.h>

const char *linux_environment_entry(unsigned index) {
    for (unsigned i = 0; environ && environ[i]; i++)
        if (i == index) return environ[i];
    return 0;
}
