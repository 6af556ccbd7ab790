import Lab

/// Servers that say who they are: to whatever comes in they answer their port's number, four digits, until the client ends
/// the connection.
final class NamedServers: Sendable {
    private let process: HostProcess

    /// Listens on these ports of a host, on every address.
    init(in host: Host, ports: [Int]) async throws {
        process = try host.spawn(["python3", "-uc", Self.program] + ports.map(String.init))
        for port in ports { try await host.waitForListener(port: UInt16(port), of: process) }
    }

    private static let program = """
        import socketserver, sys, threading
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    while self.request.recv(100): self.request.sendall(b"%04d" % self.server.server_address[1])
                except OSError: pass
        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 1024
        servers = [Server(("0.0.0.0", int(port)), Handler) for port in sys.argv[1:]]
        for server in servers[1:]: threading.Thread(target=server.serve_forever, daemon=True).start()
        servers[0].serve_forever()
        """
}

/// Clients of the near end that ask who serves them.
struct PoolClients {
    let host: Host
    let port: Int

    /// One connection after the other; answers who served each, or the error's name.
    ///
    /// - Parameter sources: the addresses to come from; one connection from each.
    func ask(from sources: [String]) throws -> [String] {
        let output = try host.run(
            ["python3", "-c", Self.askProgram, String(port)], input: sources.joined(separator: " "),
            timeout: .seconds(60))
        return output.standardOutput.split(separator: "\n").map(String.init)
    }

    /// So many connections from the same address.
    func ask(_ count: Int) throws -> [String] { try ask(from: Array(repeating: "127.0.0.1", count: count)) }

    /// Connections that come at a steady rate, each asking once.
    ///
    /// - Parameters:
    ///   - rate: how many a second.
    ///   - seconds: for how long.
    func load(rate: Int, seconds: Double) throws -> Load {
        Load(process: try host.spawn(["python3", "-uc", Self.loadProgram, "\(port)", "\(rate)", "\(seconds)"]))
    }

    /// Clients under way.
    struct Load {
        fileprivate let process: HostProcess

        /// One connection: when it began (seconds of the monotonic clock), how long it took, and who served it or the
        /// error's name.
        struct Connection {
            let began: Double
            let took: Double
            let answer: String
            var failed: Bool { Int(answer) == nil }
        }

        /// Waits until so many connections have ended.
        func ended(_ count: Int) async throws {
            try await process.line(containing: "", skipping: count - 1, timeout: .seconds(30))
        }

        /// Waits for the end of it.
        func connections() async throws -> [Connection] {
            try await process.finish(timeout: .seconds(60))
            return process.lines.compactMap { line in
                let words = line.split(separator: " ")
                guard words.count == 3, let began = Double(words[0]), let took = Double(words[1]) else { return nil }
                return Connection(began: began, took: took, answer: String(words[2]))
            }
        }
    }

    private static let askProgram = """
        import errno, socket, sys
        for source in sys.stdin.read().split():
            s = socket.socket()
            s.settimeout(20)
            try:
                s.bind((source, 0)); s.connect(("127.0.0.1", int(sys.argv[1]))); s.sendall(b"who")
                print(s.recv(100).decode().strip() or "end")
            except socket.timeout: print("timeout")
            except OSError as e: print(errno.errorcode.get(e.errno, e))
            s.close()
        """

    private static let loadProgram = """
        import asyncio, errno, sys, time
        port, rate, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
        async def ask():
            began = time.monotonic()
            try:
                async with asyncio.timeout(20):
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(b"who")
                    answer = (await reader.read(100)).decode().strip() or "end"
                    writer.close()
            except TimeoutError: answer = "timeout"
            except OSError as e: answer = errno.errorcode.get(e.errno, "error")
            print(f"{began:.6f} {time.monotonic() - began:.6f} {answer}")
        async def main():
            start, tasks = time.monotonic(), []
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0, start + number / rate - time.monotonic()))
                tasks.append(asyncio.create_task(ask()))
            await asyncio.gather(*tasks)
        asyncio.run(main())
        """
}
