internal import BasicContainers
internal import Forwarding
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The event loops and their threads.
struct LoopThreads: ~Copyable {
    let shared: [LoopShared]
    private var threads: UniqueArray<Thread>

    /// Starts `count` loops that do nothing yet.
    init(count: Int) throws(Errno) {
        var shared: [LoopShared] = []
        for index in 0..<max(1, count) { shared.append(try LoopShared(index: index)) }
        // Locals first: a half-built value of this type could not be destroyed.
        var threads = UniqueArray<Thread>()
        let all = shared
        for loop in all {
            let thread = try Thread(name: "braid-loop-\(loop.index)") {
                do throws(Errno) {
                    var eventLoop = try EventLoop(shared: loop) {
                        for other in all { other.send(.resumeAccepting) }
                    }
                    eventLoop.run()
                } catch {
                    loop.reportFailure(call: "epoll_create1", error)
                }
            }
            threads.append(thread)
        }
        self.shared = all
        self.threads = threads
    }

    /// Tells every loop.
    func send(_ command: LoopCommand) {
        for loop in shared { loop.send(command) }
    }

    /// Connections over all loops.
    var connections: Int { shared.reduce(0) { $0 + $1.connections } }

    /// Lets every loop accept from a listener.
    func accept(_ listener: borrowing OpenListener) throws(Errno) {
        for loop in shared { loop.send(try addition(of: listener)) }
    }

    /// What tells one loop to accept from a listener.
    func addition(of listener: borrowing OpenListener) throws(Errno) -> LoopCommand {
        let copy = try listener.socket.descriptor.duplicate()
        return .addListener(
            id: listener.id, relay: listener.relay, kind: ListenerKind(listener.configured), descriptor: copy.release(),
            shared: shared.count > 1)
    }

    /// Ends all loops and waits for them. What is left of their connections is reset; their last reports can be read after.
    mutating func stop() {
        send(.stop)
        while let thread = threads.popLast() { thread.join() }
    }
}
