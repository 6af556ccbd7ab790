import Lab

/// Looks until a condition holds: for what is no line of a log, and what the kernel gives no event of.
func eventually(
    _ what: String, within timeout: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw WaitError(what: what, timeout: timeout) }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Something did not come to be in time.
struct WaitError: Error, CustomStringConvertible {
    let what: String
    let timeout: Duration

    var description: String { "\(what): not within \(timeout)" }
}
