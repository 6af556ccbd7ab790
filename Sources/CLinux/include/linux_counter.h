// Counters with one writer and any number of readers: relaxed atomics on plain memory.
#ifndef BRAID_LINUX_COUNTER_H
#define BRAID_LINUX_COUNTER_H

#include <stdint.h>

static inline uint64_t linux_counter_load(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }
static inline void linux_counter_store(uint64_t *counter, uint64_t value) { __atomic_store_n(counter, value, __ATOMIC_RELAXED); }
/// For counters with several writers; answers the value before.
static inline uint64_t linux_counter_fetch_add(uint64_t *counter, uint64_t value) { return __atomic_fetch_add(counter, value, __ATOMIC_SEQ_CST); }
static inline uint64_t linux_counter_exchange(uint64_t *counter, uint64_t value) { return __atomic_exchange_n(counter, value, __ATOMIC_SEQ_CST); }
static inline uint64_t linux_counter_load_ordered(const uint64_t *counter) { return __atomic_load_n(counter, __ATOMIC_SEQ_CST); }

#endif
