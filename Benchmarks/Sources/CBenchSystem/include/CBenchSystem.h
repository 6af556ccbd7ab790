// What the benchmarks need of the kernel and Swift cannot call. Every function answers a value or a negative errno.
#ifndef BRAID_BENCH_SYSTEM_H
#define BRAID_BENCH_SYSTEM_H

/// Moves this process (it must have one thread) into a network namespace of its own with `lo` up; as a plain user, into a
/// user namespace too, in which it is root.
int bench_enter_namespace(void);

/// Raises the limit of descriptors as far as it may go, at most to `wanted`; answers what it is.
long bench_raise_descriptor_limit(long wanted);

/// Starts a program (looked for in PATH) that dies with this thread. `descriptors` become its 0, 1 and 2 (-1: /dev/null);
/// `cpu` is the only processor it may use, or -1.
int bench_spawn(char *const *words, const int descriptors[3], int cpu);

/// Sends a signal to a child and waits for its end; answers its wait(2) status.
int bench_end(int process, int signal);

/// 1 when the child has ended (it stays to be waited for), else 0.
int bench_has_ended(int process);

/// Makes each line appear when it is printed, in a file too.
void bench_print_by_line(void);

/// A close-on-exec pipe.
int bench_pipe(int ends[2]);

/// Waits until `fd` can be read: 1, or 0 when the time is over.
int bench_wait_readable(int fd, int milliseconds);

#endif
