import Glibc
import Lab

/// Traffic that measures itself: ping-pong, and bulk either way. One process, told what to do by lines.
///
/// It stands for applications on both ends, and knows how long the longest interruption was.
final class Traffic: Sendable {
    /// What a measurement saw since `mark()`.
    struct Sample: Sendable, CustomStringConvertible {
        /// The longest time without a byte, or the longest round trip; what is under way counts.
        var worst: Duration
        /// Bytes received, or round trips.
        var amount: Int

        var description: String { "worst \(worst), amount \(amount)" }
    }

    private let process: HostProcess

    /// Starts it in a host.
    init(in host: Host) throws {
        process = try host.spawn(["python3", "-uc", Traffic.program], input: true)
    }

    @discardableResult
    private func ask(_ command: String, timeout: Duration = .seconds(30)) async throws -> String {
        let before = process.lines.count
        try process.write(command + "\n")
        let answer = try await process.line(containing: "", skipping: before, timeout: timeout)
        guard answer.hasPrefix("ok") else { throw PeerError(command: command, answer: answer) }
        return String(answer.dropFirst(3))
    }

    /// Listens as the destination of `ping`, `down` and `up`.
    func serve(_ address: String, port: UInt16) async throws { try await ask("serve \(address) \(port)") }

    /// Connects and sends 8 bytes every `period`, or when the answer came if that is later.
    ///
    /// - Returns: how long it took from the connecting to the first answer.
    @discardableResult
    func ping(_ address: String, port: UInt16, period: Duration = .milliseconds(20)) async throws -> Duration {
        let (seconds, attoseconds) = period.components
        let answer = try await ask("ping \(address) \(port) \(Double(seconds) + Double(attoseconds) / 1e18)")
        return .microseconds(Int(answer) ?? -1)
    }

    /// Connects and receives without end.
    func down(_ address: String, port: UInt16) async throws { try await ask("down \(address) \(port)") }

    /// Connects and sends without end; the server measures.
    func up(_ address: String, port: UInt16) async throws { try await ask("up \(address) \(port)") }

    /// Opens many connections that say something once and then wait: `say` makes each of them speak again.
    func crowd(_ count: Int, _ address: String, port: UInt16) async throws {
        try await ask("crowd \(count) \(address) \(port)", timeout: .seconds(120))
    }

    /// Every connection of the crowd sends 8 bytes and gets them back.
    ///
    /// - Returns: how many did, of all.
    func say() async throws -> Int { Int(try await ask("say", timeout: .seconds(60))) ?? -1 }

    /// Forgets what was measured so far.
    func mark() async throws { try await ask("mark") }

    /// What was measured since `mark()`.
    func sample() async throws -> Sample {
        let words = try await ask("sample").split(separator: " ")
        return Sample(worst: .microseconds(Int(words[0]) ?? -1), amount: Int(words[1]) ?? -1)
    }

    /// Waits until `amount` more bytes or round trips are there.
    ///
    /// - Returns: how long that took.
    @discardableResult
    func wait(for amount: Int, timeout: Duration = .seconds(60)) async throws -> Duration {
        .microseconds(Int(try await ask("wait \(amount)", timeout: timeout)) ?? -1)
    }

    /// How many bytes were wrong: each is a function of its place in the stream.
    func errors() async throws -> Int { Int(try await ask("errors")) ?? -1 }

    /// Ends it, and its connections with resets.
    func kill() { process.terminate() }

    /// Neither sends nor receives until `resume()`.
    func suspend() throws { try process.signal(SIGSTOP) }

    /// Goes on.
    func resume() throws { try process.signal(SIGCONT) }

