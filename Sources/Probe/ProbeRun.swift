internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// A client that sends messages to an echo, one at a time, and reports round trips and the truth about multipath.
public struct ProbeRun {
    private let options: ProbeOptions
    private let say: (String) -> Void

    /// - Parameters:
    ///   - options: what to do.
    ///   - say: takes a line for each round trip, as it happens.
    public init(_ options: ProbeOptions, say: @escaping (String) -> Void) {
        self.options = options
        self.say = say
    }

    /// Runs until all echoes came, one failed, or it was interrupted.
    public func run() -> ProbeReport {
        var report = ProbeReport(options)
        var dialer = MultipathDialer()
        dialer.multipath = true
        dialer.timeout = options.timeout
        dialer.cancellation = options.interruption
        let begin = MonotonicTime.now()
        do throws(DialError) {
            let connection = try dialer.connect(host: options.target.host, port: options.target.port)
            report.connectNanoseconds = MonotonicTime.now().since(begin)
            report.address = connection.remote.description
            _ = connection.attemptNoDelay(true)
            exchange(over: connection, &report)
            // The last word: only bytes in both directions have shown what the path lets through.
            report.notMultipathReason = connection.notMultipathReason
            report.subflows = (try? connection.subflows()) ?? []
        } catch {
            report.failure = .notConnected(error)
        }
        return report
    }

    private func exchange(over connection: MultipathConnection, _ report: inout ProbeReport) {
        var next = MonotonicTime.now()
        while options.count == 0 || report.sent < options.count {
            if report.sent > 0 {
                do throws(Errno) {
                    try Waiting.until(-1, [], deadline: next, cancellation: options.interruption)
                } catch {
                    guard error == .timedOut else { return }
                }
            }
            next = max(MonotonicTime.now(), next + options.interval.wholeNanoseconds)
            report.sent += 1
            let sequence = report.sent
            do throws(Errno) {
                let begin = MonotonicTime.now()
                let message = message(sequence)
                let deadline = Waiting.deadline(after: options.timeout)
                try connection.send(message, timeout: options.timeout)
                let echo = try receive(over: connection, deadline)
                let time = MonotonicTime.now().since(begin)
                guard echo == message else {
                    report.failure =
                        echo.count < message.count && message.starts(with: echo)
                        ? .closedByPeer(sequence: sequence) : .wrongEcho(sequence: sequence)
                    return
                }
                report.roundTrips.add(nanoseconds: time)
                say("\(echo.count) bytes from \(connection.remote): seq=\(sequence) time=\(time.asMilliseconds) ms")
            } catch {
                switch error {
                case .canceled: break
                case .timedOut: report.failure = .noEcho(sequence: sequence, timeout: options.timeout)
                default: report.failure = .broken(sequence: sequence, explanation: "\(error)")
                }
                return
            }
        }
    }

    /// A whole message, or what came of it before the end of the stream.
    private func receive(over connection: MultipathConnection, _ deadline: MonotonicTime) throws(Errno) -> [UInt8] {
        var echo: [UInt8] = []
        while echo.count < options.size {
            let left = Duration.nanoseconds(Int64(clamping: deadline.since(.now())))
            let piece = try connection.receive(upTo: options.size - echo.count, timeout: left)
            if piece.isEmpty { break }
            echo += piece
        }
        return echo
    }

    /// A message that no other message of the run equals: its number, then letters.
    private func message(_ sequence: Int) -> [UInt8] {
        (0..<options.size).map { index in
            index < 8
                ? UInt8(truncatingIfNeeded: UInt64(sequence) >> UInt64(index * 8))
                : UInt8(ascii: "a") + UInt8(index % 26)
        }
    }
}
