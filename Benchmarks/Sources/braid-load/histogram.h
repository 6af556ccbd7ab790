// Times in logarithmic buckets, 64 to each power of two: within 1.6 % of the truth.
#ifndef BRAID_HISTOGRAM_H
#define BRAID_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 64 * 40 };

struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);
/// The time below which `share` (0 to 1) of all are, in nanoseconds.
double histogram_quantile(const struct histogram *histogram, double share);

#endif
