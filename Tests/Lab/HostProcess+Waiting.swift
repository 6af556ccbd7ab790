import CLab
import Glibc
import Synchronization

extension HostProcess {
    /// Waits for a line of its output that contains a text; lines already written count.
    ///
    /// - Parameters:
    ///   - text: What the line contains.
    ///   - skipping: How many lines from the first on not to look at; `lines.count` looks at new ones only.
    ///   - timeout: How long at most.
    /// - Returns: The line.
    /// - Throws: When the time is up, or the process ended without such a line; with what it wrote.
    @discardableResult
    public func line(
        containing text: String, skipping: Int = 0, timeout: Duration = .seconds(10)
    ) async throws(LabError) -> String {
        try await line(described: "a line with \"\(text)\"", skipping: skipping, timeout: timeout) {
            $0.contains(text)
        }
    }

    /// Waits for a line of its output that matches a regular expression; lines already written count.
    ///
    /// - Parameters:
    ///   - pattern: What is to be found in the line.
    ///   - skipping: How many lines from the first on not to look at.
    ///   - timeout: How long at most.
    /// - Returns: The line.
    /// - Throws: When the time is up, or the process ended without such a line; with what it wrote.
    @discardableResult
    public func line<Output>(
        matching pattern: Regex<Output>, skipping: Int = 0, timeout: Duration = .seconds(10)
    ) async throws(LabError) -> String {
        try await line(described: "a line that matches", skipping: skipping, timeout: timeout) { line in
            // A regex fails to run only when a transform of its own throws: then the line is no match.
            (try? pattern.firstMatch(in: line)) != nil
        }
    }

    /// Waits until the process has ended.
    ///
    /// - Parameter timeout: How long at most.
    /// - Returns: How it ended and what it wrote.
    /// - Throws: When the time is up; the process goes on.
    @discardableResult
    public func finish(timeout: Duration = .seconds(30)) async throws(LabError) -> CommandOutput {
        let deadline = ContinuousClock.now + timeout
        while true {
            let (exit, seen) = state.withLock { ($0.exit, $0.version) }
            if let exit {
                return CommandOutput(
                    exit: exit, standardOutput: String(decoding: standardOutput, as: UTF8.self),
                    standardError: String(decoding: standardError, as: UTF8.self))
            }
            guard ContinuousClock.now < deadline else {
                throw LabError(
                    "\(arguments.joined(separator: " ")) has not ended after \(timeout)",
                    detail: lines.suffix(20).joined(separator: "\n"))
            }
            try await change(after: seen, until: deadline)
        }
    }

    /// Writes to its standard input, if it was started with `input: true`. Waits when the process does not read.
    ///
    /// - Parameter text: What to write.
    /// - Throws: EPIPE when it reads no more.
    public func write(_ text: String) throws(LabError) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let result: Int = input.withLock { input in
                guard let number = input?.number else { return -Int(EPIPE) }
                return bytes.withUnsafeBytes { clab_write(number, $0.baseAddress, min($0.count, 4096)) }
            }
            try checked(CInt(clamping: min(result, 0)), "write to \(arguments.joined(separator: " "))")
            bytes = bytes.dropFirst(result)
        }
    }

    /// Closes its standard input.
    public func closeInput() {
        input.withLock { $0 = nil }
    }

    private func line(
        described: String, skipping: Int, timeout: Duration, _ isWanted: (String) -> Bool
    ) async throws(LabError) -> String {
        let deadline = ContinuousClock.now + timeout
        var looked = skipping
        while true {
            let (lines, exit, seen) = state.withLock { state in
                (Array(state.lines.dropFirst(looked)), state.exit, state.version)
            }
            for line in lines where isWanted(line) {
                return line
            }
            looked += lines.count
            if exit != nil || ContinuousClock.now >= deadline {
                let reason = exit.map { "it ended with \($0.status)" } ?? "not within \(timeout)"
                throw LabError(
                    "\(arguments.joined(separator: " ")): waited for \(described), but \(reason)",
                    detail: self.lines.suffix(20).joined(separator: "\n"))
            }
            try await change(after: seen, until: deadline)
        }
    }

    /// Returns when something happened after version `seen`, or at the deadline.
    private func change(after seen: Int, until deadline: ContinuousClock.Instant) async throws(LabError) {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let timer = Task {
            // Cancelled when there was a change: then it is over either way.
            try? await Task.sleep(until: deadline, clock: .continuous)
            giveUp(waiter)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let over = state.withLock { state in
                    if state.version != seen || state.expired.contains(waiter) { return true }
                    state.waiters[waiter] = continuation
                    return false
                }
                if over {
                    continuation.resume()
                }
            }
        } onCancel: {
            giveUp(waiter)
        }
        timer.cancel()
        if Task.isCancelled {
            throw LabError("\(arguments.joined(separator: " ")): no longer waited for", errno: ECANCELED)
        }
    }

    private func giveUp(_ waiter: Int) {
        let continuation = state.withLock { state in
            state.expired.insert(waiter)
            return state.waiters.removeValue(forKey: waiter)
        }
        continuation?.resume()
    }
}
