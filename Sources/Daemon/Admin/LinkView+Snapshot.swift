internal import Admin
internal import Forwarding
internal import LinuxSystem
internal import Paths

extension LinkView {
    /// A link as it is shown.
    ///
    /// - Parameter counters: of each loop.
    init(_ link: LinkSnapshot, _ counters: [LinkCounters]) {
        self.init()
        name = link.name
        interface = link.interface.isEmpty ? nil : link.interface
        address = link.addresses.first?.host
        state = link.state.rawValue
        backup = link.isBackup
        reason = link.why.isEmpty ? nil : link.why
        var segments: UInt64 = 0
        var weights: UInt64 = 0
        var roundTrips: UInt64 = 0
        for loop in counters {
            bytesSent &+= loop.bytesSent
            bytesReceived &+= loop.bytesReceived
            retransmits &+= loop.retransmits
            segments &+= loop.segmentsSent
            subflows &+= loop.subflows
            guard loop.roundTripMicroseconds > 0 else { continue }
            weights += max(1, loop.subflows)
            roundTrips &+= loop.roundTripMicroseconds * max(1, loop.subflows)
        }
        rttUs = weights == 0 ? nil : roundTrips / weights
        loss = segments == 0 ? nil : (Double(retransmits) / Double(segments) * 1e5).rounded() / 1e5
    }
}

extension RelayMetrics {
    init(name: String, _ tally: RelayTally) {
        self.init(name: name)
        results = ConnectionResult.allCases.map { ($0.word, tally.results[Int($0.rawValue)]) }
        outcomes = MultipathOutcome.allCases.map { ($0.word, tally.outcomes[Int($0.rawValue)]) }
        connectBounds = RelayTally.connectBounds
        connects = tally.connects
        connectSeconds = Double(tally.connectNanoseconds) / 1e9
    }
}
