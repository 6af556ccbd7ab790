// What this process has in memory. madvise(2), dl_iterate_phdr(3).
#ifndef BRAID_LINUX_MEMORY_H
#define BRAID_LINUX_MEMORY_H

/// Gives back the pages of the program's own file that are mapped read-only: those that were only needed to start stay out, the
/// others come back from the page cache when they are used.
void linux_release_program_pages(void);

#endif