    private static let program = """
        import resource, select, socket, struct, sys, threading, time
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        lock = threading.Condition()
        state = {"worst": 0.0, "amount": 0, "last": None, "errors": 0}
        pattern = bytes((i * 7 + i // 256) & 255 for i in range(65536)) * 2
        def moved(n, now=None, since=None):
            with lock:
                now = now or time.monotonic()
                since = since if since is not None else state["last"]
                if since is not None: state["worst"] = max(state["worst"], now - since)
                state["last"] = now; state["amount"] += n
                lock.notify_all()
        def receive(s):
            at = 0
            while True:
                try: data = s.recv(65536)
                except OSError: break
                if not data: break
                if data != pattern[at:at + len(data)]:
                    with lock: state["errors"] += 1
                at = (at + len(data)) & 65535
                moved(len(data))
        def send(s):
            try:
                while True: s.sendall(pattern[:65536])
            except OSError: pass
        def echo(s):
            try:
                while data := s.recv(65536): s.sendall(data)
            except OSError: pass
        def served(s):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try: kind = s.recv(1)
            except OSError: return
            {b"d": send, b"u": receive, b"p": echo}.get(kind, lambda s: None)(s)
        def accept(l):
            while True:
                s, _ = l.accept()
                threading.Thread(target=served, args=(s,), daemon=True).start()
        def connected(a, kind):
            s = socket.create_connection((a[0], int(a[1])), timeout=20)
            s.settimeout(None); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.sendall(kind)
            return s
        def pinging(s, period, first):
            n, due = 0, time.monotonic()
            while True:
                due = max(due + period, time.monotonic())
                sent = time.monotonic()
                with lock: state["last"] = sent
                message = struct.pack("!Q", n)
                s.sendall(message)
                got = b""
                while len(got) < 8:
                    part = s.recv(8 - len(got))
                    if not part:
                        with lock: state["errors"] += 1
                        return
                    got += part
                if got != message:
                    with lock: state["errors"] += 1
                moved(1, since=sent)
                with lock: state["last"] = None
                first.set(); n += 1
                time.sleep(max(0, due - time.monotonic()))
        crowd = []
        def act(verb, *a):
            if verb == "serve":
                family = socket.AF_INET6 if ":" in a[0] else socket.AF_INET
                l = socket.socket(family); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                l.bind((a[0], int(a[1]))); l.listen(1024)
                threading.Thread(target=accept, args=(l,), daemon=True).start()
            elif verb == "ping":
                first, began = threading.Event(), time.monotonic()
                threading.Thread(target=pinging, args=(connected(a, b"p"), float(a[2]), first), daemon=True).start()
                first.wait(20)
                return "%d" % ((time.monotonic() - began) * 1e6)
            elif verb == "down": threading.Thread(target=receive, args=(connected(a, b"d"),), daemon=True).start()
            elif verb == "up": threading.Thread(target=send, args=(connected(a, b"u"),), daemon=True).start()
            elif verb == "crowd":
                for _ in range(int(a[0])): crowd.append(connected(a[1:], b"p"))
                return act("say")
            elif verb == "say":
                for s in crowd: s.settimeout(20)
                good, message = 0, b"crowded!"
                for s in crowd:
                    try: s.sendall(message)
                    except OSError: pass
                for s in crowd:
                    try: good += s.recv(8, socket.MSG_WAITALL) == message
                    except OSError: pass
                return good
            elif verb == "mark":
                with lock: state["worst"], state["amount"] = 0.0, 0
                with lock: state["last"] = time.monotonic() if state["last"] is not None else None
            elif verb == "sample":
                with lock:
                    open_ = time.monotonic() - state["last"] if state["last"] is not None else 0
                    return "%d %d" % (max(state["worst"], open_) * 1e6, state["amount"])
            elif verb == "wait":
                began = time.monotonic()
                with lock:
                    goal = state["amount"] + int(a[0])
                    if not lock.wait_for(lambda: state["amount"] >= goal, 55): raise TimeoutError("wait")
                return "%d" % ((time.monotonic() - began) * 1e6)
            elif verb == "errors": return state["errors"]
            else: raise ValueError(verb)
            return ""
        for line in sys.stdin:
            try: print("ok", act(*line.split()))
            except Exception as e: print("error", repr(e))
        """
}
