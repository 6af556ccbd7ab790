internal import Admin
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// How the admin server's thread reaches the main thread: a bounded mailbox with an eventfd. Answers go back through each
/// request's callback.
final class AdminMailbox: Sendable {
    /// Requests that may wait.
    static let capacity = 256

    private let requests = Mutex<[AdminRequest]>([])
    private let wake: EventCounter

    init() throws(Errno) {
        wake = try EventCounter()
    }

    /// Puts a request in; false when it is full. Any thread.
    func put(_ request: AdminRequest) -> Bool {
        let isQueued = requests.withLock { waiting in
            guard waiting.count < Self.capacity else { return false }
            waiting.append(request)
            return true
        }
        if isQueued { wake.raise() }
        return isQueued
    }

    /// Has the main thread look, although no request waits. Any thread.
    func raise() { wake.raise() }

    // MARK: The main thread's side

    /// Readable when requests wait.
    var descriptor: CInt { wake.descriptor.raw }

    /// Takes all requests out.
    func take() -> [AdminRequest] {
        wake.clear()
        return requests.withLock { waiting in
            let taken = waiting
            waiting = []
            return taken
        }
    }
}
