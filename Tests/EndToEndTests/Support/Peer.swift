import Lab

/// A client or server that does one thing at a time, as a test tells it: another process, with sockets of its own.
///
/// Sockets have names. Each command is answered when it is done, or with the error's name (`ECONNRESET`), or with
/// `timeout` after 20 s.
final class Peer: Sendable {
    private let process: HostProcess

    /// Starts it in a host.
    init(in host: Host) throws {
        process = try host.spawn(["python3", "-uc", Peer.program], input: true)
    }

    /// Gives a command and waits for its answer: `ok …`, or an error's name.
    @discardableResult
    func ask(_ command: String) async throws -> String {
        let before = process.lines.count
        try process.write(command + "\n")
        return try await process.line(containing: "", skipping: before, timeout: .seconds(30))
    }

    /// Gives a command that has to succeed; answers what follows `ok`.
    @discardableResult
    func must(_ command: String) async throws -> String {
        let answer = try await ask(command)
        guard answer.hasPrefix("ok") else { throw PeerError(command: command, answer: answer) }
        return String(answer.dropFirst(3))
    }

    /// Gives a command without waiting for its answer, which `answer()` then does.
    func begin(_ command: String) throws -> Pending {
        let before = process.lines.count
        try process.write(command + "\n")
        return Pending(process: process, before: before)
    }

    /// A command under way.
    struct Pending: Sendable {
        fileprivate let process: HostProcess
        fileprivate let before: Int

        /// Waits for the answer.
        func answer() async throws -> String {
            try await process.line(containing: "", skipping: before, timeout: .seconds(30))
        }
    }

    /// Ends it at once; the kernel closes its sockets.
    func kill() { process.terminate() }

    /// Commands, `A` and `B` being names of sockets:
    ///
    ///     A connect HOST PORT [mptcp]   A connect-unix PATH
    ///     A listen HOST PORT [mptcp]    A listen-unix PATH      A accept B
    ///     A send TEXT     A send-bytes N: ok N SHA256     A fill (until nothing more can be sent for 0.3 s): ok BYTES
    ///     A read N (exactly): ok TEXT        A read-bytes N: ok N SHA256       A to-end: ok BYTES SHA256
    ///     A end (what the next read says): ok end | ok N
    ///     A shutdown      A close      A reset
    private static let program = """
        import errno, hashlib, select, socket, struct, sys
        sockets = {}
        # Who is refused may be reset before connect returns: the next command is told, as if it had come after.
        refused = set()
        pattern = hashlib.sha256(b"braid").digest() * 2048
        def make(family, words):
            s = socket.socket(family, socket.SOCK_STREAM, 262 if "mptcp" in words else 0)
            s.settimeout(20)
            return s
        def family(host): return socket.AF_INET6 if ":" in host else socket.AF_INET
        def listening(s, where):
            if s.family != socket.AF_UNIX: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(where); s.listen(128)
        def take(s, n):
            data = bytearray()
            while len(data) < n:
                part = s.recv(min(n - len(data), 1 << 20))
                if not part: break
                data += part
            return bytes(data)
        def do(name, verb, *a):
            if verb == "connect":
                s = sockets[name] = make(family(a[0]), a)
                refused.discard(name)
                try: s.connect((a[0], int(a[1])))
                except ConnectionResetError: refused.add(name)
            elif verb == "connect-unix":
                s = sockets[name] = make(socket.AF_UNIX, a); s.connect(a[0])
            elif verb == "listen":
                s = sockets[name] = make(family(a[0]), a); listening(s, (a[0], int(a[1])))
            elif verb == "listen-unix":
                s = sockets[name] = make(socket.AF_UNIX, a); listening(s, a[0])
            else:
                s = sockets[name]
                if name in refused and verb not in ("close", "reset"): raise OSError(errno.ECONNRESET, "")
                if verb == "accept":
                    sockets[a[0]] = s.accept()[0]; sockets[a[0]].settimeout(20)
                elif verb == "send": s.sendall(a[0].encode())
                elif verb == "send-bytes":
                    left, digest = int(a[0]), hashlib.sha256()
                    while left:
                        sent = s.send(pattern[:left]); digest.update(pattern[:sent]); left -= sent
                    return a[0], digest.hexdigest()
                elif verb == "fill":
                    s.setblocking(False); total = 0
                    while select.select([], [s], [], 0.3)[1]:
                        try: total += s.send(pattern)
                        except BlockingIOError: pass
                    s.settimeout(20)
                    return total
                elif verb == "read": return take(s, int(a[0])).decode()
                elif verb == "read-bytes":
                    data = take(s, int(a[0])); return len(data), hashlib.sha256(data).hexdigest()
                elif verb == "to-end":
                    count, digest = 0, hashlib.sha256()
                    while part := s.recv(1 << 20): count += len(part); digest.update(part)
                    return count, digest.hexdigest()
                elif verb == "end":
                    data = s.recv(65536); return len(data) if data else "end"
                elif verb == "shutdown": s.shutdown(socket.SHUT_WR)
                elif verb == "close": s.close()
                elif verb == "reset":
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); s.close()
                else: raise ValueError(verb)
            return ()
        for line in sys.stdin:
            try:
                answer = do(*line.split())
                print("ok", *(answer if isinstance(answer, tuple) else (answer,)))
            except socket.timeout: print("timeout")
            except OSError as e: print(errno.errorcode.get(e.errno, e))
        """
}

/// A peer could not do what the test relies on.
struct PeerError: Error, CustomStringConvertible {
    let command: String
    let answer: String

    var description: String { "peer: \(command): \(answer)" }
}
