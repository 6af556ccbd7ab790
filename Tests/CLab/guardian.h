// A process that outlives this one for an instant, to end the process groups it left behind.
#pragma once

#include <sys/types.h>

int clab_guardian_start(void);
void clab_guardian_add(pid_t group);
void clab_guardian_remove(pid_t group);
