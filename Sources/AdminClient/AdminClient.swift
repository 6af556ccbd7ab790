internal import Admin
internal import FoundationEssentials
internal import LinuxSystem
internal import SystemPackage

/// Asks a running daemon over its admin socket: HTTP/1.1, one request a connection.
public struct AdminClient: Sendable {
    /// How long the daemon may be silent before it is given up, in milliseconds.
    static let patience: CInt = 20_000

    /// The socket's path.
    public let path: String

    /// A client of the daemon whose admin socket is at `path`.
    public init(path: String) {
        self.path = path
    }

    /// Asks, and waits for the whole answer.
    ///
    /// - Parameters:
    ///   - method: `GET`, `DELETE`, …
    ///   - target: the request's target, such as `/v1/status`.
    ///   - body: a JSON document.
    /// - Returns: the answer's body; its status was 200 or 204.
    /// - Throws: `AdminClientError`: why the daemon cannot be reached, or what it refuses.
    public func ask(_ method: String, _ target: String, body: [UInt8] = []) throws(AdminClientError) -> [UInt8] {
        let response = try HTTPResponse(parsing: try exchange(request(method, target, body)), path: path)
        switch response.status {
        case 200..<300: return response.body
        case 404: throw .notFound(response.reason)
        default: throw .refused(status: response.status, response.reason)
        }
    }

    /// Reads something.
    public func ask(_ target: String) throws(AdminClientError) -> [UInt8] { try ask("GET", target) }

    /// Reads a view of an answer.
    public func decode<View: Decodable>(_ type: View.Type, _ body: [UInt8]) throws(AdminClientError) -> View {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: Data(body))
        } catch {
            throw .malformed(path: path, "\(error)")
        }
    }

    private func request(_ method: String, _ target: String, _ body: [UInt8]) -> [UInt8] {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if !body.isEmpty { head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n" }
        return Array((head + "\r\n").utf8) + body
    }

    /// Sends the request and reads until the daemon closes.
    private func exchange(_ request: [UInt8]) throws(AdminClientError) -> [UInt8] {
        do throws(Errno) {
            let socket = try Socket.unixStream()
            _ = try socket.connect(toPath: path)
            var poller = try Poller(capacity: 1)
            try poller.add(socket.raw, .writable, EventToken(slot: 0, tag: 0))
            try send(request, socket, &poller)
            try poller.modify(socket.raw, .readable, EventToken(slot: 0, tag: 0))
            return try receive(socket, &poller)
        } catch {
            throw .unreachable(path: path, error)
        }
    }

    private func send(_ request: [UInt8], _ socket: borrowing Socket, _ poller: inout Poller) throws(Errno) {
        var sent = 0
        while sent < request.count {
            if try poller.wait(milliseconds: Self.patience) == 0 { throw .timedOut }
            let result: Result<Int, Errno> = unsafe request.withUnsafeBytes { bytes in
                do throws(Errno) {
                    return .success(try unsafe socket.send(.init(rebasing: bytes[sent...])))
                } catch {
                    return .failure(error)
                }
            }
            sent += try result.get()
        }
    }

    private func receive(_ socket: borrowing Socket, _ poller: inout Poller) throws(Errno) -> [UInt8] {
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            if try poller.wait(milliseconds: Self.patience) == 0 { throw .timedOut }
            let result: Result<Int, Errno> = unsafe chunk.withUnsafeMutableBytes { bytes in
                do throws(Errno) {
                    return .success(try unsafe socket.receive(into: bytes))
                } catch {
                    return .failure(error)
                }
            }
            let count = try result.get()
            if count == 0 { return answer }
            answer.append(contentsOf: chunk[..<count])
        }
    }
}
