// A process that takes this one's place. clone(2).
#ifndef BRAID_LINUX_SUCCESSOR_H
#define BRAID_LINUX_SUCCESSOR_H

/// Starts a program as a sibling of this process: its parent is this one's own parent, which so hears of its end. It gets
/// `descriptor` as 3, standard input, output and error as they are, and nothing else; its signals are as at the start of a
/// process. Answers its process id, or -errno (-EINVAL when this process is the first of its process namespace).
///
/// `words` and `variables` are so many strings, one after the other, each ending with a zero byte.
int linux_start_sibling(
    const char *path, const char *words, unsigned word_count, const char *variables, unsigned variable_count, int descriptor);

#endif
