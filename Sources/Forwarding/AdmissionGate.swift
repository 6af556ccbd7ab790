internal import Synchronization

/// Counts the open connections of a relay (and of the whole daemon) over all loops, and holds clients back in the listen
/// backlog once there are as many as may be.
///
/// Shared by all loops: every member is atomic. `waiting` is raised before the count is looked at again, so that the loop
/// that leaves last sees it.
public final class AdmissionGate: Sendable {
    private let limit: Atomic<Int>
    private let open = Atomic<Int>(0)
    private let waiting = Atomic<Bool>(false)
    private let outer: AdmissionGate?

    /// - Parameters:
    ///   - limit: how many connections may be open; 0 is no limit.
    ///   - outer: a gate that must be passed as well.
    public init(limit: Int, outer: AdmissionGate? = nil) {
        self.limit = Atomic(limit)
        self.outer = outer
    }

    /// Changes the limit; those who are in stay. All loops are to be told to accept again.
    public func setLimit(_ limit: Int) { self.limit.store(limit, ordering: .relaxed) }

    /// Takes a place; false when there is none, and the caller stops accepting until it is told to go on.
    func enter() -> Bool {
        guard takePlace() else { return false }
        if let outer, !outer.enter() {
            _ = open.subtract(1, ordering: .sequentiallyConsistent)
            return false
        }
        return true
    }

    /// Gives a place back.
    ///
    /// - Returns: true when somebody waits for one: all loops are to be told to accept again.
    func leave() -> Bool {
        open.subtract(1, ordering: .sequentiallyConsistent)
        let awaited = waiting.exchange(false, ordering: .sequentiallyConsistent)
        let outerAwaited = outer?.leave() ?? false
        return awaited || outerAwaited
    }

    /// Whether it lets nobody in for its own limit's sake, and not for the outer gate's.
    var isFull: Bool {
        let limit = self.limit.load(ordering: .relaxed)
        return limit != 0 && count >= limit
    }

    /// Connections that are open now.
    public var count: Int { open.load(ordering: .relaxed) }

    private func takePlace() -> Bool {
        let limit = self.limit.load(ordering: .relaxed)
        let before = open.add(1, ordering: .sequentiallyConsistent).oldValue
        if limit == 0 || before < limit { return true }
        waiting.store(true, ordering: .sequentiallyConsistent)
        let after = open.subtract(1, ordering: .sequentiallyConsistent).newValue
        // Someone left between the two: nobody would tell us, so try again.
        if after < limit { return takePlace() }
        return false
    }
}
