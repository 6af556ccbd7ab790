#include "histogram.h"

static int bucket_of(uint64_t value) {
    if (value < 64) return (int)value;
    int power = 63 - __builtin_clzll(value);
    int bucket = (power - 5) * 64 + (int)((value >> (power - 6)) & 63);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static double middle_of(int bucket) {
    if (bucket < 64) return bucket;
    int power = bucket / 64 + 5;
    double width = (double)(1ull << (power - 6));
    return (double)(1ull << power) + (bucket % 64 + 0.5) * width;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->count++;
    histogram->buckets[bucket_of(nanoseconds)]++;
}

double histogram_quantile(const struct histogram *histogram, double share) {
    double wanted = (double)histogram->count * share;
    uint64_t seen = 0;
    for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen && (double)seen >= wanted) return middle_of(bucket);
    }
    return 0;
}
