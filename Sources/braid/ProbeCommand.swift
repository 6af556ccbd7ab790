internal import ArgumentParser
internal import LinuxSystem
internal import Probe

/// `braid probe`: round trips to an echo, and whether the connection really is multipath.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Measure round trips to an echo server, and say whether the connection really is multipath.",
        discussion: """
            Sends a message, expects the same bytes back, and so on; then prints a summary and the truth about multipath, \
            which is known only after bytes went both ways. The other end is `braid echo`, or a relay to an echo.

            Exit status: 0 good; 1 no echo, or not multipath although required; 64 wrong usage; 71 the system refused.
            """)

    @Argument(help: ArgumentHelp("Where the echo is.", valueName: "host:port"))
    var target: String

    @Option(name: .shortAndLong, help: "How many round trips; 0 until interrupted.")
    var count = 5

    @Option(name: .shortAndLong, help: ArgumentHelp("Seconds from one round trip to the next.", valueName: "seconds"))
    var interval = 1.0

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Seconds to wait for the connection, and for each echo.", valueName: "seconds"))
    var timeout = 10.0

    @Option(name: .shortAndLong, help: ArgumentHelp("Bytes of one message.", valueName: "bytes"))
    var size = 64

    @Flag(help: "A connection that is not multipath is a failure.")
    var requireMultipath = false

    @Flag(help: "Print one JSON document instead.")
    var json = false

    func validate() throws {
        guard HostAndPort(target) != nil else {
            throw ValidationError("'\(target)' is not HOST:PORT (an IPv6 address goes in brackets: [2001:db8::1]:7143)")
        }
        guard count >= 0 else { throw ValidationError("--count must be 0 or more") }
        guard interval >= 0, interval <= 86400 else { throw ValidationError("--interval must be 0 to 86400 seconds") }
        guard timeout > 0, timeout <= 86400 else {
            throw ValidationError("--timeout must be above 0, at most 86400 seconds")
        }
        guard (8...(1 << 20)).contains(size) else { throw ValidationError("--size must be 8 to 1048576 bytes") }
    }

    func run() throws {
        guard let target = HostAndPort(target) else { return }
        let signals = try StopSignals.descriptor()
        var options = ProbeOptions(target)
        options.count = count
        options.interval = .seconds(interval)
        options.timeout = .seconds(timeout)
        options.size = size
        options.requireMultipath = requireMultipath
        options.interruption = signals.descriptor.raw

        let quiet = json
        let report = ProbeRun(options) { line in
            if !quiet { StandardOutput.write(line) }
        }.run()
        if let complaint = report.complaint { StandardError.write("braid probe: \(complaint)") }
        if json {
            StandardOutput.write(report.json)
        } else {
            report.summaryLines.forEach { StandardOutput.write($0) }
        }
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }
}
