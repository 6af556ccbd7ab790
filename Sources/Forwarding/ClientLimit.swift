internal import Synchronization

/// How many connections each client may have open at once (`max-connections-per-client`).
///
/// Shared by all loops of a relay, and handed on over a reload; the lock is held for one look-up.
public final class ClientLimit: Sendable {
    private struct State {
        var limit: Int
        var open: [ClientKey: Int] = [:]
    }

    private let state: Mutex<State>

    /// - Parameter limit: above 0.
    public init(_ limit: Int) {
        state = Mutex(State(limit: limit))
    }

    /// Changes the limit; those who are in stay.
    public func setLimit(_ limit: Int) { state.withLock { $0.limit = limit } }

    /// Takes a place for a client; false when it has as many as it may.
    func enter(_ client: ClientKey) -> Bool {
        state.withLock { state in
            let open = state.open[client] ?? 0
            guard open < state.limit else { return false }
            state.open[client] = open + 1
            return true
        }
    }

    /// Gives a place back.
    func leave(_ client: ClientKey) {
        state.withLock { state in
            guard let open = state.open[client] else { return }
            state.open[client] = open > 1 ? open - 1 : nil
        }
    }

    /// Clients that have connections.
    var clients: Int { state.withLock { $0.open.count } }
}
