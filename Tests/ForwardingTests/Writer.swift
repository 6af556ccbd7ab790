import CLinux
import LinuxSystem
import Synchronization
import SystemPackage

@testable import Forwarding

/// Writes to a connection as fast as it takes it, and reads what comes back, in a thread of its own, until it is stopped.
final class Writer {
    private final class State: Sendable {
        let received = Atomic<Int>(0)
        let ended = Atomic<Bool>(false)
    }

    private let state = State()
    private var thread: Thread?
    private let client: SocketBox

    init(_ client: SocketBox) throws {
        self.client = client
        let state = self.state
        let raw = client.socket.raw
        thread = try Thread(name: "test-writer") {
            do {
                let bytes = [UInt8](repeating: 9, count: 65_536)
                var read = bytes
                var poller = try Poller()
                try poller.add(raw, [.readable, .writable], EventToken(slot: 0, tag: 0))
                while !state.ended.load(ordering: .relaxed) {
                    _ = try poller.wait(milliseconds: 50)
                    _ = linux_send(raw, bytes, bytes.count, 0)
                    let count = linux_receive(raw, &read, read.count)
                    if count > 0 { state.received.add(Int(count), ordering: .relaxed) }
                }
            } catch {
                state.ended.store(true, ordering: .relaxed)
            }
        }
    }

    /// Bytes that came back.
    var received: Int { state.received.load(ordering: .relaxed) }

    /// Waits until so many bytes came back.
    func wait(until count: Int) throws {
        let deadline = ContinuousClock.now + .seconds(20)
        var poller = try Poller()
        while received < count {
            guard ContinuousClock.now < deadline else { throw Errno.timedOut }
            _ = try poller.wait(milliseconds: 5)
        }
    }

    func stop() {
        state.ended.store(true, ordering: .relaxed)
        thread.take()?.join()
    }
}
