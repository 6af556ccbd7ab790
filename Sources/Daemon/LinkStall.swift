internal import LinuxSystem

/// A link over which nothing gets through although its interface, address and route are well.
struct LinkStall {
    /// Since when.
    var began: MonotonicTime
    /// Whether its endpoints are there, so that connections try to join over it.
    var isTrying = false
    /// When to try next, or to end this try.
    var next: MonotonicTime
    /// How many tries there were.
    var tries = 0
}
