internal import Glibc

/// The time of day.
enum WallClock {
    /// Seconds since 1970. The corresponding C function is `clock_gettime`.
    static func seconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return (Double(time.tv_sec) * 1000 + Double(time.tv_nsec / 1_000_000)) / 1000
    }
}
