internal import FoundationEssentials

/// Everything that `braid doctor` found.
public struct DoctorReport: Sendable, Hashable {
    /// In the order in which a person would mend them: what the rest depends on comes first.
    public var findings: [Finding]

    /// A report of findings.
    public init(_ findings: [Finding]) {
        self.findings = findings
    }

    /// Whether anything keeps multipath from working.
    public var hasFailure: Bool { findings.contains { $0.verdict == .fail } }

    /// The lines for people: one for each finding, and indented under it what mends it.
    ///
    /// - Parameter colour: whether verdicts are coloured (ECMA-48): only for a terminal.
    public func lines(colour: Bool) -> [String] {
        let width = findings.map(\.check.count).max() ?? 0
        var lines: [String] = []
        for finding in findings {
            let padding = String(repeating: " ", count: width - finding.check.count)
            let verdict = colour ? finding.verdict.coloured : finding.verdict.rawValue
            lines.append("\(verdict) \(finding.check)\(padding)  \(finding.found)")
            lines += finding.remedies.map { "     \($0.label): \($0.text)" }
        }
        return lines
    }

    /// The last line: how many of each.
    public var summary: String {
        let count = { (verdict: Verdict) in findings.count { $0.verdict == verdict } }
        return "\(count(.pass)) passed, \(count(.warn)) warned, \(count(.fail)) failed"
    }

    /// The report as one JSON document on one line.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let document = Document(
            healthy: !hasFailure,
            checks: findings.map { finding in
                Document.Check(
                    check: finding.check, verdict: finding.verdict.rawValue, found: finding.found,
                    remedies: finding.remedies.map { Document.Remedy(kind: $0.label, text: $0.text) })
            })
        // Only a number that is not finite could fail, and there is none.
        guard let data = try? encoder.encode(document) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private struct Document: Encodable {
        struct Remedy: Encodable {
            let kind, text: String
        }
        struct Check: Encodable {
            let check, verdict, found: String
            let remedies: [Remedy]
        }
        let healthy: Bool
        let checks: [Check]
    }
}

extension Verdict {
    fileprivate var coloured: String {
        let colour =
            switch self {
            case .pass: 32
            case .warn: 33
            case .fail: 31
            }
        return "\u{1B}[\(colour)m\(rawValue)\u{1B}[0m"
    }
}
