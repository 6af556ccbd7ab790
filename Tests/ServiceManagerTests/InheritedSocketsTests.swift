import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import ServiceManager

/// Descriptors come to a service one after the other; here they are put at numbers far from what the test process uses.
@Suite(.serialized) struct InheritedSocketsTests {
    /// Listening sockets and other things, moved to consecutive numbers from `first` on.
    private struct Passed {
        static let first: CInt = 700
        private(set) var count: CInt = 0

        mutating func add(_ socket: consuming Socket) throws {
            try add(Descriptor(owning: socket.release()))
        }

        mutating func add(_ descriptor: consuming Descriptor) throws {
            guard dup2(descriptor.raw, Self.first + count) >= 0 else { throw Errno(rawValue: errno) }
            count += 1
        }
    }

    private static func listener(_ streamProtocol: StreamProtocol) throws -> Socket {
        let socket = try Socket.stream(.ipv4, streamProtocol)
        try socket.listen(backlog: 16)
        return socket
    }

    private static func isOpen(_ descriptor: CInt) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    @Test func `listeners are handed out by name, each once, with their protocol`() throws {
        var passed = Passed()
        try passed.add(Self.listener(.tcp))
        try passed.add(Self.listener(.mptcp))
        let unix = try Socket.unixStream()
        let path = "/tmp/braid-inherited-\(getpid())"
        defer { unlink(path) }
        try unix.bind(toPath: path)
        try unix.listen(backlog: 16)
        try passed.add(unix)
        try passed.add(Self.listener(.tcp))

        var inherited = InheritedSockets(
            names: ["imap", "far", "local", "imap"], first: Passed.first, count: passed.count)
        #expect(inherited.names == ["imap", "far", "local", "imap"])

        let first = try unwrap(inherited.takeListener(named: "imap"))
        #expect(first.kind == .internet(.tcp))
        #expect(first.socket.raw == Passed.first)
        #expect(fcntl(first.socket.raw, F_GETFL) & O_NONBLOCK != 0)
        let second = try unwrap(inherited.takeListener(named: "imap"))
        #expect(second.socket.raw == Passed.first + 3)
        let third = try inherited.takeListener(named: "imap") == nil
        #expect(third)
        let far = try unwrap(inherited.takeListener(named: "far"))
        #expect(far.kind == .internet(.mptcp))
        let nothing = try inherited.takeListener(named: "nothing") == nil
        #expect(nothing)

        #expect(inherited.leftovers.map(\.name) == ["local"])
        #expect(inherited.leftovers.map(\.descriptor) == [Passed.first + 2])
        let local = try unwrap(inherited.takeListener(named: "local"))
        #expect(local.kind == .unix)
        #expect(inherited.names.isEmpty)
    }

    @Test func `what nobody takes is closed, what was taken is not`() throws {
        var passed = Passed()
        try passed.add(Self.listener(.tcp))
        try passed.add(Self.listener(.tcp))
        let taken: Descriptor
        do {
            var inherited = InheritedSockets(names: ["a", "b"], first: Passed.first, count: 2)
            taken = try unwrap(inherited.takeDescriptor(named: "b"))
        }
        #expect(!Self.isOpen(Passed.first))
        #expect(Self.isOpen(taken.raw))
    }

    @Test func `what is no listening stream socket is refused by name, and stays`() throws {
        var passed = Passed()
        let pipe = try Pipe(capacity: 4096)
        try passed.add(pipe.readEnd.duplicate())
        try passed.add(Socket.stream(.ipv4, .tcp))
        let datagram = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        try passed.add(Descriptor(owning: datagram))
        let packets = socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue), 0)
        try passed.add(Descriptor(owning: packets))
        let closed = Passed.first + passed.count
        var inherited = InheritedSockets(
            names: ["pipe", "idle", "datagram", "packets", "closed"], first: Passed.first, count: passed.count + 1)

        func refusal(_ name: String) -> InheritedSocketError? {
            do throws(InheritedSocketError) { _ = try inherited.takeListener(named: name) } catch { return error }
            return nil
        }
        #expect(refusal("pipe") == .notASocket(name: "pipe"))
        #expect(refusal("idle") == .notListening(name: "idle"))
        #expect(refusal("datagram") == .notAStream(name: "datagram"))
        #expect(refusal("packets") == .notAStream(name: "packets"))
        #expect(refusal("closed") == .failed(name: "closed", errno: .badFileDescriptor))
        #expect(refusal("idle")?.description.contains("Accept=no") == true)
        #expect(inherited.names.count == 5)
        #expect(!Self.isOpen(closed))
    }

    @Test func `a descriptor without a name is called unknown`() throws {
        var passed = Passed()
        try passed.add(Self.listener(.tcp))
        let inherited = InheritedSockets(names: [], first: Passed.first, count: passed.count)
        #expect(inherited.names == ["unknown"])
    }

    @Test func `the environment is read once and cleared, and children inherit nothing`() async {
        await #expect(processExitsWith: .success) {
            // Whatever this process has as descriptor 3 stands for what the service manager passes.
            if fcntl(3, F_GETFD) < 0 { _ = open("/dev/null", O_RDONLY) }
            _ = fcntl(3, F_SETFD, 0)
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDS", "1", 1)
            setenv("LISTEN_FDNAMES", "web", 1)
            var inherited = try InheritedSockets.take()
            #expect(inherited.names == ["web"])
            #expect(getenv("LISTEN_PID") == nil && getenv("LISTEN_FDS") == nil && getenv("LISTEN_FDNAMES") == nil)
            #expect(fcntl(3, F_GETFD) & FD_CLOEXEC != 0)
            let descriptor = try unwrap(inherited.takeDescriptor(named: "web"))
            let number = descriptor.release()  // not closed: it belongs to whoever opened it
            #expect(number == 3)
            let again = try InheritedSockets.take()
            #expect(again.names.isEmpty)
        }
    }

    @Test func `descriptors for another process are left alone`() async {
        await #expect(processExitsWith: .success) {
            setenv("LISTEN_PID", "1", 1)
            setenv("LISTEN_FDS", "1", 1)
            let inherited = try InheritedSockets.take()
            #expect(inherited.names.isEmpty)
        }
    }

    @Test func `a malformed environment is an error`() async {
        await #expect(processExitsWith: .success) {
            for (pid, count, names) in [
                ("\(getpid())", "many", "a"), ("nobody", "1", "a"), ("\(getpid())", "-1", "a"),
                ("\(getpid())", "4294967295", "a"), ("\(getpid())", "100000000", "a"),
            ] {
                setenv("LISTEN_PID", pid, 1)
                setenv("LISTEN_FDS", count, 1)
                setenv("LISTEN_FDNAMES", names, 1)
                #expect(throws: InheritedSocketError.self, "\(pid) \(count)") { _ = try InheritedSockets.take().names }
            }
            unsetenv("LISTEN_PID")
            let none = try InheritedSockets.take()
            #expect(none.names.isEmpty)
        }
    }
}

private struct Missing: Error {}

/// The value, or a failure of the test. (`#require` takes only what can be copied.)
private func unwrap<Value: ~Copyable>(_ value: consuming Value?) throws -> Value {
    guard let value = consume value else { throw Missing() }
    return value
}
