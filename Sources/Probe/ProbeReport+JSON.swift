internal import FoundationEssentials
internal import LinuxSystem
internal import MultipathTCP

extension ProbeReport {
    /// The report as one JSON document on one line; times in microseconds.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Only a number that is not finite could fail, and there is none.
        guard let data = try? encoder.encode(Document(self)) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private struct Document: Encodable {
        let target: String
        let address: String?
        let connectUs: UInt64?
        let sent: Int
        let echoed: Int
        let rttUs: Times?
        let multipath: Bool
        let reason: String?
        let reasonText: String?
        let subflows: [SubflowDocument]
        let error: String?

        init(_ report: ProbeReport) {
            target = report.target.description
            address = report.address
            connectUs = report.connectNanoseconds.map { $0 / 1000 }
            sent = report.sent
            echoed = report.roundTrips.count
            rttUs = report.roundTrips.summary.map(Times.init)
            multipath = report.isMultipath
            reason = report.isConnected ? report.notMultipathReason?.identifier : nil
            reasonText = report.isConnected ? report.notMultipathReason?.description : nil
            subflows = report.subflows.map(SubflowDocument.init)
            error = report.failure?.description
        }
    }

    private struct Times: Encodable {
        let min, avg, p99, max: Double

        init(_ summary: RoundTripStatistics.Summary) {
            min = Double(summary.minimum) / 1000
            avg = Double(summary.mean) / 1000
            p99 = Double(summary.percentile99) / 1000
            max = Double(summary.maximum) / 1000
        }
    }

    /// Named as in the daemon's own list of connections.
    private struct SubflowDocument: Encodable {
        let local, remote: String
        let rttUs: UInt32
        let bytesSent, bytesReceived: UInt64
        let retransmits: UInt32

        init(_ subflow: Subflow) {
            local = subflow.local.description
            remote = subflow.remote.description
            rttUs = subflow.tcp.roundTripMicroseconds
            bytesSent = subflow.tcp.bytesSent
            bytesReceived = subflow.tcp.bytesReceived
            retransmits = subflow.tcp.retransmits
        }
    }
}
