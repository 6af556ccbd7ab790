import Lab

/// What the tests run in hosts: small Python programs, for they are other processes with other sockets than ours.
enum Programs {
    /// Sends ICMP echo requests and reports round-trip times. The answer comes from the other host's kernel, and is
    /// stamped by this host's kernel on arrival: no process has to be scheduled in between.
    static let ping = """
        import socket, struct, sys, time
        host, count, interval = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
        six = ":" in host
        s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW,
                          socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
        s.connect((host, 0)); s.settimeout(1)
        s.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        def checksum(b):
            n = sum(struct.unpack("!%dH" % (len(b) // 2), b))
            while n >> 16: n = (n & 0xffff) + (n >> 16)
            return ~n & 0xffff
        times = []
        for seq in range(count):
            body = struct.pack("!HH", 77, seq) + bytes(48)
            kind, reply = (128, 129) if six else (8, 0)
            packet = struct.pack("!BBH", kind, 0, 0) + body
            if not six: packet = struct.pack("!BBH", kind, 0, checksum(packet)) + body
            sent = time.clock_gettime_ns(time.CLOCK_REALTIME)
            s.send(packet)
            try:
                while True:
                    data, control, _, _ = s.recvmsg(2000, 100)
                    if not six: data = data[(data[0] & 15) * 4:]
                    if data[0] == reply and struct.unpack("!HH", data[4:8]) == (77, seq):
                        sec, ns = struct.unpack("qq", control[0][2][:16])
                        times.append(sec * 10**9 + ns - sent)
                        break
            except socket.timeout: pass
            time.sleep(interval)
        times.sort()
        print(len(times), *([times[0], times[len(times) // 2], times[-1]] if times else []))
        """

    /// Receives TCP or MPTCP connections, one after the other, and reports for each how many bytes came, and the rate
    /// after the first half second, in bits a second.
    static let sink = """
        import socket, sys, time
        s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262 if sys.argv[1] == "mptcp" else 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("::", 5000)); s.listen()
        while True:
            c, _ = s.accept(); total = late = 0; start = last = time.monotonic(); begin = None
            while True:
                d = c.recv(1 << 20)
                if not d: break
                total += len(d); last = time.monotonic()
                if begin is not None: late += len(d)
                elif last - start > 0.5: begin = last
            rate = late * 8 / (last - begin) if begin is not None and last > begin else 0
            print("received", total, int(rate), flush=True)
            c.close()
        """

    /// Sends for a time or, with a time of 0, a number of bytes.
    static let source = """
        import socket, sys, time
        kind, host, seconds, size = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM,
                          262 if kind == "mptcp" else 0)
        s.connect((host, 5000)); start = time.monotonic(); sent = 0; block = bytes(65536)
        while (time.monotonic() - start < seconds) if seconds else sent < size:
            sent += s.send(block if seconds else block[:size - sent])
        s.shutdown(socket.SHUT_WR); s.recv(1)
        """
}

struct PingResult {
    /// Answers that came.
    let answers: Int
    /// The median round-trip time, in milliseconds; 0 when there was no answer.
    let median: Double
    let shortest: Double
    let longest: Double
}

extension Host {
    func ping(_ address: String, count: Int = 15, interval: Double = 0.003) throws -> PingResult {
        let output = try run(
            ["python3", "-c", Programs.ping, address, "\(count)", "\(interval)"], timeout: .seconds(60))
        let words = output.standardOutput.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        let times = words.count == 4 ? words.dropFirst().map { $0 / 1e6 } : [0, 0, 0]
        return PingResult(answers: Int(words[0]), median: times[1], shortest: times[0], longest: times[2])
    }

    /// Starts the sink, and waits until it listens.
    func sink(_ kind: String = "tcp") async throws -> HostProcess {
        let process = try spawn(["python3", "-uc", Programs.sink, kind])
        try await waitForListener(port: 5000, of: process)
        return process
    }

    /// Sends to a sink; bytes it received, and the rate it saw.
    func send(
        to sink: HostProcess, at address: String, _ kind: String = "tcp", seconds: Double = 0, bytes: Int = 0
    ) async throws -> (bytes: Int, rate: Double) {
        let before = sink.lines.count
        let source = try spawn(["python3", "-uc", Programs.source, kind, address, "\(seconds)", "\(bytes)"])
        let line = try await sink.line(containing: "received", skipping: before, timeout: .seconds(30))
        try await source.finish()
        let words = line.split(separator: " ").compactMap { Double($0) }
        return (Int(words[0]), words[1])
    }
}
