import Foundation
import LinuxSystem
import MultipathTCP
import Synchronization
import SystemPackage
import TestNamespace
import Testing

@testable import Probe

@Suite("Probe and echo")
struct ProbeRunTests {
    private func options(_ port: UInt16, count: Int = 3, host: String = "127.0.0.1") throws -> ProbeOptions {
        var options = ProbeOptions(
            try #require(HostAndPort(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")))
        options.count = count
        options.interval = .zero
        options.timeout = .seconds(5)
        return options
    }

    /// A server that treats each client its own way, in a thread, for one client.
    private func withServer(
        multipath: Bool = false, _ serve: @escaping @Sendable (MultipathConnection) throws -> Void,
        _ body: (UInt16) throws -> Void
    ) throws {
        var options = MultipathListener.Options()
        options.multipath = multipath
        let listener = try MultipathListener(on: try SocketAddress(parsing: "127.0.0.1", port: 0), options)
        let thread = try Thread(name: "server") {
            // A client that leaves is the end of the test's server, not its failure.
            try? serve(try listener.accept(timeout: .seconds(5)))
        }
        let result = Result { try body(listener.address.port) }
        thread.join()
        try result.get()
    }

    @Test("echoes over multipath", arguments: ["127.0.0.1", "::1"])
    func multipath(host: String) throws {
        try NetworkNamespace.run {
            try RunningEcho.with(host: host) { echo in
                var lines: [String] = []
                let report = ProbeRun(try options(echo.port, host: host)) { lines.append($0) }.run()
                #expect(report.exitStatus == 0)
                #expect(report.complaint == nil)
                #expect(report.roundTrips.count == 3)
                #expect(lines.count == 3)
                #expect(lines[2].hasPrefix("64 bytes from "))
                #expect(lines[2].contains(" seq=3 time="))
                let summary = report.summaryLines
                #expect(summary.contains("3 sent, 3 echoed"))
                #expect(summary.contains("multipath: yes"))
                #expect(summary.contains("subflows: 1"))
            }
        }
    }

    @Test("two subflows are listed with their addresses, and in the JSON document")
    func subflows() throws {
        try NetworkNamespace.run {
            try NetworkNamespace.shell("ip mptcp limits set subflows 4")
            try NetworkNamespace.shell("ip mptcp endpoint add 127.0.0.2 dev lo subflow")
            try RunningEcho.with { echo in
                var options = try options(echo.port, count: 0)
                let enough = try EventCounter()
                options.interruption = enough.descriptor.raw
                // The subflow joins some time after the first data: as many round trips as it takes, at most 10,000.
                var count = 0
                let report = ProbeRun(options) { _ in
                    count += 1
                    let joined = (try? KernelCounters.read())?["MPTcpExtMPJoinSynAckRx"] ?? 0 > 0
                    if joined || count == 10_000 { enough.raise() }
                }.run()
                #expect(report.exitStatus == 0)
                #expect(report.summaryLines.contains("subflows: 2"))
                #expect(report.summaryLines.contains { $0.hasPrefix("  127.0.0.2:") })
                let json = try JSONSerialization.jsonObject(with: Data(report.json.utf8))
                let document = try #require(json as? [String: Any])
                #expect(document["multipath"] as? Bool == true)
                #expect(document["echoed"] as? Int == count)
                #expect((document["subflows"] as? [Any])?.count == 2)
                #expect((document["rtt_us"] as? [String: Double])?.keys.sorted() == ["avg", "max", "min", "p99"])
            }
        }
    }

    @Test("a plain echo: fine, unless multipath is required", arguments: [false, true])
    func fallback(required: Bool) throws {
        try NetworkNamespace.run {
            let serve: @Sendable (MultipathConnection) throws -> Void = { connection in
                while true {
                    let bytes = try connection.receive(upTo: 4096, timeout: .seconds(5))
                    if bytes.isEmpty { return }
                    try connection.send(bytes)
                }
            }
            try withServer(serve) { port in
                var options = try options(port)
                options.requireMultipath = required
                let report = ProbeRun(options) { _ in }.run()
                #expect(report.exitStatus == (required ? 1 : 0))
                #expect((report.complaint != nil) == required)
                let reason = NotMultipathReason.peerOrPathRefused
                #expect(report.summaryLines.last == "multipath: no (fell back to TCP: \(reason))")
            }
        }
    }

    @Test("options stripped in the middle of the run: the truth is the later one")
    func strippedLater() throws {
        try NetworkNamespace.run {
            try RunningEcho.with { echo in
                var options = try options(echo.port, count: 4)
                options.requireMultipath = true
                try NetworkNamespace.shell("nft add table inet path")
                try NetworkNamespace.shell("nft add chain inet path out '{ type filter hook output priority 0; }'")
                // The handshake passes, every later segment loses its options.
                try NetworkNamespace.shell(
                    "nft add rule inet path out tcp flags '&' '(syn|ack) == ack' reset tcp option mptcp")
                let report = ProbeRun(options) { _ in }.run()
                #expect(report.roundTrips.count == 4)
                #expect(!report.isMultipath)
                #expect(report.exitStatus == 1)
            }
        }
    }

    @Test("nobody there, wrong echo, silence, an early end: each its own complaint and exit status 1")
    func failures() throws {
        try NetworkNamespace.run {
            let refused = ProbeRun(try options(7)) { _ in }.run()
            #expect(refused.exitStatus == 1)
            #expect(refused.complaint == "127.0.0.1:7: no connection: 127.0.0.1:7: Connection refused")
            #expect(refused.summaryLines == [])

            try withServer({ try $0.send([UInt8](repeating: 33, count: try $0.receive(upTo: 64).count)) }) { port in
                let wrong = ProbeRun(try options(port)) { _ in }.run()
                #expect(wrong.failure == .wrongEcho(sequence: 1))
                #expect(wrong.exitStatus == 1)
            }
            try withServer({ _ = try $0.receive(upTo: 64) }) { port in
                let ended = ProbeRun(try options(port)) { _ in }.run()
                #expect(ended.failure == .closedByPeer(sequence: 1))
                #expect(ended.exitStatus == 1)
            }
            try withServer({ while try !$0.receive(upTo: 64).isEmpty {} }) { port in
                var options = try options(port)
                options.timeout = .milliseconds(50)
                let silent = ProbeRun(options) { _ in }.run()
                #expect(silent.failure == .noEcho(sequence: 1, timeout: .milliseconds(50)))
                #expect(silent.exitStatus == 1)
            }
        }
    }

    @Test("interrupted: what there is counts; nothing at all is no echo")
    func interrupted() throws {
        try NetworkNamespace.run {
            try RunningEcho.with { echo in
                var options = try options(echo.port, count: 0)
                options.interval = .seconds(3600)
                let stop = try EventCounter()
                options.interruption = stop.descriptor.raw
                let report = ProbeRun(options) { _ in stop.raise() }.run()
                #expect(report.roundTrips.count == 1)
                #expect(report.exitStatus == 0)

                // Raised already: it ends before the first.
                let nothing = ProbeRun(options) { _ in }.run()
                #expect(nothing.roundTrips.count == 0)
                #expect(nothing.exitStatus == 1)
            }
        }
    }

    @Test("the echo server says what each connection is, and no client stops it")
    func echoServer() throws {
        try NetworkNamespace.run {
            try RunningEcho.with { echo in
                var dialer = MultipathDialer()
                let address = try SocketAddress(parsing: "127.0.0.1", port: echo.port)
                // One that sends and never reads, until nothing more fits.
                let greedy = try dialer.connect(to: address)
                #expect(throws: Errno.timedOut) {
                    try greedy.send([UInt8](repeating: 1, count: 64 << 20), timeout: .milliseconds(100))
                }
                // One that resets.
                do { try dialer.connect(to: address).resetOnClose() }
                // A large message whose end is a half-close comes back whole.
                dialer.multipath = true
                let client = try dialer.connect(to: address)
                let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try client.send(message, timeout: .seconds(5))
                try client.finishSending()
                var back: [UInt8] = []
                while back.count < message.count {
                    let piece = try client.receive(upTo: 65536, timeout: .seconds(5))
                    if piece.isEmpty { break }
                    back += piece
                }
                #expect(back == message)
                #expect(try client.receive(upTo: 1, timeout: .seconds(5)) == [])
                let report = ProbeRun(try options(echo.port)) { _ in }.run()
                #expect(report.exitStatus == 0)

                #expect(echo.error == nil)
                #expect(echo.lines.contains { $0.hasPrefix("\(client.local) connected, multipath: yes") })
                #expect(echo.lines.contains { $0.hasPrefix("\(greedy.local) connected, multipath: no (") })
                #expect(
                    echo.lines.contains { $0.hasPrefix("\(client.local) closed after 100000 bytes, multipath: yes") })
            }
        }
    }

    @Test("the echo server on an address in use")
    func addressInUse() throws {
        try NetworkNamespace.run {
            try RunningEcho.with { echo in
                let address = try SocketAddress(parsing: "127.0.0.1", port: echo.port)
                #expect(throws: Errno.addressInUse) { _ = try EchoServer(on: address) { _ in }.address }
            }
        }
    }
}
