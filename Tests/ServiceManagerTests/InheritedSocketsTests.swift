import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import ServiceManager

@Suite struct InheritedSocketsTests {
    private static func listener(_ streamProtocol: StreamProtocol) throws -> Socket {
        let socket = try Socket.stream(.ipv4, streamProtocol)
        try socket.listen(backlog: 16)
        return socket
    }

    @Test func `listeners are handed out by name, each once, with their protocol`() throws {
        let unix = try Socket.unixStream()
        let path = "/tmp/braid-inherited-\(getpid())"
        defer { unlink(path) }
        try unix.bind(toPath: path)
        try unix.listen(backlog: 16)
        let passed = try [
            Self.listener(.tcp).release(), Self.listener(.mptcp).release(), unix.release(),
            Self.listener(.tcp).release(),
        ]

        var inherited = InheritedSockets(names: ["imap", "far", "local", "imap"], descriptors: passed)
        #expect(inherited.names == ["imap", "far", "local", "imap"])

        let first = try unwrap(inherited.takeListener(named: "imap"))
        #expect(first.kind == .internet(.tcp))
        #expect(first.socket.raw == passed[0])
        #expect(fcntl(first.socket.raw, F_GETFL) & O_NONBLOCK != 0)
        let second = try unwrap(inherited.takeListener(named: "imap"))
        #expect(second.socket.raw == passed[3])
        let third = try inherited.takeListener(named: "imap") == nil
        #expect(third)
        let far = try unwrap(inherited.takeListener(named: "far"))
        #expect(far.kind == .internet(.mptcp))
        let nothing = try inherited.takeListener(named: "nothing") == nil
        #expect(nothing)

        #expect(inherited.leftovers.map(\.name) == ["local"])
        #expect(inherited.leftovers.map(\.descriptor) == [passed[2]])
        let local = try unwrap(inherited.takeListener(named: "local"))
        #expect(local.kind == .unix)
        #expect(inherited.names.isEmpty)
    }

    @Test func `what nobody takes is closed, what was taken is not`() throws {
        let pipes = try [CInt](unsafeUninitializedCapacity: 4) { numbers, count in
            for index in 0..<2 {
                let pipe = try Pipe(capacity: 4096)
                numbers[2 * index] = try pipe.readEnd.duplicate().release()
                numbers[2 * index + 1] = try pipe.writeEnd.duplicate().release()
            }
            count = 4
        }
        let abandoned = Descriptor(owning: pipes[0])
        let kept = Descriptor(owning: pipes[2])
        let taken: Descriptor
        do {
            var inherited = InheritedSockets(names: ["a", "b"], descriptors: [pipes[1], pipes[3]])
            taken = try unwrap(inherited.takeDescriptor(named: "b"))
        }
        // A pipe without a writer hangs up. (Another test that starts a process may hold a copy for a moment.)
        var hungUp = pollfd(fd: abandoned.raw, events: 0, revents: 0)
        #expect(poll(&hungUp, 1, 20_000) == 1 && hungUp.revents & Int16(POLLHUP) != 0)
        var open = pollfd(fd: kept.raw, events: 0, revents: 0)
        #expect(poll(&open, 1, 0) == 0)
        #expect(taken.raw == pipes[3])
    }

    @Test func `what is no listening stream socket is refused by name, and stays`() throws {
        let pipe = try Pipe(capacity: 4096)
        let passed = try [
            pipe.readEnd.duplicate().release(), Socket.stream(.ipv4, .tcp).release(),
            socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0),
            socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0), CInt.max,
        ]
        var inherited = InheritedSockets(names: ["pipe", "idle", "datagram", "packets", "closed"], descriptors: passed)

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
    }

    @Test func `a descriptor without a name is called unknown`() throws {
        let inherited = InheritedSockets(names: [], descriptors: [try Self.listener(.tcp).release()])
        #expect(inherited.names == ["unknown"])
    }

    @Test func `the environment is read once and cleared, and children inherit nothing`() async {
        await #expect(processExitsWith: .success) {
            // Whatever this process has as descriptor 3 stands for what the service manager passes; should it be one
            // that a library closes again just now, the next one will do.
            func take() throws -> InheritedSockets {
                for _ in 0..<100 {
                    if fcntl(3, F_GETFD) < 0 { _ = open("/dev/null", O_RDONLY) }
                    _ = fcntl(3, F_SETFD, 0)
                    setenv("LISTEN_PID", "\(getpid())", 1)
                    setenv("LISTEN_FDS", "1", 1)
                    setenv("LISTEN_FDNAMES", "web", 1)
                    do throws(InheritedSocketError) {
                        return try InheritedSockets.take()
                    } catch {
                        guard error == .environment(.badFileDescriptor) else { throw error }
                    }
                }
                throw Missing()
            }
            var inherited = try take()
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
