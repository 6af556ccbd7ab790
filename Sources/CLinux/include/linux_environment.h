// environ(7).
#ifndef BRAID_LINUX_ENVIRONMENT_H
#define BRAID_LINUX_ENVIRONMENT_H

/// The environment's entry at `index` as NAME=VALUE, or NULL past the last. Only while no thread changes the environment.
const char *linux_environment_entry(unsigned index);

#endif
