import LinuxSystem
import MultipathTCP
import Probe
import Synchronization
import SystemPackage

/// An echo server in a thread of its own, in this thread's namespace, until `stop`.
final class RunningEcho: Sendable {
    let port: UInt16
    private let ready: EventCounter
    private let end: EventCounter
    private let output = Mutex<[String]>([])
    private let failure = Mutex<Errno?>(nil)

    var lines: [String] { output.withLock { $0 } }
    var error: Errno? { failure.withLock { $0 } }

    private init(port: UInt16) throws(Errno) {
        ready = try EventCounter()
        end = try EventCounter()
        self.port = port
    }

    /// Lends a running server to `body`, and ends it.
    static func with(host: String = "127.0.0.1", _ body: (RunningEcho) throws -> Void) throws {
        // The port is chosen here, so that nobody has to wait for the thread to learn it: the namespace is ours.
        let port: UInt16 = 7007
        let echo = try RunningEcho(port: port)
        let address = try SocketAddress(parsing: host, port: port)
        let thread = try Thread(name: "echo") {
            do throws(Errno) {
                var server = try EchoServer(on: address) { line in echo.output.withLock { $0.append(line) } }
                echo.ready.raise()
                try server.run(until: echo.end.descriptor.raw)
            } catch {
                echo.failure.withLock { $0 = error }
                echo.ready.raise()
            }
        }
        let result = Result {
            try Waiting.until(echo.ready.descriptor.raw, .readable, deadline: Waiting.deadline(after: .seconds(5)))
            try body(echo)
        }
        echo.end.raise()
        thread.join()
        try result.get()
    }
}
